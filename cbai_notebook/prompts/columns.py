"""Convert the values of a table's column to texts that suit each other."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import ge, le
from typing import NamedTuple

from cbai_notebook.prompts.numbers import ALL_DIGITS, number_text, widened

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
    floats = [_float(value, column.kind) for value in column.values]
    numbers = {number for number in floats if number is not None}
    if column.names_rows or _in_order([number for number in floats if number is not None]):
        digits = _digits_that_differ(numbers, digits)
    written = {number: number_text(number, digits) for number in numbers}
    found = [
        _text(value) if number is None else written[number]
        for value, number in zip(column.values, floats, strict=True)
    ]
    rounded = any(float(text) != number for number, text in written.items())
    return Texts(_without_midnight(column.values, found), rounded)


def _float(value: object, kind: str) -> float | None:
    """Return a finite float as a Python float, and None for any other value."""
    of_type = type(value)
    code = "" if of_type is float else _FLOATS.get((of_type.__module__, of_type.__name__))
    if code is None:
        return None
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        return None
    code = code or _NARROW.get(kind)
    return widened(number, code) if code and not number.is_integer() else number


def _in_order(numbers: list[float]) -> bool:
    return all(map(le, numbers, numbers[1:])) or all(map(ge, numbers, numbers[1:]))


def _digits_that_differ(numbers: set[float], digits: int) -> int:
    """Return the fewest digits, from `digits` on, with which no two numbers have the same text."""
    return next(
        (
            more
            for more in range(digits, ALL_DIGITS)
            if len({number_text(number, more) for number in numbers}) == len(numbers)
        ),
        max(digits, ALL_DIGITS),
    )


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
