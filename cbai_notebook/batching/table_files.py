"""Read the rows of a batch from Parquet and CSV files, part by part."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from cbai_notebook.batching.row_slice import SLICE_ROWS, Kind, Rows, RowSlice, cleaned
from cbai_notebook.conversation.frames.to_frame import import_optional
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import say

_LONGEST_FIELD = (
    2**31 - 1
)  # the csv module's own limit of 131,072 characters is shorter than a report


def file_rows(path: str | os.PathLike[str]) -> Rows:
    """Return the rows of a file.

    Args:
        path: The path of a ``.parquet`` or ``.csv`` file.

    Raises:
        MissingDependencyError: A Parquet file needs pyarrow.
        UsageError: It is no such path, or the file cannot be read.
    """
    found = expanded(path)
    kind = found.suffix.lower()
    if kind == ".parquet":
        return ParquetRows(found)
    if kind == ".csv":
        return CsvRows(found)
    raise UsageError(say("rows.not_a_table_file", path=repr(os.fspath(path))[:200]))


def parquet_module() -> Any:
    """Return the module ``pyarrow.parquet``.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    import_optional("parquet", "pyarrow")
    return import_module("pyarrow.parquet")


class ParquetRows(Rows):
    """The rows of a Parquet file, read in record batches."""

    kind: ClassVar[Kind] = "parquet"

    def __init__(self, path: Path) -> None:
        with _readable(path), parquet_module().ParquetFile(path) as file:
            self.schema = file.schema_arrow
            super().__init__(path, self.schema.names, file.metadata.num_rows)

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        kinds = {name: str(self.schema.field(name).type) for name in used}
        start = 0
        for batch in self.batches(size, used):
            values = {
                name: cleaned(batch.column(name).to_pylist(), kind) for name, kind in kinds.items()
            }
            yield RowSlice(start, batch.num_rows, values)
            start += batch.num_rows

    def batches(self, size: int, used: Sequence[str] | None = None) -> Iterator[Any]:
        """Yield record batches of at most `size` rows, with all columns or the used ones.

        Raises:
            UsageError: The file cannot be read.
        """
        names = None if used is None else list(used)
        with _readable(self.data), parquet_module().ParquetFile(self.data) as file:
            if file.schema_arrow.names != self.schema.names:
                raise UsageError(say("rows.file_changed", file=self.data))
            yield from file.iter_batches(batch_size=size, columns=names)


class CsvRows(Rows):
    """The rows of a CSV file in UTF-8. All values are text as written; an empty one is missing.

    The number of rows is known when all have been read.
    """

    kind: ClassVar[Kind] = "csv"

    def __init__(self, path: Path) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
        with _readable(path), path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), None)
        if not names:
            raise UsageError(say("rows.file_without_columns", file=path))
        super().__init__(path, names, None)

    def slices(self, used: Sequence[str], size: int = SLICE_ROWS) -> Iterator[RowSlice]:
        at = {name: self.columns.index(name) for name in used}
        start = 0
        with _readable(self.data):
            rows = self._rows()
            while part := list(islice(rows, size)):
                values = {
                    name: [row[column] or None for row in part] for name, column in at.items()
                }
                yield RowSlice(start, len(part), values)
                start += len(part)
        self.count = start

    def _rows(self) -> Iterator[list[str]]:
        width = len(self.columns)
        with self.data.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            if next(reader, None) != list(self.columns):
                raise UsageError(say("rows.file_changed", file=self.data))
            for row in reader:
                if len(row) > width:
                    raise UsageError(
                        say("rows.line_too_long", file=self.data, line=reader.line_num)
                    )
                if row:  # the module yields an empty list for a blank line
                    yield row + [""] * (width - len(row))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading a file into ours.

    Raises:
        UsageError: The file cannot be read.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise UsageError(say("rows.file_not_utf8", file=path)) from error
    except (csv.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(say("rows.file_unreadable", file=path, reason=reason)) from error
    except ValueError as error:  # pyarrow's error for what is no Parquet
        if not type(error).__module__.startswith("pyarrow"):
            raise
        raise UsageError(say("rows.file_unreadable", file=path, reason=error)) from error
