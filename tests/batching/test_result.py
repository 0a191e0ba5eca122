"""The frame of the results: the input's rows, order, index and type, and the new columns."""

from __future__ import annotations

import datetime
import decimal
import enum
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.batching.outcome import Outcome, StoredAnswer
from cbai_notebook.batching.result import build, columns_of, values_of
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.errors import UsageError


def answer(text: str, **more: Any) -> StoredAnswer:
    facts: dict[str, Any] = {
        "key": b"k" * 16, "text": text, "model": "hy3", "finish_reason": "stop", "prompt_tokens": 3,
        "completion_tokens": 4, "total_tokens": 7, "duration_s": 0.5, "attempts": 1, "answered_at": 0,
        **more,
    }  # fmt: skip
    return StoredAnswer(**facts)


def kinds(kind: Any, **options: Any) -> dict[str, str]:
    return {one.name: one.kind.value for one in columns_of(response_type_of(kind), **options)}


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct):
    x: int


class Tree(msgspec.Struct):
    children: list[Tree]
    parent: Tree | None = None


class Everything(msgspec.Struct):
    text: str
    integer: int
    number: float
    flag: bool
    choice: Literal["a", "b"]
    level: Literal[1, 2]
    colour: Colour
    day: datetime.date
    moment: datetime.datetime
    id: uuid.UUID
    price: decimal.Decimal
    data: bytes
    either: int | float
    mixed: int | str
    anything: Any
    inner: Inner
    items: list[str]
    pairs: dict[str, int]
    maybe: str | None = None
    count: int | None = 3
    rated: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1


KINDS = {
    "text": "text", "integer": "integer", "number": "number", "flag": "flag", "choice": "text",
    "level": "integer", "colour": "text", "day": "text", "moment": "text", "id": "text",
    "price": "text", "data": "text", "either": "number", "mixed": "nested", "anything": "nested",
    "inner": "nested", "items": "nested", "pairs": "nested", "maybe": "text", "count": "integer",
    "rated": "integer", "error": "text",
}  # fmt: skip


def test_a_field_becomes_a_column_of_its_kind() -> None:
    assert kinds(Everything) == KINDS
    assert list(kinds(Everything)) == list(KINDS)


class Model(pydantic.BaseModel):
    happy: bool
    stars: int = pydantic.Field(ge=1, le=5)
    words: list[str]
    colour: Colour
    one: Literal["only"]
    inner: Model | None = None
    why: str | None = None
    score: float | None = None


@dataclass
class Data:
    a: str
    b: int | None = None


class Typed(TypedDict):
    a: float


class Empty(msgspec.Struct):
    pass


def test_every_way_to_write_a_type_gives_columns() -> None:
    assert kinds(Model) == {
        "happy": "flag", "stars": "integer", "words": "nested", "colour": "text", "one": "text",
        "inner": "nested", "why": "text", "score": "number", "error": "text",
    }  # fmt: skip
    assert kinds(Data) == {"a": "text", "b": "integer", "error": "text"}
    assert kinds(Typed) == {"a": "number", "error": "text"}
    assert kinds(Tree) == {"children": "nested", "parent": "nested", "error": "text"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (int, "integer"), (float, "number"), (bool, "flag"), (str, "text"), (int | None, "integer"),
        (list[int], "nested"), (dict[str, int], "nested"), (Literal["a", "b"], "text"),
        (Colour, "text"), (Empty, "nested"), (int | str, "nested"),
    ],
    ids=str,
)  # fmt: skip
def test_a_type_without_fields_is_one_column(kind: Any, expected: str) -> None:
    assert kinds(kind) == {"answer": expected, "error": "text"}
    assert kinds(kind, column="c", prefix="p_") == {"p_c": expected, "p_error": "text"}


