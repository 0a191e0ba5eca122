"""Write an answer to a terminal: each token once, as it arrives."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from cbai_notebook.i18n import say
from cbai_notebook.text import without_controls

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class TerminalSurface:
    """A text stream, such as standard output.

    Args:
        stream: Where to write; standard output by default.
        colour: Whether dimming may be used; by default when `stream` is a terminal and the
            environment does not set ``NO_COLOR`` (https://no-color.org).
    """

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._can_dim = self._supports_dim() if colour is None else colour
        self._in_reasoning = False
        self._after_line = False
        self._at_line_start = True

    def text(self, text: str) -> None:
        """Write text of the answer."""
        text = without_controls(text)
        if self._after_line:
            text = text.lstrip("\n")
        if (self._in_reasoning or self._after_line) and text:
            self._in_reasoning = self._after_line = False
            self._end_line()
            self._write("\n")
        self._write(text)

    def line(self, line: str) -> None:
        """Write a dimmed line that is not part of the answer, such as one about a tool call."""
        self._in_reasoning, self._after_line = False, True
        self._end_line()
        line = without_controls(line)
        self._write(f"{_DIM}{line}{_PLAIN}\n" if self._can_dim else f"{line}\n")

    def reasoning(self, text: str) -> None:
        """Write reasoning: dimmed, or under a heading where the terminal cannot dim."""
        text = without_controls(text)
        if not self._in_reasoning:
            self._in_reasoning = True
            self._end_line()
            if not self._can_dim:
                self._write(f"{say('answer.reasoning')}:\n")
        self._write(f"{_DIM}{text}{_PLAIN}" if self._can_dim else text, shown=text)

    def close(self, closing: str) -> None:
        """End the answer and write its footer."""
        self._end_line()
        if closing:
            closing = without_controls(closing)
            self._write(f"{_DIM}{closing}{_PLAIN}\n" if self._can_dim else f"{closing}\n")

    def _end_line(self) -> None:
        if not self._at_line_start:
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
        self._at_line_start = shown.endswith("\n")

    def _supports_dim(self) -> bool:
        return self._stream.isatty() and not os.environ.get("NO_COLOR")
