"""Convert DataFrames and Series to Markdown tables. Imports neither pandas nor polars."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

DEFAULT_ROWS = 20
"""The default number of a table's rows in a prompt."""

_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def is_table(value: object) -> bool:
    """Return whether `value` is a DataFrame or Series of pandas or polars, or of a subclass."""
    return _family(value) is not None


def markdown_table(value: Any, rows: int = DEFAULT_ROWS) -> str:
    """Return a DataFrame or Series as a Markdown table, cut at a number of rows.

    An index that only counts from 0 is omitted. Missing values are empty cells; pipes and line ends
    inside a cell are escaped as in GitHub's tables (GFM 4.10).

    Args:
        value: A value for which :func:`is_table` is true.
        rows: The most rows, 0 or more; if there are more, a last line gives the number of the
            others.

    Raises:
        TypeError: The value is no table.
    """
    family = _family(value)
    if family is None:
        raise TypeError(f"{type(value).__name__} is no table")
    library, kind = family
    total = len(value)
    header, body = (_pandas if library == "pandas" else _polars)(value.head(rows), kind)
    if not header:
        return f"(a table of {total} rows and no columns)"
    lines = [_line(header), _line(["---"] * len(header)), *(_line(cells) for cells in body)]
    table = "\n".join(lines)
    if total <= rows:
        return table
    return f"{table}\n\n({total - rows} more rows left out; these are the first {rows} of {total}.)"


def _family(value: object) -> tuple[str, str] | None:
    """Return the library and the kind, such as ``("pandas", "Series")``."""
    for base in type(value).__mro__:
        library = base.__module__.partition(".")[0]
        if library in ("pandas", "polars") and base.__name__ in ("DataFrame", "Series"):
            return library, base.__name__
    return None


def _pandas(head: Any, kind: str) -> tuple[list[object], Iterator[Sequence[object]]]:
    frame = (
        head if kind == "DataFrame" else head.to_frame("value" if head.name is None else head.name)
    )
    index = frame.index
    counts = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
    header = [_heading(column) for column in frame.columns]
    body = frame.itertuples(index=False, name=None)
    if not header or (counts and index.name is None):
        return header, body
    names = ["" if name is None else name for name in index.names]
    levels = (key if len(names) > 1 else (key,) for key in index)
    return [*names, *header], ((*level, *row) for level, row in zip(levels, body, strict=True))


def _polars(head: Any, kind: str) -> tuple[list[object], Iterator[Sequence[object]]]:
    frame = head if kind == "DataFrame" else head.rename(head.name or "value").to_frame()
    return list(frame.columns), iter(frame.rows())


def _heading(column: object) -> object:
    """Return the name of a column; the levels of a MultiIndex are joined."""
    return " / ".join(str(level) for level in column) if isinstance(column, tuple) else column


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


_MISSING = frozenset({"None", "nan", "NaN", "NaT", "<NA>"})


def _cell(value: object) -> str:
    text = str(value)
    if not isinstance(value, str) and text in _MISSING:
        return ""
    return _LINE_ENDS.sub("<br>", text.strip().replace("|", "\\|"))
