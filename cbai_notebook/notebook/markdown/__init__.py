"""Render Markdown from a model as safe HTML: a complete text, or one that still streams.

Model output is untrusted. :func:`render` and :class:`Document` turn it into HTML that runs nothing
and loads nothing.
Importing this package is light: the parser, the highlighter and the sanitiser load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbai_notebook.notebook.markdown.document import Document, Final, Piece
    from cbai_notebook.notebook.markdown.rendering import fragment, render, wrap

__all__ = ["Document", "Final", "Piece", "fragment", "render", "wrap"]

_MODULE_OF = {
    "Document": "document",
    "Final": "document",
    "Piece": "document",
    "fragment": "rendering",
    "render": "rendering",
    "wrap": "rendering",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first access (PEP 562)."""
    from importlib import import_module

    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
