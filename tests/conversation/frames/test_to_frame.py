"""Records become tables with the right columns and types, with and without rows."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.conversation import RECORD_KEYS, Turn
from cbai_notebook.conversation.frames.columns import COLUMNS, Kind
from cbai_notebook.conversation.records import Records
from cbai_notebook.errors import UsageError
from tests.conversation.frames.messages import NOW, many, records_of, turns

PANDAS = {
    Kind.TEXT: "string",
    Kind.NUMBER: "int64",
    Kind.COUNT: "Int64",
    Kind.SECONDS: "float64",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.FLAG: "bool",
    Kind.NESTED: "object",
}
POLARS = {
    Kind.TEXT: pl.String,
    Kind.NUMBER: pl.Int64,
    Kind.COUNT: pl.Int64,
    Kind.SECONDS: pl.Float64,
    Kind.TIME: pl.Datetime("us", "UTC"),
    Kind.FLAG: pl.Boolean,
    Kind.NESTED: pl.String,
}
ARROW = {
    Kind.NUMBER: pa.int64(),
    Kind.COUNT: pa.int64(),
    Kind.SECONDS: pa.float64(),
    Kind.TIME: pa.timestamp("us", "UTC"),
    Kind.FLAG: pa.bool_(),
}

SOME = records_of(
    [
        Turn(prompt="你好", created_at=NOW, status="complete", total_tokens=3, duration_s=0.5),
        Turn(prompt="and?", created_at=NOW, status="asked"),
    ]
)


def test_every_key_of_a_record_has_a_column() -> None:
    assert tuple(COLUMNS) == RECORD_KEYS


@pytest.mark.parametrize("records", [SOME, Records()], ids=["rows", "no rows"])
def test_types_are_the_same_with_rows_and_without(records: Records) -> None:
    frame, table, arrow = records.to_pandas(), records.to_polars(), records.to_arrow()
    assert len(frame) == len(table) == len(arrow) == len(records)
    assert frame.dtypes.astype(str).to_dict() == {
        name: PANDAS[kind] for name, kind in COLUMNS.items()
    }
    assert dict(table.schema) == {name: POLARS[kind] for name, kind in COLUMNS.items()}
    assert arrow.column_names == list(COLUMNS)
    for name, kind in COLUMNS.items():
        text = pa.types.is_string(arrow[name].type) or pa.types.is_large_string(arrow[name].type)
        assert text if kind not in ARROW else arrow[name].type == ARROW[kind]


def test_missing_values_are_missing() -> None:
    frame = SOME.to_pandas()
    assert frame["total_tokens"].tolist() == [pd.NA, 3, pd.NA]
    assert frame["duration_s"].isna().tolist() == [True, False, True]
    assert frame["reasoning"].isna().all()
    assert SOME.to_polars()["total_tokens"].to_list() == [None, 3, None]
    assert SOME.to_arrow()["total_tokens"].to_pylist() == [None, 3, None]


def test_frames_with_and_without_rows_join_without_a_change_of_type() -> None:
    frame = SOME.to_pandas()
    joined = pd.concat([frame, Records().to_pandas(), frame], ignore_index=True)
    assert joined.dtypes.equals(frame.dtypes)
    assert len(pl.concat([SOME.to_polars(), Records().to_polars()])) == len(SOME)


def test_times_of_other_zones_are_told_in_utc() -> None:
    there = timezone(timedelta(hours=8))
    records = Records([{**SOME[0], "created_at": datetime(2026, 11, 22, 18, tzinfo=there)}])
    expected = datetime(2026, 11, 22, 10, tzinfo=timezone.utc)
    assert records.to_pandas()["created_at"][0] == pd.Timestamp(expected)
    assert records.to_polars()["created_at"][0] == expected
    assert records.to_arrow()["created_at"][0].as_py() == expected


def test_nested_values_are_themselves_in_pandas_and_json_in_the_others() -> None:
    turn = Turn(prompt="a", created_at=NOW, status="complete", params={"stop": ["。"]})
    records = records_of([turn])
    assert records.to_pandas()["params"][1] == {"stop": ["。"]}
    assert records.to_polars()["params"][1] == '{"stop": ["。"]}'
    assert records.to_arrow()["params"][1].as_py() == '{"stop": ["。"]}'


def test_a_record_that_lacks_a_key_has_nothing_there() -> None:
    frame = Records([{"turn": 0, "role": "user", "content": "a", "mine": 1}]).to_pandas()
    assert list(frame.columns) == list(RECORD_KEYS)
    assert frame["model"].isna().all()
    assert not frame["stale"].any()


@given(made=st.lists(turns(st.text(st.characters(), max_size=6)), max_size=3))
@settings(max_examples=60)
def test_any_conversation_becomes_a_table(made: list[Turn]) -> None:
    records = records_of(made)
    assert records.to_pandas()["content"].tolist() == [record["content"] for record in records]
    assert len(records.to_polars()) == len(records.to_arrow()) == len(records)


@pytest.mark.parametrize("take", [Records.to_pandas, Records.to_polars, Records.to_arrow])
@pytest.mark.parametrize(
    ("name", "value"),
    [("turn", "x"), ("turn", 2**70), ("duration_s", "x"), ("total_tokens", "x"), ("created_at", 3)],
)
def test_a_value_of_a_wrong_type_is_named(take: Any, name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"a value of {name} is not"):
        take(Records([{**SOME[0], name: value}]))


def test_a_parameter_that_is_no_json_is_named() -> None:
    with pytest.raises(UsageError, match="a value of params is not"):
        Records([{**SOME[1], "params": {"model": object()}}]).to_polars()


def test_a_hundred_thousand_messages_become_a_table() -> None:
    records = many(100_000)
    frame = records.to_pandas()
    assert len(frame) == 100_000
    assert frame["total_tokens"].sum() == sum(20 + number for number in range(50_000))
    assert frame["created_at"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("gone", "call", "install"),
    [
        ("pandas", "to_pandas", "pip install pandas"),
        ("narwhals", "to_polars", "pip install narwhals polars"),
        ("polars", "to_polars", "pip install narwhals polars"),
        ("pyarrow", "to_arrow", "pip install narwhals pyarrow"),
    ],
)
def test_what_is_not_installed_is_named_with_its_installation(
    gone: str, call: str, install: str
) -> None:
    script = (
        "from cbai_notebook.conversation.records import Records\n"
        "from cbai_notebook.errors import MissingDependencyError\n"
        f"try:\n    Records().{call}()\nexcept MissingDependencyError as error:\n    print(error)"
    )
    assert f"Run python -m {install}" in run_without({gone}, script)


def test_pandas_needs_neither_narwhals_nor_arrow() -> None:
    script = (
        "from cbai_notebook.conversation.frames.turns import turns_of\n"
        "from tests.conversation.frames.messages import many\n"
        "print(len(turns_of(many(10).to_pandas())))"
    )
    assert run_without({"narwhals", "polars", "pyarrow"}, script) == "5\n"


def test_reading_a_table_of_polars_names_what_it_needs() -> None:
    script = (
        "import polars\n"
        "from cbai_notebook.conversation.frames.turns import turns_of\n"
        "from cbai_notebook.errors import MissingDependencyError\n"
        "try:\n    turns_of(polars.DataFrame())\n"
        "except MissingDependencyError as error:\n    print(error)"
    )
    assert "Run python -m pip install narwhals" in run_without({"narwhals"}, script)


def run_without(packages: set[str], script: str) -> str:
    """Run a script as if some packages were not installed, and return its output."""
    hide = (
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {packages!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hide + script],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout
