"""Write the result of a batch to a Parquet, CSV or JSON Lines file while it comes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from cbai_notebook.batching.frame_rows import PandasRows
from cbai_notebook.batching.plain_rows import StreamRows
from cbai_notebook.batching.result import ResultColumn, arrow_fields, build, in_utf8, json_text
from cbai_notebook.batching.row_slice import Rows
from cbai_notebook.batching.table_files import ParquetRows, parquet_module
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded, temporary_path
from cbai_notebook.i18n import listed, say
from cbai_notebook.prompts.values import as_text
from cbai_notebook.text import without_surrogates

Values = Mapping[str, list[Any]]


class Writer:
    """Writes the input's rows with the new columns, in the input's order, part by part.

    The file gets its name when it is complete; until then a file of that name is unchanged. After a
    failure, what has been written is kept beside it, with ``.partial`` behind its name. As a context
    manager it calls :meth:`finish`, or :meth:`abandon` after an exception.

    Args:
        path: The path of a ``.parquet``, ``.csv`` or ``.ndjson`` file.
        rows: The input.
        columns: The new columns.

    Raises:
        MissingDependencyError: A Parquet file needs pyarrow.
        UsageError: The path is no such file or is that of the input, names clash, or the rows do not
            fit into such a file.
        OSError: The file cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], rows: Rows, columns: Sequence[ResultColumn]
    ) -> None:
        self.path = expanded(path).absolute()
        self._last = columns[-1].name
        suffix = self.path.suffix.lower()
        if suffix not in _FILES:
            known = listed(_FILES, last="or")
            raise UsageError(say("rows.not_an_output", path=repr(str(path))[:200], known=known))
        if rows.kind == "dask":
            raise UsageError(say("rows.dask_writes_itself", example=".to_parquet(…)"))
        if rows.kind in ("parquet", "csv") and rows.data.absolute() == self.path:
            raise UsageError(say("rows.output_is_input", path=str(self.path)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = temporary_path(self.path)
        try:
            self._file = _FILES[suffix](self._temporary, rows, columns)
        except BaseException:
            self._temporary.unlink(missing_ok=True)
            raise

    @property
    def partial_path(self) -> Path:
        """Where an incomplete file is kept after a failure."""
        return self.path.with_name(f"{self.path.name}.partial")

    def write(self, values: Values) -> None:
        """Write the next rows.

        Args:
            values: The values of each new column, as many for each.

        Raises:
            UsageError: The input has no such rows any more, or they do not fit into the file.
            OSError: The file cannot be written.
        """
        if count := len(values[self._last]):
            self._file.write(values, count)

    def finish(self) -> Path:
        """Give the complete file its name and return its path.

        Raises:
            OSError: The file cannot be written; what there is of it is kept as after a failure.
        """
        try:
            self._file.close()
            with self._temporary.open("rb+") as file:
                os.fsync(file.fileno())
            self._temporary.replace(self.path)
        except BaseException:
            self.abandon()
            raise
        return self.path

    def abandon(self) -> Path | None:
        """Keep what has been written, and return its path; None if nothing could be kept."""
        with contextlib.suppress(Exception):  # such as a disk that is full
            self._file.close()
        try:
            self._temporary.replace(self.partial_path)
        except OSError:
            return None
        return self.partial_path

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()


class _File(Protocol):
    """A file of one kind that is being written."""

    def write(self, values: Values, count: int) -> None: ...
    def close(self) -> None: ...


# Text files -----------------------------------------------------------------------------------------


class _Input:
    """The input's rows once more, in parts of any size.

    Attributes:
        names: The columns; for pandas, those of an index that does not only count from 0 come first.
    """

    def __init__(self, rows: Rows, columns: Sequence[ResultColumn]) -> None:
        self._rows = _with_index(rows) if isinstance(rows, PandasRows) else rows
        self.names = self._rows.columns
        _check_names(self.names, columns)
        self._waiting: dict[str, list[Any]] = {name: [] for name in self.names}
        self._slices = None if isinstance(rows, StreamRows) else self._rows.slices(self.names)
        self._count = 0

    def take(self, count: int) -> dict[str, list[Any]]:
        """Return the values of the next rows.

        Raises:
            UsageError: There are fewer.
        """
        while self._count < count:
            number, values = self._more()
            for name, found in values.items():
                self._waiting[name] += found
            self._count += number
        taken = {name: values[:count] for name, values in self._waiting.items()}
        self._waiting = {name: values[count:] for name, values in self._waiting.items()}
        self._count -= count
        return taken

    def _more(self) -> tuple[int, Mapping[str, list[Any]]]:
        if self._slices is not None:
            if (part := next(self._slices, None)) is not None:
                return part.count, part.values
        elif isinstance(self._rows, StreamRows) and self._rows.read:
            part = self._rows.take_read()
            return part.count, part.values
        raise UsageError(say("rows.file_changed", file=self._rows.data))


def _with_index(rows: PandasRows) -> Rows:
    index = rows.data.index
    counts = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
    if counts and index.name is None:
        return rows
    try:
        return PandasRows(rows.data.reset_index())
    except ValueError as error:  # the index has the name of a column
        raise UsageError(say("rows.index_is_a_column", reason=error)) from error


def _check_names(names: Sequence[str], columns: Sequence[ResultColumn]) -> None:
    if clash := [column.name for column in columns if column.name in names]:
        raise UsageError(
            say("rows.column_exists", names=listed(map(repr, clash)), example=repr("v2_"))
        )


class _CsvFile:
    """A CSV file in UTF-8. A missing value and an empty text look the same in it."""

    def __init__(self, path: Path, rows: Rows, columns: Sequence[ResultColumn]) -> None:
        self._input = _Input(rows, columns)
        self._names = [column.name for column in columns]
        self._file = path.open("x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow([_csv_text(name) for name in (*self._input.names, *self._names)])

    def write(self, values: Values, count: int) -> None:
        found = self._input.take(count)
        every = [*found.values(), *(values[name] for name in self._names)]
        self._writer.writerows(zip(*([*map(_csv_text, one)] for one in every), strict=True))

    def close(self) -> None:
        self._file.close()


def _csv_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json_text(value)
    return without_surrogates(value if isinstance(value, str) else _text(value))


def _text(value: Any) -> str:
    try:
        return as_text(value)
    except Exception:  # noqa: BLE001 - the object is the user's, so its `__str__` may raise anything
        return f"<{type(value).__name__}>"


class _JsonlFile:
    """A file with one JSON object a line."""

    def __init__(self, path: Path, rows: Rows, columns: Sequence[ResultColumn]) -> None:
        self._input = _Input(rows, columns)
        self._names = [column.name for column in columns]
        self._keys = [
            json.dumps(without_surrogates(name), ensure_ascii=False)
            for name in (*self._input.names, *self._names)
        ]
        self._file = path.open("x", encoding="utf-8", newline="")

    def write(self, values: Values, count: int) -> None:
        found = self._input.take(count)
        every = [*found.values(), *(values[name] for name in self._names)]
        for row in zip(*every, strict=True):
            members = (
                f"{key}:{json_text(value)}" for key, value in zip(self._keys, row, strict=True)
            )
            self._file.write(f"{{{','.join(members)}}}\n")

    def close(self) -> None:
        self._file.close()


# Parquet --------------------------------------------------------------------------------------------


_GROUP_ROWS = 20_000
_GROUP_BYTES = 4 * 2**20


class _ParquetFile:
    """A Parquet file with the types of the input."""

    def __init__(self, path: Path, rows: Rows, columns: Sequence[ResultColumn]) -> None:
        self._parquet, self._arrow = parquet_module(), import_module("pyarrow")
        self._path, self._columns = path, columns
        self._added = arrow_fields(columns)
        self._writer: Any = None
        self._ready: list[Any] = []
        self._position = 0
        self._rows = _with_text_names(rows) if isinstance(rows, PandasRows) else rows
        self._input = _Input(rows, columns) if rows.kind in ("list", "iterable", "csv") else None
        self._batches = rows.batches(10_000) if isinstance(rows, ParquetRows) else iter(())
        self._waiting: list[Any] = []
        with _fitting_in_parquet():
            self._schema = self._input_schema()
        if self._schema is not None:
            _check_names(self._schema.names, columns)
            self._open()
        else:
            path.touch(exist_ok=False)

    def write(self, values: Values, count: int) -> None:
        with _fitting_in_parquet():
            table = self._take(count)
            if table.num_rows != count:
                raise UsageError(say("rows.file_changed", file=self._rows.data))
            self._position += count
            for column, field in zip(self._columns, self._added, strict=True):
                found = in_utf8(values[column.name], column.kind)
                table = table.append_column(field, self._arrow.array(found, type=field.type))
            if self._writer is None:
                self._open()
            self._ready.append(table.cast(self._writer.schema))
            rows = sum(one.num_rows for one in self._ready)
            if rows >= _GROUP_ROWS or sum(one.nbytes for one in self._ready) >= _GROUP_BYTES:
                self._flush()

    def close(self) -> None:
        if self._writer is None:  # an iterable without rows
            self._schema = self._arrow.schema([])
            self._open()
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        """Write what waits as one row group: a file of many small ones is slow to read."""
        ready, self._ready = self._ready, []
        if ready:
            self._writer.write_table(self._arrow.concat_tables(ready))

    def _open(self) -> None:
        fields = [*self._schema, *self._added]
        schema = self._arrow.schema(fields, metadata=self._metadata())
        self._writer = self._parquet.ParquetWriter(self._path, schema)

    def _metadata(self) -> Any:
        """Return the input's metadata; for pandas also the types of the new columns."""
        metadata = dict(self._schema.metadata or {})
        if isinstance(self._rows, PandasRows):
            empty = PandasRows(self._rows.data.iloc[:0])
            names = [column.name for column in self._columns]
            added = build(empty, self._columns, {name: [] for name in names}).iloc[:, -len(names) :]
            described = json.loads(metadata[b"pandas"])
            more = self._arrow.Schema.from_pandas(added, preserve_index=False).pandas_metadata
            described["columns"] += more["columns"]
            metadata[b"pandas"] = json.dumps(described).encode()
        return metadata

    def _input_schema(self) -> Any:
        """Return the schema of the input's columns; None for an iterable, whose values are unknown."""
        rows = self._rows
        if rows.kind == "pandas":
            return self._arrow.Schema.from_pandas(rows.data)
        if rows.kind == "polars":
            return rows.data.head(0).to_arrow().schema
        if rows.kind == "pyarrow":
            return rows.data.schema
        if isinstance(rows, ParquetRows):
            return rows.schema
        if rows.kind == "csv":
            return self._arrow.schema([(name, self._arrow.string()) for name in rows.columns])
        if rows.kind == "list":
            return self._schema_of(_Input(rows, self._columns).take(rows.count or 0))
        return None

    def _schema_of(self, values: Values) -> Any:
        pyarrow = self._arrow
        types = {name: pyarrow.array(_in_utf8(found)).type for name, found in values.items()}
        null, text = pyarrow.null(), pyarrow.string()
        return pyarrow.schema([(name, text if one == null else one) for name, one in types.items()])

    def _take(self, count: int) -> Any:
        """Return the next rows of the input as an Arrow table."""
        rows, start, end = self._rows, self._position, self._position + count
        if rows.kind == "pandas":
            return self._arrow.Table.from_pandas(rows.data.iloc[start:end], schema=self._schema)
        if rows.kind == "polars":
            return rows.data.slice(start, count).to_arrow()
        if rows.kind == "pyarrow":
            return rows.data.slice(start, count)
        if self._input is not None:
            values = self._input.take(count)
            if self._schema is None:
                self._schema = self._schema_of(values)
            arrays = [
                self._arrow.array(_in_utf8(values[field.name]), type=field.type)
                for field in self._schema
            ]
            return self._arrow.Table.from_arrays(arrays, schema=self._schema)
        return self._from_batches(count)

    def _from_batches(self, count: int) -> Any:
        while sum(batch.num_rows for batch in self._waiting) < count:
            if (batch := next(self._batches, None)) is None:
                break
            self._waiting.append(batch)
        table = self._arrow.Table.from_batches(self._waiting, schema=self._schema)
        self._waiting = table.slice(count).to_batches()
        return table.slice(0, count)


def _with_text_names(rows: PandasRows) -> PandasRows:
    """Return rows whose columns are named by text, as all columns of Arrow are."""
    frame = rows.data
    plain = type(frame.columns).__name__ == "Index"
    if plain and all(isinstance(name, str) for name in frame.columns):
        return rows
    return PandasRows(frame.set_axis(list(rows.columns), axis=1))


def _in_utf8(values: list[Any]) -> list[Any]:
    return [without_surrogates(one) if isinstance(one, str) else one for one in values]


@contextmanager
def _fitting_in_parquet() -> Iterator[None]:
    """Turn the errors of values that Arrow has no type for into ours.

    Raises:
        UsageError: The rows do not fit into a Parquet file.
    """
    try:
        yield
    except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
        raise UsageError(say("rows.not_in_parquet", reason=str(error)[:300].rstrip("."))) from error


_FILES: Mapping[str, Callable[[Path, Rows, Sequence[ResultColumn]], _File]] = {
    ".parquet": _ParquetFile,
    ".csv": _CsvFile,
    ".ndjson": _JsonlFile,
}
"""The kinds of files that can be written."""
