"""Read a list of message dicts or a DataFrame into columns of plain, checked Python values."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from importlib import import_module
from numbers import Real
from typing import Any

from cbai_notebook.conversation.frames.columns import COLUMNS, Kind, is_missing, transpose
from cbai_notebook.conversation.frames.to_frame import import_optional
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

# Keys of OpenAI's messages that message records do not have.
_OPENAI_KEYS = ("reasoning_content", "function_call")

_REQUIRED = ("role", "content")

Columns = Mapping[str, list[Any]]


DEEPEST = 100
"""The most levels of lists and dicts in a value; Python itself can print and save about 900."""

_LARGEST_COUNT = 2**63 - 1
"""The largest number in a column of a table, in the history as well as in pandas."""

_LONGEST_NUMBER = 14_000
"""The most bits of a whole number: Python prints no number of more than 4,300 digits."""


class RowError(UsageError):
    """A row of a table of messages is wrong.

    Args:
        row: The number of the row, from 0, as in pandas.
        problem: The problem and its fix, in sentences.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(say("messages.row", row=row, problem=problem))
        self.row = row
        self.problem = problem


class _UnfitError(ValueError):
    """A value that fits no column.

    Args:
        what: What is wrong with it: the end of a key in the tables of texts.
        values: Values of that text.
    """

    def __init__(self, what: str, **values: object) -> None:
        super().__init__(what)
        self.what = what
        self.values = values


def columns_of(messages: object) -> tuple[Columns, int]:
    """Return every column of a table of messages as plain values; a missing value is ``None``.

    Args:
        messages: An iterable of mappings, a DataFrame of pandas or polars, or another table that
            narwhals reads.

    Returns:
        All columns by name, each with one value for each row; and the number of rows.

    Raises:
        MissingDependencyError: Only narwhals can read the table, and it is not installed.
        UsageError: The messages have another type, or a value does not fit its column.
    """
    columns, rows = _raw(messages)
    for name in _REQUIRED:
        if rows and name not in columns:
            raise UsageError(say("messages.no_column", name=name))
    missing = [None] * rows
    return {
        name: _clean(name, columns[name]) if name in columns else missing
        for name in (*COLUMNS, *_OPENAI_KEYS)
    }, rows


def _raw(messages: object) -> tuple[dict[str, list[Any]], int]:
    if _is_pandas(messages):
        return _pandas_columns(messages)
    if hasattr(messages, "__arrow_c_stream__") or hasattr(messages, "__dataframe__"):
        return _table_columns(messages)
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Iterable):
        raise UsageError(say("messages.not_a_list", kind=type(messages).__name__))
    dicts = list(messages)
    for row, message in enumerate(dicts):
        if not isinstance(message, Mapping):
            raise RowError(row, say("messages.not_a_dict", kind=type(message).__name__))
    # Skip the keys that no message has: they cost no time then.
    present = set(_REQUIRED).union(*dicts)
    names = [name for name in (*COLUMNS, *_OPENAI_KEYS) if name in present]
    return transpose(dicts, names), len(dicts)


def _is_pandas(value: object) -> bool:
    return any(
        base.__name__ == "DataFrame" and base.__module__.partition(".")[0] == "pandas"
        for base in type(value).__mro__
    )


def _pandas_columns(frame: Any) -> tuple[dict[str, list[Any]], int]:
    names = [name for name in (*COLUMNS, *_OPENAI_KEYS) if name in frame.columns]
    for name in names:
        if frame[name].ndim != 1:
            raise UsageError(say("messages.several_columns", name=name))
    return {name: _pandas_values(frame[name]) for name in names}, len(frame)


def _pandas_values(series: Any) -> list[Any]:
    if series.dtype.kind == "M":
        # Convert the whole column at once; one by one, pandas creates its own Timestamps first.
        pandas = import_module("pandas")
        return list(pandas.DatetimeIndex(series).to_pydatetime())
    return list(series.to_numpy(dtype=object, na_value=None))


def _table_columns(table: Any) -> tuple[dict[str, list[Any]], int]:
    (narwhals,) = import_optional("reading", "narwhals")
    try:
        frame = narwhals.from_native(table, eager_only=True)
    except TypeError as error:
        raise UsageError(say("messages.unknown_table", kind=type(table).__name__)) from error
    names = [name for name in (*COLUMNS, *_OPENAI_KEYS) if name in frame.columns]
    return {name: frame[name].to_list() for name in names}, len(frame)


