"""The columns of a table of messages, and the kind of value in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from cbai_notebook.i18n import Words, say


class Kind(Enum):
    """The kind of value in a column; a missing value is ``None``."""

    TEXT = "text"
    NUMBER = "number"
    """A whole number that is never missing."""
    COUNT = "count"
    SECONDS = "seconds"
    TIME = "time"
    FLAG = "flag"
    NESTED = "nested"

    @property
    def label(self) -> Words:
        """The kind, as a part of a sentence."""
        return say(f"messages.kind_{self.value}")


COLUMNS: Mapping[str, Kind] = {
    "conversation": Kind.TEXT,
    "turn": Kind.NUMBER,
    "role": Kind.TEXT,
    "content": Kind.TEXT,
    "reasoning": Kind.TEXT,
    "provider": Kind.TEXT,
    "model": Kind.TEXT,
    "status": Kind.TEXT,
    "finish_reason": Kind.TEXT,
    "error": Kind.TEXT,
    "created_at": Kind.TIME,
    "duration_s": Kind.SECONDS,
    "first_token_s": Kind.SECONDS,
    "prompt_tokens": Kind.COUNT,
    "completion_tokens": Kind.COUNT,
    "total_tokens": Kind.COUNT,
    "cached_tokens": Kind.COUNT,
    "cell_id": Kind.TEXT,
    "stale": Kind.FLAG,
    "params": Kind.NESTED,
    "images": Kind.NESTED,
    "tool_calls": Kind.NESTED,
    "tool_call_id": Kind.TEXT,
    "extra": Kind.NESTED,
}
"""The kind of each key of a message record."""

_NUMPY_WITH_NAN = frozenset({"float16", "float32", "longdouble", "datetime64", "timedelta64"})


def is_missing(value: Any) -> bool:
    """Return whether a value is ``None``, a ``NaN``, a ``NaT`` or pandas' ``NA``."""
    # `type`, not `isinstance`: `isinstance` reads `__class__`, and an unbound proxy raises then.
    kind = type(value)
    if issubclass(kind, float):
        return bool(value != value)
    if issubclass(kind, Decimal):
        return bool(value.is_nan())
    if kind.__module__ == "numpy":
        return kind.__name__ in _NUMPY_WITH_NAN and bool(value != value)
    return value is None or kind.__name__ in ("NaTType", "NAType")


# This many records fit into the processor's cache. Without batches, going through all records once
# for each column takes four times as long.
_BATCH_ROWS = 256


def transpose(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Return the columns of records by name; a missing value is ``None``."""
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for start in range(0, len(records), _BATCH_ROWS):
        batch = records[start : start + _BATCH_ROWS]
        for name, column in columns.items():
            column += [record.get(name) for record in batch]
    return columns
