"""Show an answer as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cbai_notebook.notebook.screen.bodies.base import Ending, Part, joined_html, joined_source
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain

if TYPE_CHECKING:
    from cbai_notebook.notebook.markdown import Document


class MarkdownBody:
    """An answer in Markdown.

    Args:
        max_outputs: The maximum number of outputs for its parts.
    """

    def __init__(self, max_outputs: int) -> None:
        from cbai_notebook.notebook.markdown import Document

        self._document: Document = Document(most=max_outputs)

    def feed(self, text: str) -> None:
        """Append text to the answer."""
        self._document.feed(text)

    def take_sealed(self) -> Sequence[Part]:
        """Seal the blocks that can no longer change; return each once."""
        return [Part(piece.source, piece.html) for piece in self._document.take_sealed()]

    @property
    def open_chars(self) -> int:
        """Number of characters of the open blocks."""
        return self._document.tail_characters

    def tail_html(self) -> str:
        """Return the markup of the open blocks."""
        return self._document.tail_html() if self._document.tail_source.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last blocks, and the sealed ones that a later link definition changed."""
        final = self._document.finish()
        return Ending(
            [Part(piece.source, piece.html) for piece in final.pieces],
            {index: Part(piece.source, piece.html) for index, piece in final.changed.items()},
        )

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return the answer as one output."""
        from cbai_notebook.notebook.markdown import wrap

        self._document.finish()
        pieces = self._document.pieces
        source = "".join(piece.source for piece in pieces)
        return _bundle(source, wrap("".join(piece.body for piece in pieces))), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return consecutive blocks as one output in all its MIME types."""
        return _bundle(joined_source(parts), joined_html(parts))


def _bundle(source: str, shown: str) -> Bundle:
    readable = plain(source)
    return {"text/html": shown, "text/markdown": readable, "text/plain": readable}