def test_an_answer_without_a_type_is_text() -> None:
    assert [one.name for one in columns_of(None)] == ["answer", "error"]
    assert [one.name for one in columns_of(None, details=True, prefix="x_")] == [
        "x_answer", "x_model", "x_prompt_tokens", "x_completion_tokens", "x_seconds", "x_known",
        "x_finish_reason", "x_error",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (None, {"taken": ["answer"]}, r"'answer'.*column='answer_2', or prefix='v2_'"),
        (None, {"taken": ["english"], "column": "english"}, "column='english_2'"),
        (None, {"taken": ["answer", "error"]}, r"'answer' and 'error'.*prefix='v2_'"),
        (None, {"taken": ["error"]}, "'error'"),
        (None, {"taken": ["error", "v2_error"]}, "prefix='v3_'"),
        (None, {"taken": ["model"], "details": True}, "'model'"),
        (Inner, {"taken": ["x"]}, "'x'"),
        (Inner, {"taken": ["p_x"], "prefix": "p_"}, "'p_x'"),
        (None, {"column": "error"}, "Every result has a column 'error'"),
        (None, {"column": 3}, "column is 3"),
        (None, {"prefix": 3}, "prefix is 3"),
    ],
)
def test_a_clash_of_names_is_said(kind: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        columns_of(kind and response_type_of(kind), **options)


def test_a_field_cannot_have_the_name_of_a_column_of_every_result() -> None:
    taken = msgspec.defstruct("Taken", [("error", str)])
    with pytest.raises(UsageError, match="Taken has a field 'error'"):
        kinds(taken)
    described = msgspec.defstruct("Described", [("model", str)])
    assert kinds(described) == {"model": "text", "error": "text"}
    with pytest.raises(UsageError, match="Described has a field 'model'"):
        kinds(described, details=True)


def test_a_column_of_several_levels_is_in_the_way_too() -> None:
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("answer", "x")]))
    assert "answer" in rows_of(frame).taken
    other = frame.rename(columns={"answer": "a"})
    result = build(rows_of(other), columns_of(None), {"answer": ["t"], "error": [None]})
    assert list(result.columns) == [("a", "x"), ("answer", ""), ("error", "")]
    assert result.iloc[0, 1] == "t"


# Values ---------------------------------------------------------------------------------------------


def test_outcomes_become_values() -> None:
    outcomes = [
        Outcome(answer("yes"), known=True),
        Outcome(answer("half", finish_reason="length"), error="It was cut."),
        Outcome(error="No answer."),
        None,
    ]
    values = values_of(outcomes, columns_of(None, details=True))
    assert values["answer"] == ["yes", "half", None, None]
    assert values["error"][:3] == [None, "It was cut.", "No answer."]
    assert "before this row" in values["error"][3]
    assert values["known"] == [True, False, False, False]
    assert values["model"] == ["hy3", "hy3", None, None]
    assert values["seconds"] == [0.5, 0.5, None, None]
    assert values["finish_reason"] == ["stop", "length", None, None]


def test_fields_of_values_become_columns() -> None:
    outcomes = [
        Outcome(answer(""), {"x": 1, "y": 2}),
        Outcome(answer(""), {"y": 2.5}),
        Outcome(error="bad"),
    ]
    kind = msgspec.defstruct("Point", [("x", int), ("y", float)])
    values = values_of(outcomes, columns_of(response_type_of(kind)))
    assert values == {"x": [1, None, None], "y": [2.0, 2.5, None], "error": [None, None, "bad"]}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 2**63), (int, -(10**30)), (int, 10**5000), (int, 1.5), (int, "1"), (int, True),
        (float, 10**400), (float, "x"), (bool, 1), (int, float("inf")), (int, float("nan")),
    ],
    ids=lambda value: str(type(value)),
)  # fmt: skip
def test_a_value_that_does_not_fit_its_column_is_an_error_of_its_row(kind: Any, value: Any) -> None:
    columns = columns_of(response_type_of(kind))
    values = values_of(
        [Outcome(answer("x"), value, error="Before."), Outcome(answer("x"))], columns
    )
    assert values["answer"] == [None, None]
    assert values["error"][0].startswith("Before. The answer's 'answer' is ")
    assert values["error"][1] is None
    rows = rows_of(pd.DataFrame({"a": [1, 2]}))
    assert build(rows, columns, values)["answer"].isna().all()


