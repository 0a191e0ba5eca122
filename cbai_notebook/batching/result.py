"""The result of a batch: the input's rows in their order, with the columns of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import msgspec

from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.plain_rows import StreamRows
from cbai_notebook.batching.row_slice import Rows
from cbai_notebook.client.structured.response_type import WRAPPER, ResponseType
from cbai_notebook.conversation.frames.from_frame import DEEPEST
from cbai_notebook.conversation.frames.to_frame import utf8
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import Words, joined, listed, say
from cbai_notebook.prompts.values import as_text
from cbai_notebook.text import cut, without_surrogates

ERROR = "error"
"""The column with what went wrong in a row; every result has it."""

_LARGEST_INTEGER = 2**63 - 1
_LONGEST_SHOWN = 60


class ColumnKind(Enum):
    """What the values of a column are; a missing one is ``None``."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    NESTED = "nested"

    @property
    def label(self) -> Words:
        """The kind, as a part of a sentence."""
        return say(f"rows.kind_{self.value}")


@dataclass(frozen=True)
class ResultColumn:
    """A column that a result adds to the rows.

    Attributes:
        name: Its name.
        kind: What its values are.
        of: The value of a row's outcome; None if there is none.
    """

    name: str
    kind: ColumnKind
    of: Callable[[Outcome], Any]


# Which columns --------------------------------------------------------------------------------------


def columns_of(
    response_type: ResponseType | None,
    *,
    column: str = "answer",
    prefix: str | None = None,
    details: bool = False,
    taken: Sequence[str] = (),
) -> tuple[ResultColumn, ...]:
    """Return the columns that a batch adds, before anything is sent.

    The answer is one column of text; with a type whose schema is an object, each of its fields is
    a column, and the value of any other type is one column. ``error`` is always the last.

    Args:
        response_type: The type of the answers.
        column: The name of the column for an answer that is not several columns.
        prefix: What the names of all new columns begin with.
        details: Whether there are columns with model, tokens, seconds, and more.
        taken: The columns of the input.

    Raises:
        UsageError: A name is none, or is one of the input or of another new column.
    """
    for name, value in (("column", column), ("prefix", prefix)):
        if not isinstance(value, str) and not (name == "prefix" and value is None):
            raise UsageError(say("rows.not_a_column_name", name=name, value=repr(value)))
    fields = _fields(response_type)
    answers = [ResultColumn(column, *_whole(response_type))] if fields is None else fields
    others = [*(_DETAILS if details else ()), ResultColumn(ERROR, ColumnKind.TEXT, _error)]
    fixed = {one.name for one in others}
    for one in answers:
        if one.name in fixed:
            if fields is None or response_type is None:
                raise UsageError(say("rows.name_is_fixed", name=repr(one.name)))
            raise UsageError(
                say("rows.field_is_a_column", kind=response_type.name, name=repr(one.name))
            )
    start = prefix or ""
    found = tuple(
        ResultColumn(f"{start}{one.name}", one.kind, one.of) for one in (*answers, *others)
    )
    if clash := [one.name for one in found if one.name in taken]:
        raise _clash(clash, [one.name for one in found], column if fields is None else None, taken)
    return found


def _clash(
    clash: list[str], names: list[str], column: str | None, taken: Sequence[str]
) -> UsageError:
    """Return the error for new columns that the input has already."""
    number = 2
    while any(f"v{number}_{name}" in taken for name in names):
        number += 1
    example, written = repr(f"v{number}_"), listed(map(repr, clash))
    if column is not None and clash == names[:1]:
        another = repr(f"{column}_{number}")
        return UsageError(
            say("rows.answer_column_exists", names=written, column=another, example=example)
        )
    return UsageError(say("rows.column_exists", names=written, example=example))


def _whole(response_type: ResponseType | None) -> tuple[ColumnKind, Callable[[Outcome], Any]]:
    """Return the kind of an answer that is one column, and how to get it."""
    if response_type is None:
        return ColumnKind.TEXT, lambda outcome: outcome.answer and outcome.answer.text
    schema = response_type.schema
    if response_type.wrapped:
        return _kind(schema["properties"][WRAPPER], schema), _value
    return ColumnKind.NESTED, _value


