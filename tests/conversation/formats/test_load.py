"""Exports and message files of other programs can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.formats import FORMS, parse, read_file, read_turns
from cbai_notebook.errors import UsageError
from tests.conversation.formats.samples import HOSTILE, HOSTILE_IDS, TOOL_STEPS, text_of, texts
from tests.conversation.turns import conversation, turn

USER = {"role": "user", "content": "a"}
ASSISTANT = {"role": "assistant", "content": "b"}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def full(text: str, params: dict[str, Any]) -> Conversation:
    return conversation(
        turn(
            text,
            text,
            system=text,
            params=params,
            images=("data:image/png;base64,AAAA",),
            steps=({**TOOL_STEPS[0], "content": text}, {**TOOL_STEPS[1], "content": text}),
            finish_reason="stop",
            prompt_tokens=1,
            completion_tokens=2,
            total_tokens=3,
            cell_id=text,
        ),
        turn("stopped", "half", status="cancelled", stale=True),
        turn("lost", status="failed", error=text, model=None, duration_s=None),
        turn("never asked", status="asked"),
        name=text,
    )


@given(texts(), st.dictionaries(texts(), JSON_VALUES, min_size=1, max_size=3))
def test_the_messages_form_loses_nothing(text: str, params: dict[str, Any]) -> None:
    talk = full(text, params)
    assert parse(text_of(talk, "messages"), "file") == [talk.messages]


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_the_messages_form_survives_a_file(text: str, tmp_path: Path) -> None:
    talk = full(text, {text: text})
    file = tmp_path / "talk.messages.jsonl"
    file.write_text(text_of(talk, "messages"), "utf-8", newline="")
    assert read_file(file) == [talk.messages]
    # Also for a reader that knows more line ends than JSON Lines, each message is one line.
    assert len(file.read_bytes().decode().splitlines()) == len(talk.messages)


@given(texts())
def test_the_fine_tuning_form_holds_whole_answers_with_their_tools(text: str) -> None:
    (messages,) = parse(text_of(full(text, {}), "jsonl"), "file")
    assert [message["role"] for message in messages] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert messages[-1] == {"role": "assistant", "content": text}
    assert messages[2]["tool_calls"] == TOOL_STEPS[0]["tool_calls"]
    assert messages[3]["tool_call_id"] == "call_1"


def test_the_fine_tuning_form_is_one_line() -> None:
    assert text_of(conversation(turn("你好", "Hello"), turn("x", "y")), "jsonl").count("\n") == 1
    assert text_of(conversation(turn("lost", status="failed")), "jsonl") == ""


def test_conversations_are_told_apart_by_name() -> None:
    first, second = conversation(turn("a", "b")), conversation(turn("c", "d"), name="other")
    both = text_of(first, "messages") + text_of(second, "messages")
    assert parse(both, "file") == [first.messages, second.messages]


@pytest.mark.parametrize(
    ("value", "conversations"),
    [
        ([USER, ASSISTANT], 1),
        ({"messages": [USER, ASSISTANT]}, 1),
        ({"model": "hy3", "messages": [USER, ASSISTANT]}, 1),
        ([[USER, ASSISTANT], [USER, ASSISTANT]], 2),
        ([{"messages": [USER, ASSISTANT]}] * 3, 3),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n  "])
def test_message_lists_are_read(
    value: Any, conversations: int, indent: int | None, before: str, tmp_path: Path
) -> None:
    file = tmp_path / "talk.json"
    file.write_text(before + json.dumps(value, indent=indent), "utf-8")
    assert read_file(file) == [[USER, ASSISTANT]] * conversations


def test_lines_may_hold_conversations_or_messages() -> None:
    whole = json.dumps({"messages": [USER, ASSISTANT]})
    assert parse(f"{whole}\r\n\r\n{whole}\r\n", "file") == [[USER, ASSISTANT]] * 2
    assert parse(f"[{json.dumps(USER)}]\n[{json.dumps(USER)}]", "file") == [[USER], [USER]]
    assert parse(f"{json.dumps(USER)}\n{json.dumps(ASSISTANT)}\n", "file") == [[USER, ASSISTANT]]
    assert parse(json.dumps(USER), "file") == [[USER]]


def test_keys_that_nobody_knows_stay() -> None:
    message = {**USER, "weight": 1, "name": "Ann", "created_at": "yesterday"}
    assert parse(json.dumps([message]), "file") == [[message]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"talk\.x is empty"),
        (" \n", r"talk\.x is empty"),
        ("[]", "holds no message"),
        ("hello", "line 1: this is no JSON"),
        ('{"role": "user", "content": "a"}\n{"role": ', "line 2: this is no JSON"),
        ('[\n {"role": "user"},\n {"role": }\n]', "line 3: this is no JSON"),
        ('{"role": "user", "content": NaN}', "NaN is no JSON"),
        ('{"role": "user"}\n\n{"content": "a"}', 'line 3: a message needs a "role"'),
        ('{"role": "user"}\n7', "line 2: messages must be a list, not a number"),
        ('{"messages": "a"}', "messages must be a list, not text"),
        ('{"messages": [{"role": "user"}, null]}', "message 2: a message must be an object"),
        ('[[{"role": "user"}], [{}]]', "conversation 2, message 1: a message needs"),
        ('{"cells": [], "nbformat": 4}', "this is a notebook"),
        ("[" * 100_000, "nested too deep"),
        ("[" * 500 + "]" * 500, "conversation 1, message 1: a message must be an object"),
        ('{"role": "user", "n": ' + "9" * 5000 + "}", "this is no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse(text, "talk.x")
    assert str(caught.value).startswith("talk.x")


ODD_VALUES = {
    "deep": '"params": {"a": %s}' % ("[" * 300 + "]" * 300),
    "too deep": '"params": {"a": %s}' % ("[" * 50_000 + "]" * 50_000),
    "deep calls": '"tool_calls": %s' % ("[" * 300 + "]" * 300),
    "deep part": '"content": [{"type": %s}]' % ("[" * 900 + "]" * 900),
    "no number": '"params": {"a": NaN}',
    "infinite": '"params": {"a": 1e999}',
    "infinite time": '"duration_s": -1e999',
    "long number": '"params": {"a": %s}' % ("9" * 5000),
    "many tokens": '"total_tokens": 9223372036854775808',
    "list": '"params": [1]',
    "text": '"params": "x"',
    "messages": '"params": {"messages": []}',
    "tools": '"params": {"tools": [1]}',
    "no truth": '"params": {"think": {"a": 1}}',
    "other role": '"extra": {"role": "system"}',
    "model": '"model": {"a": 1}',
    "no text": '"content": 3',
    "no time": '"created_at": 5',
    "function": '"function_call": {"name": "f"}',
    "status": '"status": "\\u001b[31m"',
}


@pytest.mark.parametrize("odd", ODD_VALUES.values(), ids=ODD_VALUES)
def test_an_odd_value_is_refused_with_its_line(odd: str, tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    answer = f'{{"role": "assistant", "content": "b", {odd}}}'
    good = f"{json.dumps(USER)}\n{json.dumps(ASSISTANT)}\n"
    file.write_text(f"{good}\n{json.dumps(USER)}\n{answer}\n{good}", "utf-8")
    with pytest.raises(UsageError) as caught:
        read_turns(file)
    said = str(caught.value)
    assert said.startswith(f"{file}, line 5: ")
    assert said.isprintable()
    assert len(said) < len(str(file)) + 400


def test_a_wrong_message_of_a_list_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    wrong = {**ASSISTANT, "params": [1]}
    file.write_text(json.dumps([USER, ASSISTANT, USER, wrong], indent=1), "utf-8")
    with pytest.raises(UsageError, match=r"talk\.json, message 4: The params is no dict"):
        read_turns(file)
    file.write_text(f"{json.dumps(USER)}\n" + json.dumps({"messages": [USER, wrong]}), "utf-8")
    with pytest.raises(UsageError, match=r"talk\.json, line 1: This user's message has no answer"):
        read_turns(file)
    lines = [{"messages": [USER, ASSISTANT]}, {"messages": [USER, wrong]}]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    with pytest.raises(UsageError, match=r"talk\.json, line 2, message 2: The params"):
        read_turns(file)


def test_markdown_is_to_read_and_the_error_says_what_to_import() -> None:
    with pytest.raises(UsageError, match="form messages"):
        parse(text_of(conversation(turn("a", "b")), "markdown"), "talk.md")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.jsonl could not be read"):
        read_file(tmp_path / "nothing.jsonl")
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(b'{"role": "user"}\n\xff\xfe')
    with pytest.raises(UsageError, match=r"odd\.jsonl, line 2: this is no UTF-8"):
        read_file(odd)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text, "file")
    except UsageError:
        return
    assert all(isinstance(message["role"], str) for messages in found for message in messages)


@pytest.mark.parametrize("form", [form.name for form in FORMS if form.suffix])
def test_every_form_is_read_or_refused_with_advice(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"talk{next(one.suffix for one in FORMS if one.name == form)}"
    file.write_text(text_of(conversation(turn("a", "b")), form), "utf-8")
    if form in ("messages", "jsonl"):
        assert [message["role"] for message in read_file(file)[0]] == ["user", "assistant"]
    else:
        with pytest.raises(UsageError, match="messages"):
            read_file(file)
