"""Find out what the rows of a batch are: a frame, a list, an iterable or a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from cbai_notebook.batching.frame_rows import ArrowRows, DaskRows, PandasRows, PolarsRows
from cbai_notebook.batching.plain_rows import ListRows, StreamRows
from cbai_notebook.batching.row_slice import SLICE_ROWS, Kind, Rows, RowSlice
from cbai_notebook.batching.table_files import file_rows
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import Words, say

__all__ = ["SLICE_ROWS", "Kind", "RowSlice", "Rows", "rows_of"]

_FRAMES = {
    ("pandas", "DataFrame"): PandasRows,
    ("polars", "DataFrame"): PolarsRows,
    ("pyarrow", "Table"): ArrowRows,
    ("dask", "DataFrame"): DaskRows,
}


def rows_of(data: Any) -> Rows:
    """Return the rows of an input; the values are not read yet.

    Args:
        data: A DataFrame of pandas, polars or dask, a pyarrow Table, a list of dicts, any other iterable
            of dicts, or the path of a ``.parquet`` or ``.csv`` file.

    Raises:
        MissingDependencyError: A Parquet file needs pyarrow.
        UsageError: It is something else, two columns have one name, or the file cannot be read.
    """
    for base in type(data).__mro__:
        if found := _FRAMES.get((base.__module__.partition(".")[0], base.__name__)):
            return found(data)
    if isinstance(data, (str, os.PathLike)):
        return file_rows(data)
    if problem := _problem(data):
        raise UsageError(problem)
    if isinstance(data, (list, tuple)):
        return ListRows(data)
    return StreamRows(data)


def _problem(data: Any) -> Words | None:
    """Return why something gives no rows and what to give instead, or None for an iterable."""
    library, name = type(data).__module__.partition(".")[0], type(data).__name__
    if name == "LazyFrame":
        return say("rows.is_lazy")
    if library.startswith("dask"):
        return say("rows.is_dask")
    if library == "narwhals":
        return say("rows.is_narwhals")
    if name == "Series":
        return say("rows.is_series")
    if isinstance(data, Mapping):
        return say("rows.is_mapping", kind=name)
    if isinstance(data, (bytes, bytearray)) or name == "ndarray" or not isinstance(data, Iterable):
        return say("rows.is_unknown", kind=name)
    return None