def _fields(response_type: ResponseType | None) -> list[ResultColumn] | None:
    """Return a column for each field of a type, or None if it has none."""
    if response_type is None or response_type.wrapped:
        return None
    schema = response_type.schema
    properties = schema.get("properties") or {}
    return [
        ResultColumn(name, _kind(field, schema), _member(name))
        for name, field in properties.items()
    ] or None


def _member(name: str) -> Callable[[Outcome], Any]:
    def member(outcome: Outcome) -> Any:
        value = outcome.value
        return value.get(name) if type(value) is dict else None

    return member


def _value(outcome: Outcome) -> Any:
    return outcome.value


def _error(outcome: Outcome) -> str | None:
    return str(outcome.error) or None


def _of_answer(name: str) -> Callable[[Outcome], Any]:
    return lambda outcome: None if outcome.answer is None else getattr(outcome.answer, name)


_DETAILS = (
    ResultColumn("model", ColumnKind.TEXT, _of_answer("model")),
    ResultColumn("prompt_tokens", ColumnKind.INTEGER, _of_answer("prompt_tokens")),
    ResultColumn("completion_tokens", ColumnKind.INTEGER, _of_answer("completion_tokens")),
    ResultColumn("seconds", ColumnKind.NUMBER, _of_answer("duration_s")),
    ResultColumn("known", ColumnKind.FLAG, lambda outcome: outcome.known),
    ResultColumn("finish_reason", ColumnKind.TEXT, _of_answer("finish_reason")),
)
"""The columns that describe how an answer came."""

_KINDS = {
    "string": ColumnKind.TEXT,
    "integer": ColumnKind.INTEGER,
    "number": ColumnKind.NUMBER,
    "boolean": ColumnKind.FLAG,
}
_KINDS_OF_VALUES = {
    str: ColumnKind.TEXT,
    int: ColumnKind.INTEGER,
    float: ColumnKind.NUMBER,
    bool: ColumnKind.FLAG,
}


def _kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> ColumnKind:
    """Return the kind of a column for a part of a JSON Schema."""
    kinds = _kinds(schema, root, frozenset())
    if kinds == {ColumnKind.INTEGER, ColumnKind.NUMBER}:
        return ColumnKind.NUMBER
    return kinds.pop() if len(kinds) == 1 else ColumnKind.NESTED


def _kinds(schema: Any, root: Mapping[str, Any], seen: frozenset[str]) -> set[ColumnKind]:
    """Return all kinds that values of a schema have; null has none.

    Args:
        schema: A part of the JSON Schema.
        root: The whole JSON Schema, for its definitions.
        seen: The definitions around it: a type may hold itself.
    """
    if not isinstance(schema, Mapping):
        return {ColumnKind.NESTED}
    if (name := schema.get("$ref")) is not None:
        definition = root.get("$defs", {}).get(str(name).rpartition("/")[2])
        if name in seen or definition is None:
            return {ColumnKind.NESTED}
        return _kinds(definition, root, seen | {name})
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return set().union(*(_kinds(one, root, seen) for one in schema[union]))
    if len(schema.get("allOf", ())) == 1:
        return _kinds(schema["allOf"][0], root, seen)
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is not None:
        types = {type(value) for value in values if value is not None}
        return {_KINDS_OF_VALUES.get(one, ColumnKind.NESTED) for one in types}
    named = schema.get("type", "any")
    names = [named] if isinstance(named, str) else named
    return {_KINDS.get(one, ColumnKind.NESTED) for one in names if one != "null"}


_READY = {ColumnKind.TEXT: str, ColumnKind.NUMBER: float, ColumnKind.FLAG: bool}
"""The types whose values are in a column as they are."""


# Values ---------------------------------------------------------------------------------------------


def values_of(
    outcomes: Iterable[Outcome | None], columns: Sequence[ResultColumn]
) -> dict[str, list[Any]]:
    """Return the values of the new columns for rows in order.

    A value that does not fit its column, such as a number of 30 digits, becomes ``None``, and the
    row's error says so: the type of a column does not depend on the answers.

    Args:
        outcomes: What became of each row; None for a row that the batch has not come to.
        columns: The columns, as :func:`columns_of` gives them.
    """
    *others, error = columns
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    filled = [
        (column, column.of, _READY.get(column.kind), values[column.name].append)
        for column in others
    ]
    add_error = values[error.name].append
    for outcome in map(_or_not_sent, outcomes):
        problems: list[str] = []
        for column, of, ready, add in filled:
            value = of(outcome)
            if value is not None and type(value) is not ready:
                try:
                    value = _fitting(value, column.kind)
                except (TypeError, ValueError, OverflowError):
                    problems.append(_misfit(column, value))
                    value = None
            add(value)
        add_error(str(joined(outcome.error, *problems)) if problems else error.of(outcome))
    return values


