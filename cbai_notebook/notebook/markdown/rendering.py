"""Render a complete Markdown text as safe HTML."""

from __future__ import annotations

from cbai_notebook.notebook.markdown.parser import parse_blocks, to_html
from cbai_notebook.notebook.markdown.unfinished import close_open_marks, hide_unfinished
from cbai_notebook.text import plain

# Excludes everything from typesetting, except the elements whose class asks for it.
_OPENING = (
    '<div class="cbai-markdown jp-RenderedHTMLCommon jp-RenderedMarkdown'
    ' mathjax_ignore tex2jax_ignore">'
)


def render(source: str, *, final: bool = True) -> str:
    """Render Markdown as HTML that is safe in a trusted page.

    Args:
        source: Markdown, trusted or not.
        final: ``False`` while more text is to come: syntax that is not decided yet is hidden,
            closed, or shown as source, such as an open formula.

    Returns:
        One ``<div>`` with the elements that Jupyter's own Markdown would have.
    """
    return wrap(fragment(source, final=final))


def fragment(source: str, *, final: bool = True) -> str:
    """Render Markdown as :func:`render` does, without the wrapper element."""
    text = plain(source)
    environment: dict[str, object] = {}
    if not final:
        text = hide_unfinished(text)
        environment["unfinished"] = True
    tokens = parse_blocks(text, environment)
    if not final:
        close_open_marks(tokens)
    return to_html(tokens, environment)


def wrap(body: str) -> str:
    """Put the wrapper element with Jupyter's styles around a rendered body.

    Args:
        body: Sanitised HTML; the joined bodies of several pieces are allowed, too.
    """
    return f"{_OPENING}{body}</div>"