def _clean(name: str, values: list[Any]) -> list[Any]:
    if name == "function_call":
        return [None if is_missing(value) else value for value in values]
    kind = COLUMNS.get(name, Kind.TEXT)
    # A hundred thousand rows hold two million values, and most columns need no conversion.
    if set(map(type, values)) <= _CLEAN_TYPES[kind] and not _has_large_count(values, kind):
        return values
    clean = _content if name == "content" else _CLEAN[kind]
    cleaned: list[Any] = []
    try:
        for value in values:
            cleaned.append(None if is_missing(value) else clean(value))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        row = len(cleaned)
        if isinstance(error, _UnfitError):
            problem = say(f"messages.value_{error.what}", name=name, **error.values)
        else:
            expected = say("messages.kind_content") if name == "content" else kind.label
            value = shown(values[row], 80)
            problem = say("messages.wrong_value", name=name, value=value, expected=expected)
        raise RowError(row, problem) from error
    return cleaned


def shown(value: Any, longest: int) -> str:
    """Return a value as Python writes it, for an error message, with at most `longest` characters."""
    try:
        return repr(value)[:longest]
    except (ValueError, RecursionError):  # a number of too many digits; lists that are too deep
        return say("messages.large_value", kind=type(value).__name__)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    # A plain str, also from a member of an enumeration or a numpy string.
    return str.__str__(value)


def _content(value: Any) -> str | list[Any]:
    value = _plain(value)
    if not isinstance(value, (str, list)):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    is_whole = isinstance(value, float) and value.is_integer()
    count = int(value) if is_whole else operator.index(value)
    if abs(count) > _LARGEST_COUNT:
        raise _UnfitError("too_large")
    return count


def _has_large_count(values: list[Any], kind: Kind) -> bool:
    if kind is not Kind.COUNT:
        return False
    counts = [value for value in values if value is not None]
    return max(map(abs, counts), default=0) > _LARGEST_COUNT


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError
    seconds = float(value)
    if not math.isfinite(seconds):
        raise _UnfitError("not_finite")
    return seconds


def _time(value: Any) -> datetime:
    """Return a datetime in UTC. Text is parsed as ISO 8601; a time without a zone counts as UTC."""
    if isinstance(value, str):
        # Python 3.10 does not parse the Z.
        value = datetime.fromisoformat(f"{value[:-1]}+00:00" if value.endswith("Z") else value)
    if not isinstance(value, datetime):
        raise TypeError
    # Convert a pandas Timestamp to a plain datetime; records have no nanoseconds.
    plain: datetime = value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if plain.tzinfo is None:
        return plain.replace(tzinfo=timezone.utc)
    return plain if plain.tzinfo is timezone.utc else plain.astimezone(timezone.utc)


def _flag(value: Any) -> bool:
    if value in (0, 1):
        return bool(value)
    raise TypeError


def _nested(value: Any) -> Any:
    """Return a list or a dict that shares nothing with the input; text is parsed as JSON."""
    value = json.loads(value) if isinstance(value, str) else _plain(value)
    if not isinstance(value, (list, dict)):
        raise TypeError
    return _copy(value, DEEPEST)


def _plain(value: Any) -> Any:
    """Return an array or a tuple as a list: some tables store lists that way."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, tuple) else value


def _copy(value: Any, levels: int) -> Any:
    """Return a deep copy of lists and dicts; `copy.deepcopy` takes five times as long.

    Args:
        value: Any value.
        levels: The most levels of lists and dicts.

    Raises:
        _UnfitError: The value cannot be written as JSON.
    """
    if isinstance(value, (dict, list)):
        if levels == 0:
            raise _UnfitError("too_deep", levels=DEEPEST)
        if isinstance(value, list):
            return [_copy(item, levels - 1) for item in value]
        if not all(isinstance(name, str) for name in value):
            raise _UnfitError("with_other_name")
        return {name: _copy(item, levels - 1) for name, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise _UnfitError("not_in_json", value=value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        raise _UnfitError("with_too_many_digits")
    return value


_CLEAN: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _count,
    Kind.COUNT: _count,
    Kind.SECONDS: _seconds,
    Kind.TIME: _time,
    Kind.FLAG: _flag,
    Kind.NESTED: _nested,
}

_CLEAN_TYPES: Mapping[Kind, set[type]] = {
    Kind.TEXT: {str, type(None)},
    Kind.NUMBER: {int, type(None)},
    Kind.COUNT: {int, type(None)},
    Kind.SECONDS: {type(None)},
    Kind.TIME: {type(None)},
    Kind.FLAG: {bool, type(None)},
    Kind.NESTED: {type(None)},
}
"""For each kind, the types whose values need no conversion."""
