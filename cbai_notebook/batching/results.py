"""What the rows of a batch have got so far, by column: little memory for many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.result import ColumnKind, ResultColumn, values_of

Place = tuple[int, int]
"""The position of a row, and the number of its sample."""

_EMPTY = object()


class Results:
    """The values of the new columns.

    Args:
        columns: The new columns; the last one is that of the errors.
        samples: How many answers each row gets; with several, each value is a list of them.
    """

    def __init__(self, columns: Sequence[ResultColumn], samples: int = 1) -> None:
        self._of_outcome = columns
        self._samples = samples
        *others, self._error = columns
        if samples > 1:
            others = [replace(column, kind=ColumnKind.NESTED) for column in others]
        self.columns: tuple[ResultColumn, ...] = (*others, self._error)
        self._values: dict[str, list[Any]] = {column.name: [] for column in columns}
        self._samples_left: dict[int, int] = {}

    def put(self, found: Sequence[tuple[Place, Outcome]]) -> None:
        """Put the outcomes of some rows into their places."""
        values = values_of([outcome for _, outcome in found], self._of_outcome)
        self._grow(max(place[0] for place, _ in found) + 1)
        if self._samples > 1:
            for (position, _), _ in found:
                self._samples_left[position] = self._samples_left.get(position, self._samples) - 1
        for name, column in values.items():
            held = self._values[name]
            is_error = name == self._error.name
            for (place, _), value in zip(found, column, strict=True):
                position, sample = place
                if self._samples == 1:
                    held[position] = value
                elif is_error:
                    held[position] = value if held[position] in (_EMPTY, None) else held[position]
                else:
                    if held[position] is _EMPTY:
                        held[position] = [None] * self._samples
                    held[position][sample] = value

    def _grow(self, count: int) -> None:
        for held in self._values.values():
            if len(held) < count:
                held += [_EMPTY] * (count - len(held))

    def values(self, count: int, unsent: str = "") -> dict[str, list[Any]]:
        """Return the values of the first rows.

        Args:
            count: The number of rows.
            unsent: What the error column says of rows that have not come to their end.
        """
        self._grow(count)
        errors = self._values[self._error.name]
        found = {
            name: [None if value is _EMPTY else value for value in held[:count]]
            for name, held in self._values.items()
        }
        if unsent:
            found[self._error.name] = [
                unsent
                if value is _EMPTY or (value is None and self._samples_left.get(at))
                else value
                for at, value in enumerate(errors[:count])
            ]
        return found
