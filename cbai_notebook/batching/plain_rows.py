"""Rows that are dicts: in a list, or out of any other iterable."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain, islice
from typing import Any, ClassVar

from cbai_notebook.batching.row_slice import SLICE_ROWS, Kind, Rows, RowSlice, cleaned
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

Row = Mapping[Any, Any]


class ListRows(Rows):
    """The rows of a list of dicts. A column that a row does not have is missing there."""

    kind: ClassVar[Kind] = "list"

    def __init__(self, rows: Sequence[Any]) -> None:
        _check(rows, 0)
        keys = dict.fromkeys(chain.from_iterable(rows))
        super().__init__(rows, keys, len(rows))
        self._keys = dict(zip(self.columns, keys, strict=True))

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        for start in range(0, len(self.data), size):
            yield _slice(start, self.data[start : start + size], used, self._keys)

    def missing(self, used: Sequence[str]) -> dict[str, int]:
        found = dict.fromkeys(used, 0)
        for part in self.slices(used):
            for name, values in part.values.items():
                found[name] += values.count(None)
        return {name: number for name, number in found.items() if number}


class StreamRows(Rows):
    """The rows of an iterable of dicts, such as a generator, which is read once.

    The columns are the keys of the first row; a later row may lack some of them, and what else it
    has is kept, but not used.

    Attributes:
        read: The rows that were read, for the result. A writer takes them out of here.
    """

    kind: ClassVar[Kind] = "iterable"

    def __init__(self, rows: Iterable[Any]) -> None:
        iterator = iter(rows)
        first = list(islice(iterator, 1))
        _check(first, 0)
        keys = list(first[0]) if first else []
        length = len(rows) if isinstance(rows, Sized) else None
        super().__init__(iterator, keys, length if first else 0)
        self._keys = dict(zip(self.columns, keys, strict=True))
        self._waiting = chain(first, iterator)
        self._next = 0
        self.read: deque[Row] = deque()

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        while part := list(islice(self._waiting, size)):
            _check(part, self._next)
            start, self._next = self._next, self._next + len(part)
            self.read += part
            yield _slice(start, part, used, self._keys)
        self.count = self._next

    def take_read(self) -> RowSlice:
        """Take the rows that were read, with all columns, so that they are not kept any longer.

        Raises:
            UsageError: One has a key that the first row does not have.
        """
        rows = [self.read.popleft() for _ in range(len(self.read))]
        if new := set().union(*rows).difference(self._keys.values()):
            raise UsageError(say("rows.new_key", name=repr(new.pop())))
        return _slice(0, rows, self.columns, self._keys)


def _slice(
    start: int, rows: Sequence[Row], used: Sequence[str], keys: Mapping[str, Any]
) -> RowSlice:
    values = {name: cleaned([row.get(keys[name]) for row in rows]) for name in used}
    return RowSlice(start, len(rows), values)


def _check(rows: Sequence[Any], start: int) -> None:
    """Check that every row is a dict.

    Raises:
        UsageError: One is not; the message has its position.
    """
    if set(map(type, rows)) <= {dict}:
        return
    for at, row in enumerate(rows, start):
        if not isinstance(row, Mapping):
            raise UsageError(say("rows.not_a_dict", row=at, kind=type(row).__name__))
