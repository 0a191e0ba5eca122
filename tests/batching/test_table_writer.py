"""A result is written while it comes: in order, whole or not at all, with the types of the input."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from cbai_notebook.batching.outcome import Outcome, StoredAnswer
from cbai_notebook.batching.result import columns_of, values_of
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.batching.table_writer import Writer
from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.errors import UsageError

COLUMNS = columns_of(None)
ROWS: list[dict[str, Any]] = [
    {"text": f"row {number}" if number % 3 else None, "n": number, "x": number / 4}
    for number in range(23)
]
SIZES = (1, 7, 0, 10, 5)  # of the parts in which the results come


def outcome(number: int) -> Outcome:
    answer = StoredAnswer(b"k" * 16, f'a "{number}",\n名', None, "stop", 1, 2, 3, 0.5, 1, 0)
    return Outcome(error="failed") if number % 5 == 4 else Outcome(answer, number)


def parts() -> Iterator[list[Outcome]]:
    start = 0
    for size in SIZES:
        yield [outcome(number) for number in range(start, start + size)]
        start += size


def write(data: Any, path: Path, columns: Any = COLUMNS) -> Path:
    rows = rows_of(data)
    slices = rows.slices((), 5)
    asked = written = 0
    with Writer(path, rows, columns) as writer:
        for outcomes in parts():
            written += len(outcomes)
            while asked < written:  # an iterable has only the rows that were asked for
                asked += next(slices).count
            writer.write(values_of(outcomes, columns))
            assert not path.exists(), "it gets its name when it is complete"
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []
    return path


def inputs(folder: Path) -> dict[str, Any]:
    frame = pl.DataFrame(ROWS)
    frame.write_csv(folder / "in.csv")
    frame.write_parquet(folder / "in.parquet")
    return {
        "pandas": pd.DataFrame(ROWS).astype({"text": "string"}),
        "polars": frame,
        "pyarrow": frame.to_arrow(),
        "list": ROWS,
        "iterable": iter(ROWS),
        "csv": folder / "in.csv",
        "parquet": folder / "in.parquet",
    }


KINDS = ["pandas", "polars", "pyarrow", "list", "iterable", "csv", "parquet"]
ANSWERS = values_of([outcome(number) for number in range(23)], COLUMNS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_parquet_file_has_all_rows_in_order(kind: str, tmp_path: Path) -> None:
    table = pq.read_table(write(inputs(tmp_path)[kind], tmp_path / "out.parquet"))
    numbers = [str(number) if kind == "csv" else number for number in range(23)]
    assert table.column_names == ["text", "n", "x", "answer", "error"]
    assert table.column("n").to_pylist() == numbers
    assert table.column("text").to_pylist() == [row["text"] for row in ROWS]
    assert table.column("answer").to_pylist() == ANSWERS["answer"]
    assert table.column("error").to_pylist() == ANSWERS["error"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_csv_file_has_all_rows_in_order(kind: str, tmp_path: Path) -> None:
    path = write(inputs(tmp_path)[kind], tmp_path / "out.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["n"] for row in rows] == [str(number) for number in range(23)]
    assert [row["text"] or None for row in rows] == [row["text"] for row in ROWS]
    assert [row["answer"] or None for row in rows] == ANSWERS["answer"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_json_lines_file_has_all_rows_in_order(kind: str, tmp_path: Path) -> None:
    path = write(inputs(tmp_path)[kind], tmp_path / "out.ndjson")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [list(row) for row in rows] == [["text", "n", "x", "answer", "error"]] * 23
    assert [row["answer"] for row in rows] == ANSWERS["answer"]
    assert [int(row["n"]) for row in rows] == list(range(23))


def test_an_iterable_is_not_kept(tmp_path: Path) -> None:
    rows = rows_of(iter(ROWS))
    slices = rows.slices(("n",), 4)
    with Writer(tmp_path / "out.ndjson", rows, COLUMNS) as writer:
        for part in slices:
            outcomes = [outcome(part.start + at) for at in range(part.count)]
            writer.write(values_of(outcomes, COLUMNS))
            assert not rows.read  # type: ignore[attr-defined]
    assert len((tmp_path / "out.ndjson").read_text("utf-8").splitlines()) == 23


def test_a_parquet_file_of_pandas_comes_back_as_it_would_in_memory(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array(range(23), dtype="Int16"),
            "t": pd.Timestamp("2026-01-01 00:00:00.000000001"),
        },
        index=pd.Index([f"k{number // 2}" for number in range(23)], name="key"),
    )
    columns = columns_of(response_type_of(int))
    result = pd.read_parquet(write(frame, tmp_path / "out.parquet", columns))
    pd.testing.assert_frame_equal(result[["n", "t"]], frame)
    assert str(result["answer"].dtype) == "Int64"
    assert result["answer"].isna().sum() == 4


def test_the_index_of_pandas_is_written_if_it_does_not_only_count(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(23)}, index=pd.Index(range(100, 123), name="id"))
    read = pd.read_csv(write(frame, tmp_path / "out.csv"))
    assert list(read.columns) == ["id", "a", "answer", "error"]
    assert read["id"].tolist() == list(range(100, 123))
    clash = frame.rename_axis("a")
    with pytest.raises(UsageError, match="index"):
        Writer(tmp_path / "b.csv", rows_of(clash), COLUMNS)


@pytest.mark.parametrize(
    "names",
    [[0, 1], pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), pd.CategoricalIndex(["a", "b"])],
    ids=["numbers", "levels", "categories"],
)
@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_names_of_columns_become_text(names: Any, suffix: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(23), "y": ["t"] * 23}).set_axis(names, axis=1)
    path = write(frame, tmp_path / f"out.{suffix}")
    if suffix == "ndjson":
        found = list(json.loads(path.read_text("utf-8").splitlines()[0]))
    else:
        found = list((pd.read_csv if suffix == "csv" else pd.read_parquet)(path).columns)
    assert found == [*map(str, names), "answer", "error"]


def test_a_parquet_file_has_few_row_groups(tmp_path: Path) -> None:
    file = pq.ParquetFile(write(pl.DataFrame(ROWS), tmp_path / "out.parquet"))
    assert file.metadata.num_row_groups == 1


def test_nested_values_are_json(tmp_path: Path) -> None:
    columns = columns_of(response_type_of(list[Any]))
    values = {"answer": [[1, {"a": "名"}], None], "error": [None, "bad"]}
    data = [{"d": {"k": [1]}, "f": math.inf}, {"d": None, "f": math.nan}]
    for suffix in ("csv", "ndjson", "parquet"):
        with Writer(tmp_path / f"out.{suffix}", rows_of(data), columns) as writer:
            writer.write(values)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ['{"k":[1]}', "inf", '[1,{"a":"名"}]', ""],
            ["", "", "", "bad"],
        ]
    lines = (tmp_path / "out.ndjson").read_text("utf-8").splitlines()
    assert json.loads(lines[0])["answer"] == [1, {"a": "名"}]
    assert json.loads(lines[1]) == {"d": None, "f": None, "answer": None, "error": "bad"}
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("d").to_pylist() == [{"k": [1]}, None]
    assert json.loads(table.column("answer").to_pylist()[0]) == [1, {"a": "名"}]


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_after_a_failure_the_old_file_and_what_was_written_are_there(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), Writer(path, rows_of(ROWS), COLUMNS) as writer:
        writer.write(values_of([outcome(0), outcome(1)], COLUMNS))
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    partial = tmp_path / f"out.{suffix}.partial"
    assert writer.partial_path == partial
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([path.name, partial.name])
    if suffix == "parquet":
        assert pq.read_table(partial).num_rows == 2
    else:
        assert "row 1" in partial.read_text("utf-8")


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("kind", ["pandas", "list", "iterable"])
def test_no_rows_give_a_file_without_rows(kind: str, suffix: str, tmp_path: Path) -> None:
    nothing: list[Any] = []
    frame = pd.DataFrame({"a": pd.array(nothing, dtype="string")})
    data = {"pandas": frame, "list": nothing, "iterable": iter(nothing)}[kind]
    path = tmp_path / f"out.{suffix}"
    with Writer(path, rows_of(data), COLUMNS):
        pass
    if suffix == "parquet":
        assert pq.read_table(path).column_names[-2:] == ["answer", "error"]
        assert pq.read_table(path).num_rows == 0
    else:
        assert len(path.read_text("utf-8").splitlines()) == (1 if suffix == "csv" else 0)


def test_what_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    rows = rows_of([{"a": 1}])
    with pytest.raises(UsageError, match=r"\.parquet, \.csv or \.ndjson"):
        Writer(tmp_path / "out.xlsx", rows, COLUMNS)
    with pytest.raises(UsageError, match="another file"):
        Writer(tmp_path / "in.csv", rows_of(tmp_path / "in.csv"), COLUMNS)
    with pytest.raises(UsageError, match="'answer'"):
        Writer(tmp_path / "out.csv", rows_of([{"answer": 1}]), COLUMNS)
    mixed = [{"a": 1}, {"a": "x"}]
    for data in (mixed, pd.DataFrame(mixed)):
        with pytest.raises(UsageError, match=r"Write \.ndjson instead"):
            Writer(tmp_path / "out.parquet", rows_of(data), COLUMNS)
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]


def test_a_later_row_of_an_iterable_that_does_not_fit_is_said(tmp_path: Path) -> None:
    for suffix, second, says in (
        ("parquet", {"a": "x"}, "ndjson"),
        ("csv", {"a": 2, "b": 3}, "'b'"),
    ):
        rows = rows_of(iter([{"a": 1}, second]))
        slices = rows.slices(("a",), 1)
        with (
            pytest.raises(UsageError, match=says),
            Writer(tmp_path / f"out.{suffix}", rows, COLUMNS) as writer,
        ):
            for _ in slices:
                writer.write({"answer": ["x"], "error": [None]})


def test_a_folder_is_made_and_an_unwritable_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.csv"
    with Writer(path, rows_of(ROWS), COLUMNS):
        pass
    assert path.exists()
    with pytest.raises(OSError):
        Writer(path / "out.csv", rows_of(ROWS), COLUMNS)


def test_halves_of_characters_and_odd_objects_are_written(tmp_path: Path) -> None:
    class Odd:
        def __str__(self) -> str:
            raise ZeroDivisionError

    for suffix in ("csv", "ndjson"):
        path = tmp_path / f"out.{suffix}"
        with Writer(path, rows_of([{"a": "\ud83d", "b": Odd(), "c": 10**5000}]), COLUMNS) as writer:
            writer.write({"answer": ["\ud83d"], "error": [None]})
        assert "<Odd>" in path.read_text("utf-8")
    with Writer(tmp_path / "out.parquet", rows_of([{"a": "\ud83d"}]), COLUMNS) as writer:
        writer.write({"answer": ["\ud83d"], "error": [None]})
