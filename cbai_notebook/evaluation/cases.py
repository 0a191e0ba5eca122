"""The cases of an evaluation: read once, and known again by their content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from cbai_notebook.batching.result import json_text
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import listed, say

KEY_BYTES = 16
"""The bytes of the key of a case."""


class Cases:
    """The cases of an evaluation.

    Args:
        data: The cases, as :func:`cbai_notebook.batch` takes rows.

    Attributes:
        columns: The names of their columns.
        rows: Each case as a dict; a missing value is None.

    Raises:
        UsageError: There are none, or they cannot be read.
    """

    def __init__(self, data: Any) -> None:
        found = rows_of(data)
        self.columns = found.columns
        self.rows: list[dict[str, Any]] = []
        for part in found.slices(found.columns):
            columns = part.values.values()
            values = zip(*columns, strict=True) if columns else iter(())
            self.rows += (dict(zip(part.values, each, strict=True)) for each in values)
        if not self.rows:
            raise UsageError(say("evaluate.no_cases"))
        self._kind, self._data = found.kind, found.data

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, argument: str) -> list[Any]:
        """Return the values of a column.

        Args:
            name: The column.
            argument: What named it, for the error.

        Raises:
            UsageError: There is no such column.
        """
        if name not in self.columns:
            raise UsageError(
                say(
                    "evaluate.no_column",
                    argument=argument,
                    name=repr(name),
                    columns=listed(self.columns),
                )
            )
        return [row[name] for row in self.rows]

    def take(self, positions: Sequence[int]) -> Any:
        """Return some cases as the type of the input; of a file or an iterable, as a list of dicts.

        Args:
            positions: The positions of the cases, which may repeat.
        """
        if self._kind == "pandas":
            return self._data.iloc[list(positions)]
        if self._kind == "polars":
            return self._data[list(positions)]
        if self._kind == "pyarrow":
            return self._data.take(list(positions)) if positions else self._data.slice(0, 0)
        return [self.rows[position] for position in positions]

    def keys(self, column: str = "") -> list[bytes]:
        """Return what each case is known by: its content, or the value of a column.

        Equal cases are told apart by their order.

        Args:
            column: The column; ``""`` for all of the case.
        """
        seen: Counter[str] = Counter()
        keys = []
        for row in self.rows:
            text = json_text(row[column] if column else row)
            seen[text] += 1
            keys.append(sha256(f"{seen[text]} {text}".encode()).digest()[:KEY_BYTES])
        return keys

    def free_name(self, name: str) -> str:
        """Return a name that no column of the cases has: the given one, or with underscores behind."""
        while name in self.columns:
            name += "_"
        return name
