"""The rows of a batch: which row a request is about, and how many answers were begun for each."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field

_MARK = re.compile(r"\brow-(\d+)")


def row_of(prompt: str) -> str:
    """Return the name of the row that a prompt is about: its first ``row-123``, else all its text."""
    mark = _MARK.search(prompt)
    return prompt if mark is None else mark[0]


class RowNumbers:
    """Numbers rows: ``row-123`` is 123; other rows are counted from 0, in the order they came."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __getitem__(self, row: str) -> int:
        mark = _MARK.fullmatch(row)
        return self._known.setdefault(row, len(self._known)) if mark is None else int(mark[1])


@dataclass
class Tally:
    """What a gateway did so far.

    Args:
        begun: For each row, the answers that were begun: what a user pays. A request that was
            refused, or answered with an HTTP error, begins none. An answer whose connection is cut
            or that the client leaves is begun.
        refused: For each error code, the requests that a limit refused.
        running: Answers that are being sent, refusals not included.
        running_peak: The most answers at once.
        first_begun_at: When the first answer was begun, in ``time.monotonic()`` seconds.
    """

    begun: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    running: int = 0
    running_peak: int = 0
    first_begun_at: float | None = None

    def start(self) -> None:
        """Count an answer that takes one of the places."""
        self.running += 1
        self.running_peak = max(self.running_peak, self.running)

    def stop(self) -> None:
        """Count the end of an answer that took one of the places."""
        self.running -= 1

    def begin(self, row: str) -> None:
        """Count an answer about a row."""
        if self.first_begun_at is None:
            self.first_begun_at = time.monotonic()
        self.begun[row] += 1