def _or_not_sent(outcome: Outcome | None) -> Outcome:
    return Outcome(error=say("rows.not_sent")) if outcome is None else outcome


def _misfit(column: ResultColumn, value: Any) -> str:
    try:
        shown = cut(repr(value), _LONGEST_SHOWN)
    except (ValueError, RecursionError):  # a number of too many digits; lists that are too deep
        shown = type(value).__name__
    return say(
        "rows.value_does_not_fit", name=repr(column.name), value=shown, kind=column.kind.label
    )


def _fitting(value: Any, kind: ColumnKind) -> Any:
    """Return a value as its column has it.

    Raises:
        TypeError, ValueError, OverflowError: It does not fit.
    """
    if kind is ColumnKind.TEXT:
        return as_text(value)
    if kind is ColumnKind.NESTED:
        if _is_deeper(value, DEEPEST):
            raise ValueError
        return value
    if kind is ColumnKind.FLAG or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    if kind is ColumnKind.NUMBER:
        return float(value)
    if value != int(value) or abs(value) > _LARGEST_INTEGER:
        raise ValueError
    return int(value)


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether lists and dicts are nested deeper than a number of levels."""
    if not isinstance(value, (list, dict)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def json_text(value: Any) -> str:
    """Return a value as JSON text in UTF-8; what JSON does not know becomes text, NaN becomes null."""
    try:
        return msgspec.json.encode(value, enc_hook=_jsonable).decode()
    except UnicodeEncodeError:  # half of a character
        return without_surrogates(json.dumps(value, ensure_ascii=False, default=str))
    # The object is the user's: too large, too deep, or its `__str__` raises anything.
    except Exception:  # noqa: BLE001
        try:
            text = without_surrogates(as_text(value))
        except Exception:  # noqa: BLE001
            text = f"<{type(value).__name__}>"
        return json.dumps(text, ensure_ascii=False)


def _jsonable(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


# The frame ------------------------------------------------------------------------------------------


def build(rows: Rows, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]) -> Any:
    """Return the input's rows with the new columns, in the same order, as the same type.

    - pandas: the index is kept; text is ``string``, numbers are ``Int64`` and ``Float64``, flags
      are ``boolean``, lists and dicts are objects.
    - polars and Arrow: lists and dicts are JSON text, for their structure differs by row.
    - A list or an iterable gives a list of new dicts; of an iterable, the rows that were read.
    - A file gives a pandas DataFrame, or a list of dicts where pandas is not installed.

    Args:
        rows: The input.
        columns: The new columns.
        values: The values of each. Rows behind their end have not been sent, and their error says so.

    Raises:
        UsageError: A file no longer has its rows.
    """
    if rows.kind in ("parquet", "csv"):
        return _from_file(rows, columns, values)
    if isinstance(rows, StreamRows):
        return _dicts(rows.read, columns, filled_up(values, columns, len(rows.read)))
    make = {"pandas": pandas_with_columns, "polars": _polars, "pyarrow": _arrow, "list": _dicts}[
        rows.kind
    ]
    return make(rows.data, columns, filled_up(values, columns, rows.count or 0))


def filled_up(
    values: Mapping[str, list[Any]], columns: Sequence[ResultColumn], count: int
) -> Mapping[str, list[Any]]:
    """Return the values of columns for a number of rows; those at the end have not been sent."""
    number = count - len(values[columns[-1].name])
    if number <= 0:
        return values
    rest = values_of([None], columns)
    return {name: [*found, *rest[name] * number] for name, found in values.items()}


def pandas_with_columns(
    frame: Any, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]
) -> Any:
    """Return a pandas DataFrame with new columns; see `build`."""
    pandas = import_module("pandas")
    types = {
        # The Python string type shares the text with the answers, and allows lone surrogates.
        ColumnKind.TEXT: pandas.StringDtype("python"),
        ColumnKind.INTEGER: "Int64",
        ColumnKind.NUMBER: "Float64",
        ColumnKind.FLAG: "boolean",
    }
    result = frame.copy()
    if type(result.columns).__name__ in ("CategoricalIndex", "IntervalIndex"):
        result.columns = result.columns.astype(object)  # so that it takes new names
    for column in columns:
        found = values[column.name]
        if column.kind is ColumnKind.NESTED:
            array = _objects(found)
        else:
            array = pandas.array(found, dtype=types[column.kind])
        rest = [""] * (result.columns.nlevels - 1)
        name = (column.name, *rest) if rest else column.name
        result.insert(len(result.columns), name, array)
    return result


def _objects(values: list[Any]) -> Any:
    """Return an array of objects; NumPy would make a table of lists of one length."""
    numpy = import_module("numpy")
    array = numpy.empty(len(values), dtype=object)
    for at, value in enumerate(values):
        array[at] = value
    return array


def _polars(frame: Any, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]) -> Any:
    polars = import_module("polars")
    types = {
        ColumnKind.TEXT: polars.String,
        ColumnKind.INTEGER: polars.Int64,
        ColumnKind.NUMBER: polars.Float64,
        ColumnKind.FLAG: polars.Boolean,
        ColumnKind.NESTED: polars.String,
    }
    return frame.with_columns(
        polars.Series(column.name, in_utf8(values[column.name], column.kind), types[column.kind])
        for column in columns
    )


def _arrow(table: Any, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]) -> Any:
    pyarrow = import_module("pyarrow")
    for field in arrow_fields(columns):
        kind = next(column.kind for column in columns if column.name == field.name)
        array = pyarrow.array(in_utf8(values[field.name], kind), type=field.type)
        table = table.append_column(field, array)
    return table


def arrow_fields(columns: Sequence[ResultColumn]) -> list[Any]:
    """Return the Arrow fields of new columns."""
    pyarrow = import_module("pyarrow")
    types = {
        ColumnKind.TEXT: pyarrow.string(),
        ColumnKind.INTEGER: pyarrow.int64(),
        ColumnKind.NUMBER: pyarrow.float64(),
        ColumnKind.FLAG: pyarrow.bool_(),
        ColumnKind.NESTED: pyarrow.string(),
    }
    return [pyarrow.field(column.name, types[column.kind]) for column in columns]


def in_utf8(values: list[Any], kind: ColumnKind) -> list[Any]:
    """Return the values of a column for a library that has text in UTF-8 and no nested values."""
    if kind is ColumnKind.TEXT:
        return [None if value is None else utf8(value) for value in values]
    if kind is ColumnKind.NESTED:
        return [None if value is None else json_text(value) for value in values]
    return values


def _dicts(
    rows: Iterable[Mapping[Any, Any]],
    columns: Sequence[ResultColumn],
    values: Mapping[str, list[Any]],
) -> list[dict[Any, Any]]:
    names = [column.name for column in columns]
    results = []
    for row, *new in zip(rows, *(values[name] for name in names), strict=True):
        result = dict(row)
        for name, value in zip(names, new, strict=True):
            if name in result:  # only in a later row of an iterable, with more keys than the first
                result[_free(f"{name}_", row)] = result[name]
            result[name] = value
        results.append(result)
    return results


def _free(name: str, row: Mapping[Any, Any]) -> str:
    return _free(f"{name}_", row) if name in row else name


def _from_file(rows: Rows, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]) -> Any:
    read: dict[str, list[Any]] = {name: [] for name in rows.columns}
    for part in rows.slices(rows.columns):
        for name, found in part.values.items():
            read[name] += found
    count = rows.count or 0
    if len(values[columns[-1].name]) > count:
        raise UsageError(say("rows.file_changed", file=rows.data))
    values = filled_up(values, columns, count)
    try:
        pandas = import_module("pandas")
    except ImportError:
        every = zip(*read.values(), strict=True)
        return _dicts([dict(zip(read, row, strict=True)) for row in every], columns, values)
    if rows.kind == "parquet":
        # Reading it again keeps the index and the types that the file has for pandas.
        return pandas_with_columns(
            pandas.read_parquet(rows.data, engine="pyarrow"), columns, values
        )
    text = pandas.StringDtype("python")
    arrays = {name: pandas.array(found, dtype=text) for name, found in read.items()}
    return pandas_with_columns(pandas.DataFrame(arrays), columns, values)
