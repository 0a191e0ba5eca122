"""Convert DataFrames and Series to Markdown tables. Imports neither pandas nor polars."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.columns import Column, Texts, texts
from cbai_notebook.prompts.numbers import ALL_DIGITS
from cbai_notebook.text import counted

DEFAULT_LIMITS = Preferences()
"""The limits of a table in a prompt by default."""

_MORE = "…"
"""The heading and the cells of a column that stands for those that were left out."""


class MarkdownTable(NamedTuple):
    """A table as text.

    Attributes:
        text: The table in Markdown.
        rounded: Whether a number in it lost digits.
        columns: The number of the DataFrame's columns, also of those that were left out.
    """

    text: str
    rounded: bool
    columns: int


def is_table(value: object) -> bool:
    """Return whether `value` is a DataFrame or Series of pandas or polars, or of a subclass."""
    return _family(value) is not None


def markdown_table(
    value: Any,
    limits: Preferences = DEFAULT_LIMITS,
    *,
    screen: Callable[[str, Column], Column | None] | None = None,
) -> MarkdownTable:
    """Return a DataFrame or Series as a Markdown table, cut at a number of rows and columns.

    An index that only counts from 0 is omitted. :func:`.columns.texts` describes the cells. If
    rows or columns are left out, a line below gives their number, and a last column of "…" stands
    for the columns. Only what is shown is converted.

    Args:
        value: A value for which :func:`is_table` is true.
        limits: The most rows and columns, and the digits of numbers.
        screen: Returns what is shown of a column, or of a level of the index, with this heading;
            None leaves it out.

    Raises:
        TypeError: The value is no table.
    """
    family = _family(value)
    if family is None:
        raise TypeError(f"{type(value).__name__} is no table")
    library, kind = family
    rows = len(value)
    head = value.head(limits.table_rows)
    if library == "pandas":
        frame = head if kind == "DataFrame" else head.to_frame(_name(head))
    else:
        frame = head if kind == "DataFrame" else head.rename(_name(head)).to_frame()
    width = len(frame.columns)
    headings, columns = (_pandas if library == "pandas" else _polars)(frame, limits.table_columns)
    if screen is not None:
        screened = [
            (name, screen(name, column)) for name, column in zip(headings, columns, strict=True)
        ]
        headings = [name for name, column in screened if column is not None]
        columns = [column for _, column in screened if column is not None]
    cells = [texts(column, limits.table_digits) for column in columns]
    if width > limits.table_columns:
        headings.append(_MORE)
        cells.append(Texts([_MORE] * min(rows, limits.table_rows), False))
    if not width or not headings:
        return MarkdownTable(f"(a table of {counted(rows, 'row')} and no columns)", False, width)
    lines = [
        _line(headings),
        _line(["---"] * len(headings)),
        *map(_line, zip(*(column.texts for column in cells), strict=True)),
    ]
    return MarkdownTable(
        "\n".join(lines)
        + _left_out("row", rows, limits.table_rows)
        + _left_out("column", width, limits.table_columns),
        any(column.rounded for column in cells),
        width,
    )


def _left_out(noun: str, number: int, most: int) -> str:
    """Return the line below a table from which rows or columns were left out, or ``""``."""
    if number <= most:
        return ""
    rest = f"{counted(number - most, f'more {noun}')} left out"
    return f"\n\n({rest}; these are the first {most:,} of {number:,}.)"


def _family(value: object) -> tuple[str, str] | None:
    """Return the library and the kind, such as ``("pandas", "Series")``."""
    for base in type(value).__mro__:
        library = base.__module__.partition(".")[0]
        if library in ("pandas", "polars") and base.__name__ in ("DataFrame", "Series"):
            return library, base.__name__
    return None


def _name(series: Any) -> Any:
    return "value" if series.name is None or series.name == "" else series.name


def _pandas(frame: Any, most: int) -> tuple[list[str], list[Column]]:
    kinds: dict[object, str] = {}  # the name of a type is slow to get
    columns = []
    for name, values in islice(frame.items(), most):
        if values.dtype not in kinds:
            kinds[values.dtype] = str(values.dtype)
        columns.append(Column.named(name, values.tolist(), kinds[values.dtype]))
    headings = _headings(frame.columns[:most])
    index = frame.index
    counts = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
    if counts and index.name is None:
        return headings, columns
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    return (
        [*_headings(index.names), *headings],
        [
            *(Column(level.tolist(), str(level.dtype), names_rows=True) for level in levels),
            *columns,
        ],
    )


def _polars(frame: Any, most: int) -> tuple[list[str], list[Column]]:
    columns = [
        Column.named(series.name, series.to_list(), str(series.dtype))
        for series in frame.get_columns()[:most]
    ]
    return _headings(frame.columns[:most]), columns


def _headings(names: Iterable[object]) -> list[str]:
    """Return the names of columns; the levels of a MultiIndex are joined."""
    levels = [name if isinstance(name, tuple) else (name,) for name in names]
    flat = Column([level for name in levels for level in name], names_rows=True)
    written = iter(texts(flat, ALL_DIGITS).texts)
    return [" / ".join(next(written) for _ in name) for name in levels]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
