"""What the rows of a batch have got so far, by column: little memory for many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.result import ColumnKind, ResultColumn, values_of

Place = tuple[int, int]
"""The position of a row, and the number of its sample."""


class Results:
    """The values of the new columns.

    Args:
        columns: The new columns; the last one is that of the errors.
        samples: How many answers each row gets; with several, each value is a list of them, and the
            error is that of the first sample that failed.

    Attributes:
        columns: The new columns of the result.
    """

    def __init__(self, columns: Sequence[ResultColumn], samples: int = 1) -> None:
        self._of_outcome = columns
        self._samples = samples
        *others, self._error = columns
        if samples > 1:
            others = [replace(column, kind=ColumnKind.NESTED) for column in others]
        self.columns: tuple[ResultColumn, ...] = (*others, self._error)
        self._values: dict[str, list[Any]] = {column.name: [] for column in columns}
        self._left: list[int] = []  # for each row the answers that it still waits for
        self._taken = 0

    def put(self, found: Sequence[tuple[Place, Outcome]]) -> None:
        """Put the outcomes of some rows into their places."""
        values = values_of([outcome for _, outcome in found], self._of_outcome)
        self._grow(max(place[0] for place, _ in found) + 1)
        for (position, _), _ in found:
            self._left[position - self._taken] -= 1
        for name, column in values.items():
            held = self._values[name]
            for ((position, sample), _), value in zip(found, column, strict=True):
                at = position - self._taken
                if self._samples == 1:
                    held[at] = value
                elif name == self._error.name:
                    held[at] = held[at] or value
                else:
                    held[at] = held[at] or [None] * self._samples
                    held[at][sample] = value

    def _grow(self, count: int) -> None:
        more = count - self._taken - len(self._left)
        if more > 0:
            self._left += [self._samples] * more
            for held in self._values.values():
                held += [None] * more

    def values(self, count: int, unsent: str) -> dict[str, list[Any]]:
        """Return the values of all rows that were not taken.

        Args:
            count: The number of rows.
            unsent: What the error column says of rows that have not come to their end.
        """
        self._grow(count)
        found = {name: list(held) for name, held in self._values.items()}
        errors = found[self._error.name]
        for at, left in enumerate(self._left):
            if left:
                errors[at] = errors[at] or unsent
        return found

    def take_done(self) -> dict[str, list[Any]]:
        """Return and forget the values of the first rows, as far as all of them are at their end."""
        count = sum(1 for _ in takewhile(lambda left: left == 0, self._left))
        return self._take(count)

    def _take(self, count: int) -> dict[str, list[Any]]:
        found = {name: held[:count] for name, held in self._values.items()}
        for held in (*self._values.values(), self._left):
            del held[:count]
        self._taken += count
        return found
