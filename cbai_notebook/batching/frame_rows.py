"""The rows of frames: pandas, polars, Arrow and dask. Nothing is imported; the frame brings its library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, ClassVar

from cbai_notebook.batching.row_slice import SLICE_ROWS, Kind, Rows, RowSlice, cleaned


class _FrameRows(Rows):
    """The rows of a frame whose columns can be cut into slices."""

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        cuts = [(name, *self._column(self.columns.index(name))) for name in dict.fromkeys(used)]
        total = self.count or 0
        for start in range(0, total, size):
            end = min(start + size, total)
            values = {name: cleaned(cut(start, end), kind) for name, cut, kind in cuts}
            yield RowSlice(start, end - start, values)

    def missing(self, used: Sequence[str]) -> dict[str, int]:
        found = {name: self._missing(self.columns.index(name)) for name in used}
        return {name: number for name, number in found.items() if number}

    def _column(self, at: int) -> tuple[Callable[[int, int], list[Any]], str]:
        """Return a function from two positions to the values between them, and the type's name."""
        raise NotImplementedError

    def _missing(self, at: int) -> int:
        raise NotImplementedError


class PandasRows(_FrameRows):
    """The rows of a pandas DataFrame."""

    kind: ClassVar[Kind] = "pandas"

    def __init__(self, frame: Any) -> None:
        super().__init__(frame, frame.columns, len(frame))

    @property
    def taken(self) -> tuple[str, ...]:
        # With several levels, the name of a new column is one of the first level.
        return (*self.columns, *map(str, self.data.columns.get_level_values(0)))

    def _column(self, at: int) -> tuple[Callable[[int, int], list[Any]], str]:
        series = self.data.iloc[:, at]

        def cut(start: int, end: int) -> list[Any]:
            values: list[Any] = series.iloc[start:end].tolist()
            return values

        return cut, str(series.dtype)

    def _missing(self, at: int) -> int:
        return int(self.data.iloc[:, at].isna().sum())


class PolarsRows(_FrameRows):
    """The rows of a polars DataFrame."""

    kind: ClassVar[Kind] = "polars"

    def __init__(self, frame: Any) -> None:
        super().__init__(frame, frame.columns, frame.height)

    def _column(self, at: int) -> tuple[Callable[[int, int], list[Any]], str]:
        series = self.data.to_series(at)

        def cut(start: int, end: int) -> list[Any]:
            values: list[Any] = series.slice(start, end - start).to_list()
            return values

        return cut, str(series.dtype)

    def _missing(self, at: int) -> int:
        series = self.data.to_series(at)
        nans = int(series.is_nan().sum() or 0) if series.dtype.is_float() else 0
        return int(series.null_count()) + nans


class ArrowRows(_FrameRows):
    """The rows of a pyarrow Table."""

    kind: ClassVar[Kind] = "pyarrow"

    def __init__(self, table: Any) -> None:
        super().__init__(table, table.column_names, table.num_rows)

    def _column(self, at: int) -> tuple[Callable[[int, int], list[Any]], str]:
        column = self.data.column(at)

        def cut(start: int, end: int) -> list[Any]:
            values: list[Any] = column.slice(start, end - start).to_pylist()
            return values

        return cut, str(column.type)

    def _missing(self, at: int) -> int:
        column = self.data.column(at)
        nulls = int(column.null_count)
        if str(column.type) not in ("halffloat", "float", "double"):
            return nulls
        compute = import_module("pyarrow.compute")
        return nulls + int(compute.sum(compute.is_nan(column)).as_py() or 0)


class DaskRows(Rows):
    """The rows of a dask DataFrame.

    One partition at a time is computed, by the client of this process or else by dask's own threads.

    Attributes:
        lengths: The numbers of rows of the partitions that were read, by the partitions' numbers.
    """

    kind: ClassVar[Kind] = "dask"
    is_slow: ClassVar[bool] = True

    def __init__(self, frame: Any) -> None:
        super().__init__(frame, frame.columns, None)
        self.lengths: dict[int, int] = {}

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        labels = [self.data.columns[self.columns.index(name)] for name in dict.fromkeys(used)]
        start = 0
        for number, part in enumerate(self.data[labels].to_delayed()):
            rows = PandasRows(part.compute())
            self.lengths[number] = length = rows.count or 0
            for each in rows.slices(used, size):
                yield RowSlice(start + each.start, each.count, each.values)
            start += length
        self.count = start
