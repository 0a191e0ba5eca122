"""The accumulator of a stream's chunks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.client.accumulator import Accumulator, fold
from cbai_notebook.client.chunk_reader import ChunkReader
from cbai_notebook.client.reply import reply_of


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "x", "object": "chat.completion.chunk", **more, "choices": list(choices)}


def delta(index: int = 0, **parts: Any) -> dict[str, Any]:
    return {"index": index, "delta": parts}


def test_text_is_joined_and_other_fields_keep_their_last_value() -> None:
    whole = merged(
        [
            chunk(delta(role="assistant", content="", mood="a"), system_fingerprint="1", note=None),
            chunk(delta(content="He", reasoning_content="h", refusal=None)),
            chunk(delta(content="llo", mood="b"), system_fingerprint="2"),
            chunk({"index": 0, "delta": {}, "finish_reason": "stop", "extra": [1]}, late=1),
        ]
    )
    assert whole == {
        "id": "x",
        "object": "chat.completion",
        "system_fingerprint": "2",
        "note": None,
        "late": 1,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant", "content": "Hello", "mood": "b",
                    "reasoning_content": "h", "refusal": None,
                },
                "finish_reason": "stop",
                "extra": [1],
            }
        ],
    }  # fmt: skip


def test_several_choices_are_kept_apart() -> None:
    chunks = [
        chunk(delta(1, content="b"), delta(0, content="a")),
        chunk(delta(0, content="A"), delta(1, content="B")),
    ]
    whole = merged(chunks)
    assert [c["message"]["content"] for c in whole["choices"]] == ["aA", "bB"]
    accumulator = accumulated(chunks)
    assert accumulator.text == "aA"
    assert [c.message.content for c in accumulator.choices] == ["aA", "bB"]


def test_usage_keeps_its_last_values_that_are_not_zero() -> None:
    usages = [
        {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3, "cached": 1},
        {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cached": 0},
        None,
    ]
    chunks = [chunk(usage=usage) for usage in usages]
    assert merged(chunks)["usage"] == {
        "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cached": 1,
    }  # fmt: skip
    usage = accumulated(chunks).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 2, 5)


def test_log_probabilities_are_joined() -> None:
    parts = [
        {"index": 0, "delta": {}, "logprobs": {"content": [n], "refusal": None}} for n in (1, 2)
    ]
    whole = merged([chunk(part) for part in parts])
    assert whole["choices"][0]["logprobs"] == {"content": [1, 2], "refusal": None}


def test_tool_calls_without_an_index_are_told_apart_by_their_id() -> None:
    parts = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}},
        {"function": {"arguments": "}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "[]"}},
        {"id": "a", "function": {"arguments": " "}},
    ]
    chunks = [chunk(delta(tool_calls=[part])) for part in parts]
    found = merged(chunks)["choices"][0]["message"]["tool_calls"]
    assert [(c["id"], c["function"]) for c in found] == [
        ("a", {"name": "f", "arguments": "{} "}),
        ("b", {"name": "g", "arguments": "[]"}),
    ]
    calls = calls_of(chunks)
    assert [(c["id"], c["function"]) for c in calls] == [(c["id"], c["function"]) for c in found]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
                {"index": 1, "id": "b", "function": {"name": "g", "arguments": "["}},
                {"index": 0, "function": {"arguments": ": 1}"}},
                {"index": 1, "function": {"arguments": "]"}},
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                {"index": 1, "id": "b", "function": {"name": "g", "arguments": "[]"}},
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}},
            ],
            id="the second first",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
                {"index": 0, "function": {"arguments": ": 1}"}},
                {"index": 0, "id": "b", "function": {"name": "g", "arguments": "["}},
                {"index": 0, "function": {"arguments": "]"}},
            ],
            id="every index is 0",
        ),
        pytest.param(
            [
                {"function": {"name": "f", "arguments": '{"x"'}},
                {"function": {"name": "f", "arguments": ": 1}"}},
                {"function": {"name": "g", "arguments": "[]"}},
            ],
            id="neither index nor id",
        ),
    ],
)
def test_fragments_go_to_the_call_that_they_belong_to(parts: list[dict[str, Any]]) -> None:
    for chunks in ([chunk(delta(tool_calls=parts))], [chunk(delta(tool_calls=[p])) for p in parts]):
        raw = merged(chunks)["choices"][0]["message"]["tool_calls"]
        for calls in (raw, calls_of(chunks)):
            functions = [(c["function"]["name"], c["function"]["arguments"]) for c in calls]
            assert functions == [("f", '{"x": 1}'), ("g", "[]")]


def test_the_same_tool_may_be_called_twice_without_index_and_id() -> None:
    part = {"function": {"name": "f", "arguments": "{}"}}
    calls = calls_of([chunk(delta(tool_calls=[part, part]))])
    assert [c["function"]["arguments"] for c in calls] == ["{}", "{}"]


def test_arguments_that_are_an_object_become_text() -> None:
    part = {"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}
    calls = calls_of([chunk(delta(tool_calls=[part]))])
    assert json.loads(calls[0]["function"]["arguments"]) == {"x": 1}


PIECES = st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=8)


@given(PIECES, PIECES)
def test_both_ways_of_adding_up_agree(
    contents: list[str | None], thoughts: list[str | None]
) -> None:
    chunks = [chunk(delta(content=text)) for text in contents]
    chunks += [chunk(delta(reasoning_content=text)) for text in thoughts]
    message = merged(chunks)["choices"][0]["message"] if chunks else {"content": ""}
    accumulator = accumulated(chunks)
    assert accumulator.text == (message["content"] or "") == "".join(filter(None, contents))
    assert accumulator.reasoning == (message.get("reasoning_content") or "")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "index", "tool_calls", "function", "arguments",
                 "usage", "logprobs", "id", "message", "reasoning_content", "finish_reason",
                 "prompt_tokens", "model", "created", "name"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(st.fixed_dictionaries({"choices": JSON, "usage": JSON, "id": JSON}), max_size=4))
def test_no_shape_of_chunk_breaks_it(chunks: list[dict[str, Any]]) -> None:
    accumulator = accumulated(chunks)
    assert isinstance(accumulator.text, str)
    assert accumulator.choices
    assert merged(chunks)["object"] == "chat.completion"


def accumulated(chunks: list[dict[str, Any]]) -> Accumulator:
    accumulator, reader = Accumulator(), ChunkReader()
    accumulator.add([*map(reader.chunk, chunks), reader.flush()])
    return accumulator


def merged(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    return fold(chunks, accumulated(chunks).choices)


def calls_of(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reply = reply_of(merged(chunks))
    assert reply is not None
    calls: list[dict[str, Any]] = reply["tool_calls"]
    return calls
