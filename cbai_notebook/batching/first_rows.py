"""The first rows of an input, to try a prompt with."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from cbai_notebook.batching.plain_rows import StreamRows
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.batching.table_files import ParquetRows


def first_rows(data: Any, count: int) -> Any:
    """Return the first rows of what `rows_of` takes, as the type that a batch of all would return.

    Of an iterable no more than these are read.

    Args:
        data: The rows.
        count: How many, at least 1.

    Raises:
        UsageError: These are no rows, or a file cannot be read.
    """
    rows = rows_of(data)
    if rows.kind in ("pandas", "polars"):
        return data.head(count)
    if rows.kind == "dask":
        return data.head(count, npartitions=-1, compute=False)
    if rows.kind == "pyarrow":
        return data.slice(0, count)
    if rows.kind == "list":
        return list(data[:count])
    if isinstance(rows, StreamRows):
        next(rows.slices((), count), None)
        return list(rows.read)
    has_pandas = find_spec("pandas") is not None
    if isinstance(rows, ParquetRows) and has_pandas:
        batch = next(rows.batches(count), None)
        # With the index and the types that the file has for pandas.
        return (rows.schema.empty_table() if batch is None else batch).to_pandas()
    part = next(rows.slices(rows.columns, count), None)
    values = {name: [] for name in rows.columns} if part is None else part.values
    if has_pandas:
        pandas = import_module("pandas")
        return pandas.DataFrame(values, dtype=pandas.StringDtype("python"))
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
