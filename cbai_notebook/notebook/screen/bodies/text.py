"""Show an answer as plain text."""

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
    """An answer without markup; spaces and line breaks are kept.

    Args:
        max_outputs: The maximum number of outputs for its parts.
    """

    def __init__(self, max_outputs: int) -> None:
        self._lines = LineSealer(max_outputs)
        self._sealed: list[str] = []

    def feed(self, text: str) -> None:
        """Append text to the answer."""
        self._lines.feed(text)

    def take_sealed(self) -> Sequence[Part]:
        """Seal complete lines; return each once."""
        sealed = self._lines.take()
        if not sealed:
            return []
        self._sealed.append(sealed)
        return [text_part(sealed)]

    @property
    def open_chars(self) -> int:
        """Number of characters of the open lines."""
        return len(self._lines.tail)

    def tail_html(self) -> str:
        """Return the markup of the open lines."""
        return _text_html(self._lines.tail) if self._lines.tail.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last lines."""
        return Ending([text_part(self._lines.tail)] if self._lines.tail else [])

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return the answer as one output."""
        return self.bundle([text_part("".join([*self._sealed, self._lines.tail]))]), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return consecutive lines as one output in all its MIME types."""
        return {"text/html": joined_html(parts), "text/plain": plain(joined_source(parts))}


def text_part(source: str) -> Part:
    """Return plain text as a part."""
    return Part(source, _text_html(source))


def _text_html(text: str) -> str:
    # HTML parsers drop the first newline in a `pre`, so one more is written.
    style = f"{html.WRAP};{html.MONO};margin:0;padding:0"
    return html.element("pre", "\n" + html.escape(text), name="text", style=style)
