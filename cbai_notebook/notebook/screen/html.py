"""Build small pieces of safe HTML from plain text.

Notebooks typeset mathematics in any HTML output, and in an untrusted notebook the sanitiser removes
styles that it does not know. So every element opts out of typesetting and is readable without style.
"""

from __future__ import annotations

from html import escape as _escape

from cbai_notebook.text import plain

QUIET = "color:#7a7a7a;color:var(--jp-ui-font-color2,#7a7a7a)"
"""Dimmed text: a grey that is readable on white and on black, or the colour of the theme.

JupyterLab's sanitiser drops a colour that is a variable, so the plain colour comes first.
"""

MONO = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"

WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"

NO_MATH = "mathjax_ignore tex2jax_ignore"
"""CSS classes of an element in which mathematics is not typeset."""


def escape(text: str) -> str:
    """Return plain text as HTML, without control characters and changes of direction."""
    return _escape(plain(text))


def lines(text: str) -> str:
    """Return plain text as HTML with line breaks that need no style."""
    return escape(text).replace("\n", "<br>")


def element(tag: str, content: str, *, name: str, style: str = "", attributes: str = "") -> str:
    """Return an element around safe markup.

    Args:
        tag: The tag name.
        content: Safe markup.
        name: Name for style sheets and tests: the class is ``cbai-<name>``.
        style: Inline style.
        attributes: More attributes, as HTML.
    """
    style = f' style="{style}"' if style else ""
    attributes = f" {attributes}" if attributes else ""
    return f'<{tag} class="cbai-{name} {NO_MATH}"{style}{attributes}>{content}</{tag}>'
