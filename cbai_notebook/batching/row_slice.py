"""What all kinds of rows have in common: their columns, and slices of the values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from cbai_notebook.conversation.frames.columns import is_missing
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.prompts.columns import as_64_bits

Kind = Literal["pandas", "polars", "pyarrow", "list", "iterable", "parquet", "csv", "dask"]

SLICE_ROWS = 512
"""The rows of a slice: few enough to begin at once, enough to cost little for each row."""

_NEVER_MISSING = {str, int, bool}


@dataclass(frozen=True, slots=True)
class RowSlice:
    """Some rows that follow each other.

    Attributes:
        start: The position of the first, from 0.
        count: How many there are.
        values: The values of each used column; a missing value is ``None``.
    """

    start: int
    count: int
    values: dict[str, list[Any]]


class Rows(ABC):
    """The rows of a batch, whatever they come from.

    Attributes:
        kind: Where they come from.
        data: The input itself: a frame, a list, an iterator or a path.
        columns: The names of the columns as text, in order.
        count: The number of rows; None while it is not known.
        is_slow: Whether other machines may have to read them, which takes any time.
    """

    kind: ClassVar[Kind]
    is_slow: ClassVar[bool] = False

    def __init__(self, data: Any, names: Iterable[object], count: int | None) -> None:
        self.data = data
        self.columns = _as_texts(names)
        self.count = count

    @property
    def taken(self) -> tuple[str, ...]:
        """The names that a new column cannot have."""
        return self.columns

    @abstractmethod
    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        """Yield the rows in order, with the values of the used columns only.

        An iterable can be read once: there, a second call goes on where the first one stopped.

        Args:
            used: Names out of `columns`.
            size: The most rows of a slice.

        Raises:
            UsageError: The rows cannot be read.
        """

    def missing(self, used: Sequence[str]) -> dict[str, int]:
        """Return how many values are missing in each used column, if that is quick to tell.

        Returns:
            The numbers above 0 by column; nothing for files and iterables.
        """
        return {}


def _as_texts(names: Iterable[object]) -> tuple[str, ...]:
    """Return the names of columns as text.

    Raises:
        UsageError: Two of them are equal.
    """
    texts: dict[str, None] = {}
    for text in map(str, names):
        if text in texts:
            raise UsageError(say("rows.same_column", name=repr(text)))
        texts[text] = None
    return tuple(texts)


def cleaned(values: list[Any], kind: str = "") -> list[Any]:
    """Return the values of a column with ``None`` for each missing one.

    Args:
        values: The values.
        kind: The name of the column's type; floats of 16 or 32 bits become the shortest decimal
            that stands for the same number.
    """
    if set(map(type, values)) <= _NEVER_MISSING:
        return values
    return as_64_bits([None if is_missing(value) else value for value in values], kind)
