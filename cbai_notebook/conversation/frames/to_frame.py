"""Convert message records to a DataFrame or an Arrow table, with the right types even without rows.

Tables are built column by column, never row by row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from cbai_notebook.conversation.frames.columns import COLUMNS, Kind, transpose
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import MissingDependencyError, UsageError
from cbai_notebook.i18n import listed, say
from cbai_notebook.text import without_surrogates

if TYPE_CHECKING:
    import pandas as pd

Record = Mapping[str, Any]

_PANDAS_TYPES = {
    Kind.NUMBER: "int64",
    Kind.COUNT: "Int64",
    Kind.SECONDS: "float64",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.FLAG: "bool",
    Kind.NESTED: "object",
}

# Raised by Python for a value of a wrong type; the errors of the table libraries derive from these.
_CONVERSION_ERRORS = (OverflowError, TypeError, ValueError)


def to_pandas(records: Sequence[Record]) -> pd.DataFrame:
    """Return message records as a DataFrame.

    Text is pandas' ``string`` (never a category, so that any value can be assigned and frames can
    be joined), ``created_at`` is ``datetime64[us, UTC]``, seconds are ``float64``, tokens are
    ``Int64``, ``turn`` is ``int64``, ``stale`` is ``bool``; ``params``, ``images``,
    ``tool_calls`` and ``extra`` are the dicts and lists of the records, not copies.

    Args:
        records: Flat dicts with the keys of :data:`RECORD_KEYS`; other keys are ignored.

    Raises:
        MissingDependencyError: pandas is not installed.
        UsageError: A value does not fit its column.
    """
    (pandas,) = import_optional("dataframe", "pandas")
    # The Python string type shares the text with the records, and allows lone surrogates.
    types = {**_PANDAS_TYPES, Kind.TEXT: pandas.StringDtype("python")}
    columns = {}
    for name, values in transpose(records, COLUMNS).items():
        kind = COLUMNS[name]
        try:
            columns[name] = pandas.Series(_converted(values, kind), dtype=types[kind])
        except _CONVERSION_ERRORS as error:
            raise _column_error(name, kind) from error
    frame: pd.DataFrame = pandas.DataFrame(columns)
    return frame


def to_native(records: Sequence[Record], backend: Literal["polars", "pyarrow"]) -> Any:
    """Return message records as a polars DataFrame or a pyarrow Table.

    The columns are those of :func:`to_pandas`, but ``params``, ``images``, ``tool_calls`` and
    ``extra`` are JSON text: their structure differs from row to row, and no Arrow type allows that. A lone
    surrogate, which Arrow's UTF-8 does not allow, becomes U+FFFD.

    Args:
        records: Flat dicts with the keys of :data:`RECORD_KEYS`; other keys are ignored.
        backend: The library of the table.

    Raises:
        MissingDependencyError: narwhals or the library is not installed.
        UsageError: A value does not fit its column.
    """
    narwhals, _ = import_optional(backend, "narwhals", backend)
    types = {
        Kind.TEXT: narwhals.String(),
        Kind.NUMBER: narwhals.Int64(),
        Kind.COUNT: narwhals.Int64(),
        Kind.SECONDS: narwhals.Float64(),
        Kind.TIME: narwhals.Datetime("us", "UTC"),
        Kind.FLAG: narwhals.Boolean(),
        Kind.NESTED: narwhals.String(),
    }
    series = []
    for name, raw in transpose(records, COLUMNS).items():
        kind = COLUMNS[name]
        try:
            values = _converted(raw, kind)
            if kind is Kind.NESTED:
                values = [None if value is None else _json(value) for value in values]
            elif kind is Kind.TEXT:
                values = [None if value is None else utf8(value) for value in values]
            series.append(narwhals.new_series(name, values, types[kind], backend=backend))
        except _CONVERSION_ERRORS as error:
            raise _column_error(name, kind) from error
    frame = narwhals.from_dict({column.name: column for column in series})
    return frame.to_native()


def utf8(text: Any) -> str:
    """Return text that has a UTF-8 form: surrogate pairs are joined, lone surrogates replaced.

    Raises:
        TypeError: The value is not text.
    """
    if not isinstance(text, str):
        raise TypeError
    return without_surrogates(text)


def _converted(values: list[Any], kind: Kind) -> list[Any]:
    if kind is Kind.FLAG:
        return [bool(value) for value in values]
    if kind is Kind.TIME:
        return [value and _utc(value) for value in values]
    return values


def _utc(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError
    return value if value.tzinfo is timezone.utc else in_zone(value, timezone.utc)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # As a JSON escape, a lone surrogate is kept.
    return text if text == without_surrogates(text) else json.dumps(value)


def _column_error(name: str, kind: Kind) -> UsageError:
    return UsageError(say("messages.wrong_value_in_records", name=name, expected=kind.label))


Purpose = Literal[
    "dataframe", "polars", "pyarrow", "parquet", "reading", "evaluation", "matplotlib"
]


def import_optional(purpose: Purpose, *packages: str) -> list[Any]:
    """Import optional packages and return their modules.

    Args:
        purpose: What needs the packages.
        packages: Their names.

    Raises:
        MissingDependencyError: One is not installed; the message has the `pip` command for all.
    """
    try:
        return [import_module(package) for package in packages]
    except ImportError as error:
        raise MissingDependencyError(
            say(f"messages.{purpose}_needs", packages=listed(packages), names=" ".join(packages))
        ) from error
