"""Rows of every kind give the same values, slice by slice."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.batching.rows import Rows, rows_of
from cbai_notebook.errors import UsageError

ROWS: list[dict[str, Any]] = [
    {"text": "good", "stars": 5, "price": 1.5},
    {"text": None, "stars": None, "price": 2.0},
    {"text": "", "stars": 1, "price": None},
]
COLUMNS = ("text", "stars", "price")


def pandas_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": pd.array([row["text"] for row in rows], dtype="string"),
            "stars": pd.array([row["stars"] for row in rows], dtype="Int64"),
            "price": pd.array([row["price"] for row in rows], dtype="Float64"),
        }
    )


SCHEMA = pa.schema({"text": pa.string(), "stars": pa.int64(), "price": pa.float64()})
POLARS = {"text": pl.String, "stars": pl.Int64, "price": pl.Float64}


def inputs(rows: list[dict[str, Any]]) -> list[Any]:
    return [
        pandas_frame(rows),
        pl.DataFrame(rows, schema=POLARS),
        pa.Table.from_pylist(rows, schema=SCHEMA),
        rows,
        iter(rows),
    ]


def values(rows: Rows, used: tuple[str, ...] | None = None, size: int = 2) -> dict[str, list[Any]]:
    names = rows.columns if used is None else used
    read: dict[str, list[Any]] = {name: [] for name in names}
    position = 0
    for part in rows.slices(names, size):
        assert part.start == position
        assert part.values.keys() == set(names)
        assert {len(column) for column in part.values.values()} <= {part.count}
        position += part.count
        for name, column in part.values.items():
            read[name] += column
    assert rows.count == position
    return read


optional_rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(st.characters(codec="utf-8"), max_size=5),
            "stars": st.none() | st.integers(-(2**40), 2**40),
            "price": st.none() | st.floats(allow_nan=False),
        }
    ),
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(optional_rows, st.integers(1, 4))
def test_every_kind_of_input_gives_the_same_values(rows: list[dict[str, Any]], size: int) -> None:
    expected = {name: [row[name] for row in rows] for name in COLUMNS}
    for data in inputs(rows):
        found = rows_of(data)
        if rows or found.kind not in ("list", "iterable"):
            assert set(found.columns) == set(COLUMNS)
            assert values(found, COLUMNS, size) == expected
        else:
            assert (found.columns, found.count) == ((), 0)


@settings(max_examples=20, deadline=None)
@given(optional_rows)
def test_files_give_the_same_values(rows: list[dict[str, Any]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
        found = rows_of(path)
        assert found.count == len(rows)
        assert values(found) == {name: [row[name] for row in rows] for name in COLUMNS}


def test_only_the_used_columns_are_read() -> None:
    for data in inputs(ROWS):
        assert values(rows_of(data), ("stars",)) == {"stars": [5, None, 1]}


@pytest.mark.parametrize(
    "nothing",
    [
        None, float("nan"), pd.NaT, pd.NA, np.float32("nan"), np.datetime64("NaT"), Decimal("NaN"),
    ],
    ids=repr,
)  # fmt: skip
def test_every_kind_of_missing_value_is_none(nothing: Any) -> None:
    frame = pd.DataFrame({"a": pd.Series(["x", nothing, ""], dtype=object)})
    assert values(rows_of(frame)) == {"a": ["x", None, ""]}
    assert values(rows_of([{"a": "x"}, {"a": nothing}, {"a": ""}, {}])) == {
        "a": ["x", None, "", None]
    }


def test_values_that_look_missing_are_not() -> None:
    kept = ["", "nan", "None", 0, False, [], {}, np.array([float("nan")])]
    read = values(rows_of([{"a": one} for one in kept]))["a"]
    assert all(one is other for one, other in zip(read, kept, strict=True))


def test_missing_values_are_counted_by_column() -> None:
    for data in inputs(ROWS)[:4]:
        assert rows_of(data).missing(("text", "price")) == {"text": 1, "price": 1}
    assert rows_of(iter(ROWS)).missing(("text",)) == {}
    nan = float("nan")
    for data in (
        pd.DataFrame({"a": [nan, 1.0], "b": [1, 2]}),
        pl.DataFrame({"a": [nan, 1.0], "b": [1, 2]}),
        pa.table({"a": [nan, 1.0], "b": [1, 2]}),
    ):
        assert rows_of(data).missing(("a", "b")) == {"a": 1}


def test_numbers_of_few_bits_are_the_shortest_decimals() -> None:
    numbers = np.array([0.1, 2.0, float("nan"), float("inf")], dtype="float32")
    expected = [0.1, 2.0, None, float("inf")]
    for data in (
        pd.DataFrame({"a": numbers}),
        pl.DataFrame({"a": numbers}),
        pa.table({"a": numbers}),
    ):
        assert values(rows_of(data)) == {"a": expected}


def test_values_keep_their_python_types() -> None:
    when = datetime(2026, 1, 2, 3)
    table = pa.table({"n": [1], "d": [Decimal("1.50")], "t": [when], "l": [[1, 2]], "b": [True]})
    (part,) = rows_of(table).slices(table.column_names)
    assert part.values == {
        "n": [1],
        "d": [Decimal("1.50")],
        "t": [when],
        "l": [[1, 2]],
        "b": [True],
    }
    assert type(part.values["n"][0]) is int
    frame = pd.DataFrame(
        {"c": pd.Categorical(["a", None]), "z": pd.to_datetime(["2026-01-02", None])}
    )
    (part,) = rows_of(frame).slices(("c", "z"))
    assert part.values == {"c": ["a", None], "z": [pd.Timestamp("2026-01-02"), None]}


def test_names_of_columns_are_text() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    assert values(rows_of(frame)) == {"('a', 1)": [1], "('b', 2)": [2]}
    assert values(rows_of([{7: "x"}])) == {"7": ["x"]}
    assert values(rows_of(iter([{7: "x"}]))) == {"7": ["x"]}


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=[1, "1"]),
        pa.table([[1], [2]], names=["a", "a"]),
        [{1: "x"}, {"1": "y"}],
    ],
    ids=["pandas", "number", "arrow", "list"],
)
def test_two_columns_of_one_name_are_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="Two columns have the name"):
        rows_of(data)


def test_rows_of_a_list_may_have_different_keys() -> None:
    rows = rows_of([{"a": 1}, {"b": 2, "a": 3}])
    assert rows.columns == ("a", "b")
    assert values(rows) == {"a": [1, 3], "b": [None, 2]}


def test_an_iterable_is_read_as_it_is_needed() -> None:
    taken: list[int] = []

    def endless() -> Iterator[dict[str, int]]:
        for number in range(10**9):
            taken.append(number)
            yield {"n": number}

    rows = rows_of(endless())
    assert (rows.count, rows.columns) == (None, ("n",))
    part = next(rows.slices(("n",), 3))
    assert part.values == {"n": [0, 1, 2]}
    assert len(taken) == 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pl.DataFrame({"a": [1]}).lazy(), r"\.collect\(\)"),
        (narwhals.from_native(pl.DataFrame({"a": [1]}).lazy()), r"\.collect\(\)"),
        (narwhals.from_native(pl.DataFrame({"a": [1]})), r"\.to_native\(\)"),
        (pd.Series(["a"]), "Series"),
        (pl.Series(["a"]), "Series"),
        ({"a": ["x"]}, "dict"),
        ("not a path", "path"),
        (b"bytes", "bytes"),
        (np.zeros((2, 2)), "ndarray"),
        (3, "int"),
        (None, "NoneType"),
        (["a", "b"], "Row 0 .* str"),
        (iter(["a"]), "Row 0 .* str"),
        ([{"a": 1}, None], "Row 1 .* NoneType"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_gives_no_rows_is_said(data: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rows_of(data)


def test_of_dask_only_a_data_frame_has_rows() -> None:
    class Bag:
        __module__ = "dask.bag.core"

    with pytest.raises(UsageError, match="dask"):
        rows_of(Bag())


def test_a_later_row_that_is_no_dict_is_named() -> None:
    with pytest.raises(UsageError, match="Row 2 "):
        values(rows_of(iter([{"a": 1}, {"a": 2}, "x"])))


# Files ---------------------------------------------------------------------------------------------


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding, newline="")
    return path


def test_a_csv_file_gives_text_as_written(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", 'id,名\r\n007,"a, ""b""\nc"\r\n\r\n1.50,\r\n,"x"\r\n', "utf-8-sig"
    )
    for data in (path, str(path)):
        rows = rows_of(data)
        assert (rows.kind, rows.count, rows.columns) == ("csv", None, ("id", "名"))
        for _ in range(2):
            assert values(rows) == {"id": ["007", "1.50", None], "名": ['a, "b"\nc', None, "x"]}


def test_a_long_value_of_a_csv_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"a\n{'x' * 300_000}\n")
    assert len(values(rows_of(path))["a"][0]) == 300_000


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)] * 2
        ),
        max_size=5,
    )
)
def test_a_csv_file_is_read_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("a", "b"), *rows])
        expected = [[text or None for text in column] for column in zip(*rows, strict=True)]
        assert list(values(rows_of(path)).values()) == (expected or [[], []])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "names of the columns"),
        ("名\n李\n".encode("gbk"), "UTF-8"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: there are more values"),
        (b"a,a\n1,2\n", "Two columns"),
    ],
)  # fmt: skip
def test_a_csv_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=says):
        values(rows_of(tmp_path / "a.csv"))


def test_a_short_line_of_a_csv_file_has_missing_values(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\n1\n")
    assert values(rows_of(path)) == {"a": ["1"], "b": [None]}


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        rows_of(tmp_path / name)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match=r"a\.parquet"):
        rows_of(tmp_path / "a.parquet")


def test_nothing_heavy_is_imported_for_a_list() -> None:
    code = (
        "import sys\nfrom cbai_notebook.batching.rows import rows_of\n"
        "list(rows_of([{'a': 1}]).slices(('a',)))\n"
        "print({'pandas', 'polars', 'pyarrow', 'narwhals', 'numpy', 'IPython'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