# Frames ---------------------------------------------------------------------------------------------

KIND = msgspec.defstruct(
    "Row", [("t", str), ("i", int), ("n", float), ("f", bool), ("x", list[Any])]
)
COLUMNS = columns_of(response_type_of(KIND), prefix="r_")
NAMES = ["r_t", "r_i", "r_n", "r_f", "r_x", "r_error"]

values_in_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=3),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside),
    max_leaves=4,
)
parsed = st.fixed_dictionaries(
    {
        "t": st.text(max_size=4),
        "i": st.integers(-(2**63) + 1, 2**63 - 1),
        "n": st.floats(allow_nan=False),
        "f": st.booleans(),
        "x": st.lists(values_in_json, max_size=3),
    }
)
outcomes_of_rows = st.lists(
    st.builds(Outcome, st.just(answer("{}")), parsed)
    | st.just(Outcome(error="failed"))
    | st.none(),
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(outcomes_of_rows, st.sampled_from(["range", "same", "levels", "times"]), st.data())
def test_a_pandas_frame_keeps_its_rows_and_index(
    outcomes: list[Outcome | None], index: str, data: st.DataObject
) -> None:
    count = len(outcomes)
    frame = pd.DataFrame({"a": list(range(count)), "b": pd.array(["t"] * count, dtype="string")})
    if index == "same":
        frame.index = pd.Index(["k"] * count, name="key")
    elif index == "levels":
        frame.index = pd.MultiIndex.from_tuples([("x", 1)] * count, names=["p", "q"])
    elif index == "times":
        frame.index = pd.DatetimeIndex(["2026-01-01"] * count)
    before = frame.copy(deep=True)
    values = values_of(outcomes, COLUMNS)
    result = build(rows_of(frame), COLUMNS, values)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(result[["a", "b"]], before)
    assert list(result.columns) == ["a", "b", *NAMES]
    assert [str(kind) for kind in result.dtypes[NAMES]] == [
        "string", "Int64", "Float64", "boolean", "object", "string",
    ]  # fmt: skip
    for name in NAMES:
        found = [None if one is pd.NA else one for one in result[name].tolist()]
        assert found == values[name]


@settings(max_examples=40, deadline=None)
@given(outcomes_of_rows)
def test_polars_arrow_and_lists_keep_their_rows(outcomes: list[Outcome | None]) -> None:
    count = len(outcomes)
    values = values_of(outcomes, COLUMNS)
    nested = [None if one is None else one for one in values["r_x"]]

    frame = pl.DataFrame({"a": list(range(count))}, schema={"a": pl.Int32})
    result = build(rows_of(frame), COLUMNS, values)
    assert result.schema == {
        "a": pl.Int32, "r_t": pl.String, "r_i": pl.Int64, "r_n": pl.Float64, "r_f": pl.Boolean,
        "r_x": pl.String, "r_error": pl.String,
    }  # fmt: skip
    assert result["a"].to_list() == list(range(count))
    assert result["r_i"].to_list() == values["r_i"]
    assert [one and msgspec.json.decode(one) for one in result["r_x"].to_list()] == nested

    table = pa.table({"a": pa.array(range(count), pa.int16())}, metadata={"k": "v"})
    found = build(rows_of(table), COLUMNS, values)
    assert found.schema.metadata == {b"k": b"v"}
    assert found.column_names == ["a", *NAMES]
    assert found.schema.field("r_i").type == pa.int64()
    assert found.column("r_n").to_pylist() == values["r_n"]

    dicts: list[dict[Any, Any]] = [{"a": number, 7: "kept"} for number in range(count)]
    assert build(rows_of(dicts), COLUMNS, values) == [
        {"a": number, 7: "kept", **{name: values[name][number] for name in NAMES}}
        for number in range(count)
    ]
    assert all(row.keys() == {"a", 7} for row in dicts), "the input is not changed"


def test_halves_of_characters_do_not_stop_a_frame() -> None:
    values = {"answer": ["\ud83d"], "error": [None]}
    for frame in (pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]})):
        assert len(build(rows_of(frame), columns_of(None), values)) == 1
    columns = columns_of(response_type_of(list[str]))
    nested = {"answer": [["\ud83d"]], "error": [None]}
    assert "\ufffd" in build(rows_of(pl.DataFrame({"a": [1]})), columns, nested)["answer"][0]


