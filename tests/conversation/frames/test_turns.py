"""Turns are read from messages without loss, and an error names the wrong row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.frames.turns import turns_of
from cbai_notebook.conversation.records import Records
from cbai_notebook.errors import UsageError
from tests.conversation.frames.messages import FORMS, NOW, many, records_of, turns

USER = {"role": "user", "content": "What is the weather?"}
ANSWER = {"role": "assistant", "content": "Sunny."}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
        for id in ("a", "b")
    ],
}
RESULT_A = {"role": "tool", "content": "1", "tool_call_id": "a"}
RESULT_B = {"role": "tool", "content": "2", "tool_call_id": "b"}


def deep(levels: int) -> dict[str, Any]:
    """Return a dict with so many levels of lists and dicts, itself included."""
    value: list[Any] = []
    for _ in range(levels - 2):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize("form", FORMS)
@given(made=st.lists(turns(), max_size=4))
@settings(max_examples=60)
def test_records_come_back_as_they_were(form: str, made: list[Turn]) -> None:
    records = records_of(made)
    assert records_of(turns_of(FORMS[form](records))) == records


@pytest.mark.parametrize("form", ["list", "JSON Lines", "pandas"])
@given(made=st.lists(turns(st.text(st.characters(), max_size=6)), max_size=3))
@settings(max_examples=60)
def test_halves_of_characters_come_back_where_python_holds_them(
    form: str, made: list[Turn]
) -> None:
    records = records_of(made)
    assert records_of(turns_of(FORMS[form](records))) == records


def test_half_a_character_in_arrow_becomes_a_replacement_character() -> None:
    turn = Turn(prompt="\ud83d", created_at=NOW, status="complete", params={"stop": ["\ud83d"]})
    (back,) = turns_of(records_of([turn]).to_arrow())
    assert back.prompt == "\ufffd"
    assert back.params == {"stop": ["\ud83d"]}


@pytest.mark.parametrize("form", FORMS)
def test_many_messages_come_back(form: str) -> None:
    records = many(3_000)
    assert records_of(turns_of(FORMS[form](records)), "long") == records


def test_a_csv_file_comes_back_but_for_what_it_cannot_say(tmp_path: Path) -> None:
    made = Turn(prompt="a", created_at=NOW, status="failed", error="no such model", duration_s=0.5)
    records = records_of([made, *turns_of(many(4))])
    file = tmp_path / "talk.csv"
    records.to_pandas().drop(columns=["params"]).to_csv(file, index=False)
    with file.open(encoding="utf-8", newline="") as rows:
        assert len(list(csv.reader(rows))) == len(records) + 1
    for record in records:
        record["params"] = None
    assert records_of(turns_of(pd.read_csv(file))) == records


def test_what_was_read_belongs_to_the_turns_alone() -> None:
    records = many(2)
    (turn,) = turns_of(records)
    records[1]["params"]["temperature"] = 2
    assert turn.params == {"temperature": 0.7}


def test_a_chat_of_openais_form_becomes_turns() -> None:
    first, second = turns_of(
        [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                    {"type": "text", "text": "And that?"},
                ],
            },
            CALLS,
            RESULT_B,
            RESULT_A,
            {"role": "assistant", "content": "A cat.", "reasoning_content": "Hm."},
            USER,
            {**ANSWER, "tool_calls": [], "refusal": None},
        ]
    )
    assert first.system == "Be brief."
    assert (first.prompt, first.images) == (
        "What is this?\nAnd that?",
        ("data:image/png;base64,AA",),
    )
    assert first.steps == ({**CALLS, "content": ""}, RESULT_B, RESULT_A)
    assert (first.text, first.reasoning, first.status) == ("A cat.", "Hm.", "complete")
    assert (second.system, second.prompt, second.text) == (None, USER["content"], "Sunny.")
    assert first.created_at.tzinfo is not None


def test_what_is_read_is_sent_as_it_was() -> None:
    chat = [USER, {**CALLS, "content": ""}, RESULT_A, RESULT_B, ANSWER]
    (turn,) = turns_of(chat)
    assert turn.sent() == chat


@pytest.mark.parametrize(
    "table", [pd.DataFrame, pl.DataFrame, lambda rows: pl.DataFrame(rows).to_arrow()]
)
def test_a_chat_of_openais_form_in_a_table_becomes_turns(table: Callable[[Any], Any]) -> None:
    chat = [USER, {**CALLS, "content": ""}, RESULT_A, RESULT_B, ANSWER]
    (turn,) = turns_of(table(chat))
    assert turn.sent() == chat


def test_lists_that_a_parquet_file_brought_as_arrays_are_lists() -> None:
    chat = pd.DataFrame([USER, CALLS, RESULT_A, RESULT_B, ANSWER])
    chat["tool_calls"] = [
        np.array(calls, dtype=object) if isinstance(calls, list) else None
        for calls in chat["tool_calls"]
    ]
    (turn,) = turns_of(chat)
    assert turn.steps[0]["tool_calls"] == CALLS["tool_calls"]


@pytest.mark.parametrize(
    "nothing", [[], (), Records(), pd.DataFrame(), Records().to_polars(), Records().to_arrow()]
)
def test_no_rows_are_no_turns(nothing: Any) -> None:
    assert turns_of(nothing) == []


WRONG_ROWS = {
    "dangling at the end": ([USER, ANSWER, USER], 2, "has no answer.*asked"),
    "dangling in the middle": ([USER, USER, ANSWER], 0, "has no answer"),
    "dangling before a system prompt": ([USER, {"role": "system", "content": "x"}], 0, "no answer"),
    "dangling after tools": ([USER, CALLS, RESULT_A, RESULT_B], 0, "has no answer"),
    "answer first": ([ANSWER, USER], 0, "No user's message stands before"),
    "two answers": ([USER, ANSWER, ANSWER], 2, "join two answers"),
    "two system prompts": ([{"role": "system", "content": "x"}] * 2, 1, "Join them"),
    "system prompt last": ([USER, ANSWER, {"role": "system", "content": "x"}], 2, "No user's"),
    "unanswered call": ([USER, CALLS, RESULT_A, ANSWER], 1, "call 'b' has no answer"),
    "unanswered call at the end": ([USER, CALLS, RESULT_A], 1, "call 'b' has no answer"),
    "answered twice": ([USER, CALLS, RESULT_A, RESULT_A], 3, "No call 'a' waits"),
    "answer to no call": ([USER, RESULT_A], 1, "No call 'a' waits"),
    "tool first": ([RESULT_A], 0, "No call 'a' waits"),
    "answer that names no call": ([USER, CALLS, {"role": "tool", "content": "1"}], 2, "needs the"),
    "two calls of one id": (
        [USER, {**CALLS, "tool_calls": CALLS["tool_calls"][:1] * 2}],
        1,
        "Two calls have the id 'a'",
    ),
    "call without arguments": (
        [USER, {**CALLS, "tool_calls": [{"id": "a", "function": {"name": "f"}}]}],
        1,
        "no text as arguments",
    ),
    "call without a function": ([USER, {**CALLS, "tool_calls": [{"id": "a"}]}], 1, "no function"),
    "call without an id": (
        [USER, {**CALLS, "tool_calls": [{"function": {"name": "f", "arguments": ""}}]}],
        1,
        "has no id",
    ),
    "calls of a user": ([{**USER, "tool_calls": CALLS["tool_calls"]}], 0, "Only a message of role"),
    "images of an answer": ([USER, {**ANSWER, "images": ["x"]}], 1, "Only a message of role user"),
    "unknown role": ([USER, {"role": "bot", "content": "x"}], 1, "The role is 'bot'. Use one of"),
    "no role": ([USER, {"content": "x"}], 1, "The role is None"),
    "old function role": ([USER, {"role": "function", "content": "x"}], 1, "in their old form"),
    "old function call": (
        [USER, {**ANSWER, "function_call": {"name": "f", "arguments": "{}"}}],
        1,
        "in their old form",
    ),
    "no content": ([USER, {"role": "assistant"}], 1, "has no content"),
    "content that is a number": (
        [USER, {**ANSWER, "content": 3.5}],
        1,
        "content is 3.5, not text",
    ),
    "unknown part": (
        [{**USER, "content": [{"type": "input_audio"}]}, ANSWER],
        0,
        "part of type 'input_audio'",
    ),
    "image of an answer": (
        [USER, {**ANSWER, "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
        1,
        "part of type 'image_url'",
    ),
    "image without an address": (
        [{**USER, "content": [{"type": "image_url"}]}, ANSWER],
        0,
        "has no address",
    ),
    "part that is no dict": ([{**USER, "content": ["hello"]}, ANSWER], 0, "part of type None"),
    "unknown status": ([USER, {**ANSWER, "status": "done"}], 1, "The status is 'done'. Use one"),
    "answer that was only asked": ([USER, {**ANSWER, "status": "asked"}], 1, "Only a user's"),
    "time that is no time": ([{**USER, "created_at": "noon"}, ANSWER], 0, "created_at is 'noon'"),
    "half a token": ([USER, {**ANSWER, "total_tokens": 1.5}], 1, "total_tokens is 1.5, not a"),
    "seconds in words": ([USER, {**ANSWER, "duration_s": "two"}], 1, "duration_s is 'two'"),
    "params that are a list": ([USER, {**ANSWER, "params": [1]}], 1, "params is no dict"),
    "params that are no JSON": ([USER, {**ANSWER, "params": "{"}], 1, "params is '{'"),
    "params with infinity": (
        [USER, {**ANSWER, "params": {"a": [float("inf")]}}],
        1,
        "params holds inf",
    ),
    "params with a name that is no text": (
        [USER, {**ANSWER, "params": {"a": {3: "b"}}}],
        1,
        "params has a name that is not text",
    ),
    "params with messages": (
        [USER, {**ANSWER, "params": {"messages": [USER]}}],
        1,
        "params must not hold messages",
    ),
    "params that are deep": ([USER, {**ANSWER, "params": deep(101)}], 1, "deeper than 100 levels"),
    "params that are deep in JSON": (
        [USER, {**ANSWER, "params": json.dumps(deep(500))}],
        1,
        "params is nested deeper than 100 levels",
    ),
    "params without end": ([USER, {**ANSWER, "params": deep(20_000)}], 1, "deeper than 100"),
    "params with a number without end": (
        [USER, {**ANSWER, "params": {"a": 1 << 20_000}}],
        1,
        "params holds a number of more than",
    ),
    "extra fields that replace the role": (
        [USER, {**ANSWER, "extra": {"role": "system"}}],
        1,
        "extra must not hold role",
    ),
    "extra fields that replace the text": (
        [USER, {**ANSWER, "extra": {"content": "other"}}],
        1,
        "extra holds a text as content",
    ),
    "seconds without end": (
        [USER, {**ANSWER, "duration_s": float("inf")}],
        1,
        "duration_s is no finite number",
    ),
    "more tokens than fit": (
        [USER, {**ANSWER, "total_tokens": 2**63}],
        1,
        "total_tokens is a number too large",
    ),
    "text that is a deep list": ([USER, {**ANSWER, "model": deep(20_000)}], 1, "model is a"),
    "part of a deep type": (
        [{**USER, "content": [{"type": deep(20_000)}]}, ANSWER],
        0,
        "part of type a large dict",
    ),
    "images that are no text": ([{**USER, "images": [3]}, ANSWER], 0, "no list of addresses"),
    "stale perhaps": ([{**USER, "stale": "perhaps"}, ANSWER], 0, "stale is 'perhaps'"),
    "model that is a number": ([USER, {**ANSWER, "model": 3}], 1, "model is 3, not text"),
    "two conversations": (
        [
            {**USER, "conversation": "a"},
            {**ANSWER, "conversation": "a"},
            {**USER, "conversation": "b"},
        ],
        2,
        "conversation 'b', the rows before are of 'a'",
    ),
}


@pytest.mark.parametrize(("chat", "row", "told"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_the_first_wrong_row_is_named_with_what_to_do(
    chat: list[dict[str, Any]], row: int, told: str
) -> None:
    with pytest.raises(UsageError, match=f"^row {row}: .*{told}.*counted from 0"):
        turns_of(chat)
    with pytest.raises(UsageError, match=f"^row {row}: "):
        turns_of(pd.DataFrame(chat, dtype=object))


@pytest.mark.parametrize("wrong", ["hello", b"hello", USER, 3, None])
def test_what_is_no_list_of_messages_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"Give \[\{'role'"):
        turns_of(wrong)


def test_a_lazy_table_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="collect"):
        turns_of(pl.LazyFrame([USER, ANSWER]))


def test_a_row_that_is_no_dict_is_named() -> None:
    with pytest.raises(UsageError, match=r"^row 1: A message is a dict, not str"):
        turns_of([USER, "Sunny."])


def test_a_table_without_roles_is_refused() -> None:
    with pytest.raises(UsageError, match="no column role"):
        turns_of(pd.DataFrame({"speaker": ["user"], "content": ["hello"]}))


def test_a_table_with_two_columns_of_a_name_is_refused() -> None:
    frame = pd.DataFrame([["user", "a", "b"]], columns=["role", "content", "content"])
    with pytest.raises(UsageError, match="several columns content"):
        turns_of(frame)


def test_json_that_nests_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^row 1: params"):
        turns_of([USER, {**ANSWER, "params": "[" * 200_000}])


def test_parameters_of_a_hundred_levels_come_back() -> None:
    (turn,) = turns_of([USER, {**ANSWER, "params": deep(100)}])
    assert turn.params == deep(100)
    (again,) = turns_of(records_of([turn]))
    assert again.params == deep(100)
