"""An answer as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.bodies.base import (
    Ending,
    LineSealer,
    Part,
    joined_html,
    joined_source,
)
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain


class TextBody:
    """An answer as it was written: nothing is a mark-up, spaces and lines stay.

    Args:
        max_outputs: How many outputs its parts may have.
    """

    def __init__(self, max_outputs: int) -> None:
        self._lines = LineSealer(max_outputs)
        self._sealed: list[str] = []

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._lines.feed(text)

    def take_sealed(self) -> Sequence[Part]:
        """Return the lines that are complete, each once."""
        sealed = self._lines.take()
        if not sealed:
            return []
        self._sealed.append(sealed)
        return [text_part(sealed)]

    @property
    def open_chars(self) -> int:
        """Characters of the open lines."""
        return len(self._lines.tail)

    def tail_html(self) -> str:
        """Return the open lines."""
        return _text_html(self._lines.tail) if self._lines.tail.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last lines."""
        return Ending([text_part(self._lines.tail)] if self._lines.tail else [])

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output."""
        return self.bundle([text_part("".join([*self._sealed, self._lines.tail]))]), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return lines that follow each other as one output in all its forms."""
        return {"text/html": joined_html(parts), "text/plain": plain(joined_source(parts))}


def text_part(source: str) -> Part:
    """Return a stretch of plain text."""
    return Part(source, _text_html(source))


def _text_html(text: str) -> str:
    # A parser drops the first newline of a `pre`, so one more is written than is meant.
    style = f"{html.WRAP};{html.MONO};margin:0;padding:0"
    return html.element("pre", "\n" + html.escape(text), name="text", style=style)