def test_what_json_does_not_know_becomes_text() -> None:
    columns = columns_of(response_type_of(list[Any]))
    odd = [decimal.Decimal("1.5"), float("nan"), {1: uuid.UUID(int=1)}, {(1, 2): object}]
    values = {"answer": [odd, None], "error": [None] * 2}
    first, second = build(rows_of(pl.DataFrame({"a": [1, 2]})), columns, values)["answer"]
    assert "00000000-0000-0000-0000-000000000001" in first
    assert second is None


def test_a_value_that_is_nested_without_end_is_an_error_of_its_row() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    columns = columns_of(response_type_of(list[Any]))
    values = values_of([Outcome(answer("[[["), deep), Outcome(answer("[]"), [[1]])], columns)
    assert values["answer"] == [None, [[1]]]
    assert "does not fit" in values["error"][0]


def test_a_frame_may_have_columns_of_any_index() -> None:
    values = {"answer": ["x"], "error": [None]}
    for names in (
        pd.CategoricalIndex(["a", "b"]),
        pd.RangeIndex(2),
        pd.DatetimeIndex(["2026-01-01", "2026-01-02"]),
        pd.interval_range(0, 2),
    ):
        result = build(rows_of(pd.DataFrame([[1, 2]], columns=names)), columns_of(None), values)
        assert list(result.columns) == [*names, "answer", "error"]


def test_rows_that_were_not_sent_are_there_and_say_so() -> None:
    values = values_of([Outcome(answer("x"))], columns_of(None))
    for data in (
        pd.DataFrame({"a": [1, 2, 3]}), pl.DataFrame({"a": [1, 2, 3]}), [{"a": 1}, {"a": 2}, {"a": 3}],
    ):  # fmt: skip
        result = build(rows_of(data), columns_of(None), values)
        frame = pd.DataFrame(result if isinstance(result, list) else result.to_dict())
        assert list(frame["answer"].isna()) == [False, True, True]
        assert list(frame["error"].isna()) == [True, False, False]


def test_the_rows_of_an_iterable_come_back() -> None:
    rows = rows_of(iter([{"a": 1}, {"a": 2, "answer": "mine"}, {"a": 3}]))
    next(rows.slices(("a",), 2))
    assert build(rows, columns_of(None), {"answer": ["x", "y"], "error": [None, None]}) == [
        {"a": 1, "answer": "x", "error": None},
        {"a": 2, "answer": "y", "answer_": "mine", "error": None},
    ]


def test_the_rows_of_a_file_become_a_pandas_frame(tmp_path: Path) -> None:
    values = {"answer": ["x", "y"], "error": [None, None]}
    path = tmp_path / "a.csv"
    path.write_text("id,b\n007,\n8,z\n")
    result = build(rows_of(path), columns_of(None), values)
    assert result.dtypes.astype(str).tolist() == ["string"] * 4
    assert result["id"].tolist() == ["007", "8"]
    assert result["b"].isna().tolist() == [True, False]

    frame = pd.DataFrame(
        {"n": pd.array([1, None], dtype="Int64")}, index=pd.Index(["p", "q"], name="k")
    )
    frame.to_parquet(tmp_path / "a.parquet")
    rows = rows_of(tmp_path / "a.parquet")
    assert build(rows, columns_of(None), values).index.tolist() == ["p", "q"]
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="no longer has the rows"):
        build(rows, columns_of(None), values)


def test_a_file_gives_dicts_where_pandas_is_not_installed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from cbai_notebook.batching.rows import rows_of\n"
        "from cbai_notebook.batching.result import build, columns_of\n"
        f"rows = rows_of({str(path)!r})\n"
        "print(build(rows, columns_of(None), {'answer': ['x'], 'error': [None]}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[{'a': '1', 'answer': 'x', 'error': None}]"
