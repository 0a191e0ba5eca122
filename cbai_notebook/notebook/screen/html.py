"""Small safe pieces of HTML of our own: plain text in, markup out.

Notebooks typeset mathematics in any HTML output, and an untrusted notebook loses styles that its
sanitiser does not know. So every element here opts out of typesetting and reads well without its style.
"""

from __future__ import annotations

from html import escape as _escape

from cbai_notebook.text import plain

QUIET = "color:#7a7a7a;color:var(--jp-ui-font-color2,#7a7a7a)"
"""Dimmed text: a mid tone that reads on white and on black, and the theme's own where there is one.

JupyterLab's sanitiser drops a colour that is a variable, so the plain one is written first.
"""

MONO = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"

WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"

_NO_MATH = "mathjax_ignore tex2jax_ignore"


def escape(text: str) -> str:
    """Return plain text as HTML, without characters that steer or reorder."""
    return _escape(plain(text))


def lines(text: str) -> str:
    """Return plain text as HTML whose line breaks hold without any style."""
    return escape(text).replace("\n", "<br>")


def element(tag: str, content: str, *, name: str, style: str = "", attributes: str = "") -> str:
    """Return an element around markup that is already safe.

    Args:
        tag: The element's name.
        content: Safe markup.
        name: What the element is, for style sheets and tests: class ``cbai-<name>``.
        style: Inline style.
        attributes: More attributes, written out.
    """
    style = f' style="{style}"' if style else ""
    attributes = f" {attributes}" if attributes else ""
    return f'<{tag} class="cbai-{name} {_NO_MATH}"{style}{attributes}>{content}</{tag}>'
