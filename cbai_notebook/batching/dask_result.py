"""The result for a dask DataFrame: one again, with the same partitions and the new columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

from cbai_notebook.batching.frame_rows import DaskRows
from cbai_notebook.batching.result import ResultColumn, pandas_with_columns, values_of
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say


def dask_with_columns(
    rows: DaskRows, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]]
) -> Any:
    """Return a dask DataFrame with new columns and with the same partitions and divisions.

    Args:
        rows: The input.
        columns: The new columns.
        values: The values of each, for the partitions that were read. In the others, the error of
            each row says that it was not sent.
    """
    dask, frames = import_module("dask"), import_module("dask.dataframe")
    unsent = values_of([None], columns)
    # Tasks need only the names and kinds, which are easy to pickle.
    columns = [replace(column, of=_nothing) for column in columns]
    parts, start = [], 0
    for number, part in enumerate(rows.data.to_delayed()):
        if number in rows.lengths:
            end = start + rows.lengths[number]
            own = {name: found[start:end] for name, found in values.items()}
            add = partial(_add_read, columns=columns, values=own, number=number)
            start = end
        else:
            add = partial(_add_unread, columns=columns, unsent=unsent)
        parts.append(dask.delayed(add, pure=False)(part))
    meta = pandas_with_columns(rows.data._meta, columns, {column.name: [] for column in columns})
    return frames.from_delayed(parts, meta=meta, divisions=rows.data.divisions)


def _nothing(outcome: Any) -> None:
    return None


def _add_read(
    frame: Any, *, columns: Sequence[ResultColumn], values: Mapping[str, list[Any]], number: int
) -> Any:
    """Return a partition with its new columns.

    Raises:
        UsageError: It no longer has its rows.
    """
    if len(values[columns[-1].name]) != len(frame):
        raise UsageError(say("rows.file_changed", file=say("rows.partition", number=number)))
    return pandas_with_columns(frame, columns, values)


def _add_unread(
    frame: Any, *, columns: Sequence[ResultColumn], unsent: Mapping[str, list[Any]]
) -> Any:
    values = {name: found * len(frame) for name, found in unsent.items()}
    return pandas_with_columns(frame, columns, values)
