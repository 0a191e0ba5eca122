"""How far a batch is, for those who show it: a notebook, a terminal or a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from cbai_notebook.batching.progress_line import line_of, sentences_of

EVERY_S = 0.2
"""Seconds between two states that are shown."""

EVERY_IN_LOG_S = 30.0
"""Seconds between two lines where lines cannot be overwritten."""

_FEWEST_FOR_ESTIMATE = 3

_MOST_REASONS = 1000
"""So many different reasons of failed rows are counted; each may name values of its row."""


@dataclass
class Progress:
    """The counts of a batch while it runs.

    Attributes:
        name: The name of the rows.
        rows: The number of rows; None while it is not known.
        answered: Rows with an answer, known ones included.
        known: Rows whose answer was known, or is that of an equal row.
        failed: Rows with an error.
        missing: Rows that are not sent because a value is missing.
        running: Requests at the moment.
        tokens: The tokens that were used.
        sent: Requests that have ended.
        status: ``"running"``, ``"complete"``, ``"stopped"`` or ``"interrupted"``.
        reason: Why it stopped, in one sentence.
        reasons: How many rows failed for each reason of their own; under ``""`` those for reasons that
            are too many to be told apart.
        hints: Sentences for the user about the prompt; there at the end.
        seconds: The seconds since it began.
    """

    name: str = ""
    rows: int | None = None
    answered: int = 0
    known: int = 0
    failed: int = 0
    missing: int = 0
    running: int = 0
    tokens: int = 0
    sent: int = 0
    status: str = "running"
    reason: str = ""
    reasons: dict[str, int] = field(default_factory=dict)
    hints: Sequence[str] = ()
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _began: float = field(default=0.0, repr=False)
    _ended: float | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Note that it begins now."""
        self._began = self.clock()

    def fail(self, reason: str, rows: int = 1) -> None:
        """Count rows that failed for a reason."""
        self.failed += rows
        if reason not in self.reasons and len(self.reasons) >= _MOST_REASONS:
            reason = ""
        self.reasons[reason] = self.reasons.get(reason, 0) + rows

    def end(self, status: str, reason: str = "") -> None:
        """Note how it ended."""
        self.status, self.reason, self._ended = status, reason, self.clock()

    @property
    def done(self) -> int:
        """The rows that need no request any more."""
        return self.answered + self.failed + self.missing

    @property
    def seconds(self) -> float:
        """The seconds since it began, or that it took."""
        return (self.clock() if self._ended is None else self._ended) - self._began

    @property
    def seconds_left(self) -> float | None:
        """About how many seconds are left; None while that is not known."""
        paid = self.answered - self.known + self.failed
        if self.rows is None or paid < _FEWEST_FOR_ESTIMATE or self.status != "running":
            return None
        return self.seconds / paid * (self.rows - self.done)


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
