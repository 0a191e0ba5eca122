"""A list of message records that can be looked at and taken to a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from cbai_notebook.conversation.frames.to_frame import to_native, to_pandas

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

SHOWN_ROWS = 20
"""The rows that a printed table has at most: the last ones, which is where a conversation is at."""

_SHOWN = ("turn", "role", "content", "model", "status", "total_tokens")
_NUMBERS = ("turn", "total_tokens")
_CHARS = {"html": 200, "text": 60}


class Records(list[dict[str, Any]]):
    """Messages as flat dicts with the same keys in each: a list, and more.

    Shown in a notebook it is a table; a slice of it is of the same kind.
    """

    def to_pandas(self) -> pd.DataFrame:
        """Return the records as a pandas DataFrame with proper types; see :func:`frames.to_pandas`.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return to_pandas(self)

    def to_polars(self) -> pl.DataFrame:
        """Return the records as a polars DataFrame; see :func:`frames.to_native`.

        Raises:
            MissingDependencyError: narwhals or polars is not installed.
        """
        frame: pl.DataFrame = to_native(self, "polars")
        return frame

    def to_arrow(self) -> pa.Table:
        """Return the records as a pyarrow Table; see :func:`frames.to_native`.

        Raises:
            MissingDependencyError: narwhals or pyarrow is not installed.
        """
        table: pa.Table = to_native(self, "pyarrow")
        return table

    @overload
    def __getitem__(self, index: SupportsIndex) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Records: ...

    def __getitem__(self, index: SupportsIndex | slice) -> dict[str, Any] | Records:
        if isinstance(index, slice):
            return Records(super().__getitem__(index))
        return super().__getitem__(index)

    def __repr__(self) -> str:
        if not self:
            return "<no messages>"
        rows = [f"{row['role']:>9}  {row['content']}" for row in self._cells("text")]
        return "\n".join([f"<{self._count()}>", *rows])

    def _repr_html_(self) -> str:
        def line(tag: str, cells: Mapping[str, str]) -> str:
            # Jupyter puts every cell to the right, which is for numbers.
            sides = {name: "right" if name in _NUMBERS else "left" for name in cells}
            each = (
                f'<{tag} style="text-align:{sides[name]}">{escape(cell)}</{tag}>'
                for name, cell in cells.items()
            )
            return f"<tr>{''.join(each)}</tr>"

        body = [line("td", row) for row in self._cells("html")]
        head = line("th", dict(zip(_SHOWN, _SHOWN, strict=True)))
        return (
            '<div class="cbai-records mathjax_ignore tex2jax_ignore">'
            f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"
            f"<p>{self._count()}</p></div>"
        )

    def _count(self) -> str:
        whole = f"{len(self):,} message{'' if len(self) == 1 else 's'}"
        return f"{whole}; the last {SHOWN_ROWS}" if len(self) > SHOWN_ROWS else whole

    def _cells(self, form: Literal["html", "text"]) -> Iterator[dict[str, str]]:
        for record in list.__getitem__(self, slice(-SHOWN_ROWS, None)):
            yield {name: one_line(record.get(name), _CHARS[form]) for name in _SHOWN}


def one_line(value: object, chars: int) -> str:
    """Return a value as one short line without characters that steer or reorder what is read."""
    # A few times the length is enough to fill the line, however many blanks are in it.
    text = "" if value is None else str(value)[: 4 * chars]
    seen = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(seen.split())
    whole = len(line) <= chars and (value is None or len(str(value)) <= 4 * chars)
    return line if whole else f"{line[: chars - 1]}…"
