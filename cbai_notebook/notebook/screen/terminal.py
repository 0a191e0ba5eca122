"""An answer in a terminal: tokens are written as they come, and nothing is painted twice."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"

# An escape sequence may be split over tokens, so what could start one is taken out, not the sequence.
_CONTROLS = (*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_UNSEEN = dict.fromkeys((*_CONTROLS, *_DIRECTIONS))


class TerminalSurface:
    """A stream of characters, such as standard output.

    Args:
        stream: Where to write; standard output by default.
        colour: Whether dimming may be used; by default when `stream` is a terminal and the
            environment does not set ``NO_COLOR`` (https://no-color.org).
    """

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._dims = self._may_dim() if colour is None else colour
        self._reasoning = False
        self._lines = False
        self._fresh_line = True

    def text(self, text: str) -> None:
        """Write a part of the answer."""
        text = _visible(text)
        if self._lines:
            text = text.lstrip("\n")
        if (self._reasoning or self._lines) and text:
            self._reasoning = self._lines = False
            self._end_line()
            self._write("\n")
        self._write(text)

    def line(self, line: str) -> None:
        """Write a line beside the answer, dimmed, such as one about a call."""
        self._reasoning, self._lines = False, True
        self._end_line()
        line = _visible(line)
        self._write(f"{_DIM}{line}{_PLAIN}\n" if self._dims else f"{line}\n")

    def reasoning(self, text: str) -> None:
        """Write a part of the reasoning: dimmed, or announced where nothing can be dimmed."""
        text = _visible(text)
        if not self._reasoning:
            self._reasoning = True
            self._end_line()
            if not self._dims:
                self._write("Reasoning:\n")
        self._write(f"{_DIM}{text}{_PLAIN}" if self._dims else text, shown=text)

    def close(self, closing: str) -> None:
        """End the answer and write the lines that stand under it."""
        self._end_line()
        if closing:
            closing = _visible(closing)
            self._write(f"{_DIM}{closing}{_PLAIN}\n" if self._dims else f"{closing}\n")

    def _end_line(self) -> None:
        if not self._fresh_line:
            self._write("\n")

    def _write(self, text: str, shown: str | None = None) -> None:
        shown = text if shown is None else shown
        if not shown:
            return
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            coding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(coding, "replace").decode(coding))
        self._stream.flush()
        self._fresh_line = shown.endswith("\n")

    def _may_dim(self) -> bool:
        return self._stream.isatty() and not os.environ.get("NO_COLOR")


def _visible(text: str) -> str:
    return text.translate(_UNSEEN)
