"""How far a batch is, for those who show it: a notebook, a terminal or a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
        sent: Requests that the server has answered, also with an error.
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
