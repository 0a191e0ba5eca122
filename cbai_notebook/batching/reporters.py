"""Show how far a batch is: in a notebook, in a terminal or in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.progress_line import line_of, sentences_of

EVERY_S = 0.2
"""Seconds between two states that are shown."""

EVERY_IN_LOG_S = 30.0
"""Seconds between two lines where lines cannot be overwritten."""


class Reporter(Protocol):
    """Shows how far a batch is."""

    def show(self, progress: Progress) -> None:
        """Show a state, at most every :data:`EVERY_S` seconds; must not block."""

    def end(self, progress: Progress) -> None:
        """Show the last state."""


class NoReporter:
    """Shows nothing."""

    def show(self, progress: Progress) -> None:
        """Show nothing."""

    def end(self, progress: Progress) -> None:
        """Show nothing."""


class LineReporter:
    """Writes one line, over and over in a terminal, now and then in a log.

    Args:
        stream: Where the line is written; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._overwrites = self._stream.isatty()
        self._length = 0
        self._next_s = EVERY_IN_LOG_S

    def show(self, progress: Progress) -> None:
        """Write the state over the one before; in a log every half minute."""
        if self._overwrites:
            self._write(line_of(progress), "")
        elif progress.seconds >= self._next_s:
            self._next_s = progress.seconds + EVERY_IN_LOG_S
            self._write(line_of(progress), "\n")

    def end(self, progress: Progress) -> None:
        """Write the last state, which stays, and what is to be said about it."""
        self._write(line_of(progress), "\n")
        self._stream.writelines(f"{sentence}\n" for sentence in sentences_of(progress))
        self._stream.flush()

    def _write(self, line: str, end: str) -> None:
        start = "\r" if self._overwrites else ""
        rest = " " * max(0, self._length - len(line)) if self._overwrites else ""
        self._length = len(line)
        self._stream.write(f"{start}{line}{rest}{end}")
        self._stream.flush()


_of_notebook: Callable[[], Reporter | None] | None = None


def show_in(reporter: Callable[[], Reporter | None]) -> None:
    """Let a notebook show batches.

    Args:
        reporter: Returns a reporter for the cell that runs; None where there is none.
    """
    global _of_notebook
    _of_notebook = reporter


def reporter_for(choice: bool | Reporter | None) -> Reporter:
    """Return who shows a batch.

    Args:
        choice: False for nobody, a reporter, or None or True for that of the surroundings.
    """
    if choice is False:
        return NoReporter()
    if choice is None or choice is True:
        return (_of_notebook and _of_notebook()) or LineReporter()
    return choice
