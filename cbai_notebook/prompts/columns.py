"""Convert the values of a table's column to texts that suit each other."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import ge, le
from typing import Any, NamedTuple

from cbai_notebook.prompts.numbers import number_text, widened

_MISSING = frozenset({"None", "nan", "NaN", "NaT", "<NA>"})
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_MIDNIGHT = re.compile(r" 00:00:00$|, 0:00:00$")
_NAME_OF_IDS = re.compile(r"(?i:(?:^|[\W_])id)$|[a-z]I[dD]$")

# The types of floats, each with its format for `struct` if it has fewer than 64 bits.
_FLOATS = {
    ("builtins", "float"): "",
    ("numpy", "float64"): "",
    ("numpy", "float32"): "f",
    ("numpy", "float16"): "e",
}
# The same by the type of a column, where its values are read as Python floats: NumPy, pandas'
# nullable types and polars, and pyarrow.
_NARROW = {
    "float16": "e",
    "Float16": "e",
    "float32": "f",
    "Float32": "f",
    "halffloat[pyarrow]": "e",
    "float[pyarrow]": "f",
    "halffloat": "e",
    "float": "f",
}


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        values: The values.
        kind: The name of the type that all values have, such as ``"float32"``, or ``""``.
        names_rows: Whether the values name the rows, as an index does.
    """

    values: Sequence[object]
    kind: str = ""
    names_rows: bool = False

    @staticmethod
    def named(name: object, values: Sequence[object], kind: str) -> Column:
        """Return a column; one with the name of ids names the rows, and so does a category."""
        names_rows = kind == "category" or bool(_NAME_OF_IDS.search(str(name)))
        return Column(values, kind, names_rows)


class Texts(NamedTuple):
    """The texts of a column's values, and whether a number lost digits."""

    texts: list[str]
    rounded: bool


def texts(column: Column, digits: int) -> Texts:
    """Return the text of each value for a cell of a Markdown table.

    - A missing value is an empty text.
    - Floats are written as :func:`.number_text` describes. If they name the rows or are in order,
      as the times of a measurement are, they get more digits where different ones would look the
      same.
    - Dates and durations are without the time if it is midnight in all of them.
    - Pipes and line ends are escaped as in GitHub's tables (GFM 4.10).
    """
    types = set(map(type, column.values))
    formats = {of_type: _FLOATS.get((of_type.__module__, of_type.__name__)) for of_type in types}
    rounded = False
    if any(format is not None for format in formats.values()):
        numbers = [_number(value, formats[type(value)], column.kind) for value in column.values]
        written = _written([one for one in numbers if one is not None], column.names_rows, digits)
        found = [
            _text(value) if number is None else written[number]
            for value, number in zip(column.values, numbers, strict=True)
        ]
        rounded = any(float(text) != number for number, text in written.items())
    else:
        found = list(map(_text, column.values))
    if any(issubclass(of_type, (datetime, timedelta)) for of_type in types):
        found = _without_midnight(column.values, found)
    return Texts(found, rounded)


def as_64_bits(values: list[Any], kind: str) -> list[Any]:
    """Return the values of a column; floats of fewer bits become their shortest decimals.

    Args:
        values: The values; None for a missing one.
        kind: The name of the type that all values have, as in :class:`Column`.
    """
    if kind not in _NARROW:
        return values
    return [None if value is None else _number(value, "", kind) for value in values]


def _number(value: Any, format: str | None, kind: str) -> float | None:
    """Return a float as a Python float, and None for NaN and any other value."""
    if format is None or value != value:
        return None
    number = float(value)
    format = format or _NARROW.get(kind)
    if not format or number.is_integer() or math.isinf(number):
        return number
    return widened(number, format)


def _written(numbers: list[float], names_rows: bool, digits: int) -> dict[float, str]:
    """Return the text of each number."""
    written = {number: number_text(number, digits) for number in numbers}
    # With all digits no two are the same.
    while len(set(written.values())) < len(written) and (names_rows or _in_order(numbers)):
        digits += 1
        written = {number: number_text(number, digits) for number in written}
    return written


def _in_order(numbers: list[float]) -> bool:
    return all(map(le, numbers, numbers[1:])) or all(map(ge, numbers, numbers[1:]))


def _text(value: object) -> str:
    text = str(value)
    if text in _MISSING and not isinstance(value, str):
        return ""
    return _LINE_ENDS.sub("<br>", text.strip().replace("|", "\\|"))


def _without_midnight(values: Sequence[object], found: list[str]) -> list[str]:
    timed = [isinstance(value, (datetime, timedelta)) for value in values]
    if any(
        is_timed and text and not _MIDNIGHT.search(text)
        for text, is_timed in zip(found, timed, strict=True)
    ):
        return found
    return [
        _MIDNIGHT.sub("", text) if is_timed else text
        for text, is_timed in zip(found, timed, strict=True)
    ]
