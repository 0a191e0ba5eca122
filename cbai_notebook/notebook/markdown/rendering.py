"""Markdown to safe HTML, in one go."""

from __future__ import annotations

from cbai_notebook.notebook.markdown.parser import parse_blocks, to_html
from cbai_notebook.notebook.markdown.unfinished import close_open_marks, hide_unfinished
from cbai_notebook.text import plain

# Everything is kept from the typesetter but the elements that ask for it.
_OPENING = (
    '<div class="cbai-markdown jp-RenderedHTMLCommon jp-RenderedMarkdown'
    ' mathjax_ignore tex2jax_ignore">'
)


def render(source: str, *, final: bool = True) -> str:
    """Render Markdown as HTML that is safe in a trusted page.

    Args:
        source: Markdown, from anywhere.
        final: ``False`` while more is to come: what cannot be told yet is shown calmly, such as an
            open formula as its source.

    Returns:
        One ``<div>`` with the elements that Jupyter's own Markdown would have.
    """
    return wrap(fragment(source, final=final))


def fragment(source: str, *, final: bool = True) -> str:
    """Render Markdown as :func:`render` does, without the element around it."""
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
    """Put the element that carries Jupyter's styles around a rendered body.

    Args:
        body: What the sanitiser let through; joined bodies of several pieces are one, too.
    """
    return f"{_OPENING}{body}</div>"
