"""Answers as other servers write them: names of the thinking, parts, refusals, usage, more fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway import Gateway, Scenario, reading
from tests.gateway.asking import ask
from tests.gateway.events import CACHED_TOKENS
from tests.gateway.tools import SHAPES, Call, calling

WHY, TEA = "Boil it first.", "Green tea."
THOUGHT = Scenario(reasoning=WHY, text=TEA)


def answers(gateway: Gateway, scenario: Scenario | str) -> tuple[list[dict[str, Any]], Any]:
    """Return the choices of each chunk of a stream, and the message of a whole answer."""
    gateway.script(scenario, scenario)
    chunks = reading.chunks(ask(gateway, "any").content)
    whole = ask(gateway, "any", stream=False).json()
    return [one["choices"][0] for one in chunks if one["choices"]], whole["choices"][0]["message"]


def deltas(choices: list[dict[str, Any]], name: str) -> list[Any]:
    """Return a field of every delta that has it, without empty ones."""
    return [one["delta"][name] for one in choices if one["delta"].get(name)]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "both"])
def test_thinking_has_the_field_asked_for(gateway: Gateway, name: str) -> None:
    choices, message = answers(gateway, THOUGHT.but(thinking=name))
    for field in ("reasoning_content", "reasoning"):
        wanted = WHY if name in ("both", field) else ""
        assert "".join(deltas(choices, field)) == message.get(field, "") == wanted
    assert "".join(deltas(choices, "content")) == message["content"] == TEA


def test_thinking_can_be_a_list_of_details(gateway: Gateway) -> None:
    choices, message = answers(gateway, THOUGHT.but(thinking="reasoning_details"))
    details = [one for delta in deltas(choices, "reasoning_details") for one in delta]
    assert {(one["type"], one["index"]) for one in details} == {("reasoning.text", 0)}
    assert "".join(one["text"] for one in details) == WHY
    assert [one["text"] for one in message["reasoning_details"]] == [WHY]


def test_thinking_can_be_parts_of_the_content(gateway: Gateway) -> None:
    choices, message = answers(gateway, THOUGHT.but(thinking="parts"))
    contents = deltas(choices, "content")
    parts = [part for one in contents if isinstance(one, list) for part in one]
    assert {part["type"] for part in parts} == {"thinking"}
    assert "".join(part["thinking"][0]["text"] for part in parts) == WHY
    assert "".join(one for one in contents if isinstance(one, str)) == TEA
    thinking, text = message["content"]
    assert (thinking["thinking"][0]["text"], text["text"]) == (WHY, TEA)


def test_thinking_can_be_in_tags(gateway: Gateway) -> None:
    choices, message = answers(gateway, THOUGHT.but(thinking="tags"))
    assert "".join(deltas(choices, "content")) == message["content"]
    assert message["content"] == f"<think>{WHY}</think>{TEA}"
    cut = ask(gateway, "thinking:tags+stop:3").content
    assert reading.joined(cut).startswith("<think>")
    assert "</think>" not in reading.joined(cut)


@pytest.mark.parametrize("kind", ["parts", "object"])
def test_content_can_be_parts_or_an_object(gateway: Gateway, kind: str) -> None:
    choices, message = answers(gateway, f"say:{TEA}+content:{kind}")
    contents = [*deltas(choices, "content"), message["content"]]
    flat = [part for one in contents for part in (one if kind == "parts" else [one])]
    assert {part["type"] for part in flat} == {"text"}
    assert "".join(part["text"] for part in flat) == TEA * 2


def test_a_delta_can_have_another_name(gateway: Gateway) -> None:
    choices, _ = answers(gateway, f"say:{TEA}+delta:message")
    assert "".join(one["message"].get("content", "") for one in choices) == TEA
    assert all("delta" not in one for one in choices)
    choices, message = answers(gateway, f"say:{TEA}+delta:both")
    assert all(one["delta"] == one["message"] for one in choices)
    assert message["content"] == "".join(deltas(choices, "content")) == TEA
    choices, _ = answers(gateway, f"say:{TEA}+delta:so-far")
    assert [one["message"]["content"] for one in choices] == ["", "Green", "Green tea", TEA, TEA]
    assert "".join(deltas(choices, "content")) == TEA


def test_a_refusal_comes_in_tokens(gateway: Gateway) -> None:
    choices, message = answers(gateway, "refusal:Not that: no.+finish:content_filter")
    assert len(deltas(choices, "refusal")) > 1
    assert "".join(deltas(choices, "refusal")) == message["refusal"] == "Not that: no."
    assert deltas(choices, "content") == []
    assert message["content"] is None
    assert choices[-1]["finish_reason"] == "content_filter"
    choices, message = answers(gateway, "say:Well.+refusal:No.")
    assert "".join(deltas(choices, "content")) == message["content"] == "Well."


def test_a_message_can_have_more_fields(gateway: Gateway) -> None:
    choices, message = answers(gateway, 'say:a+field:seal:{"google": 1}+field:mood:null')
    assert choices[0]["delta"]["seal"] == message["seal"] == {"google": 1}
    assert message["mood"] is None


def test_usage_comes_in_other_places(gateway: Gateway) -> None:
    def streamed(how: str) -> list[dict[str, Any]]:
        return reading.chunks(ask(gateway, f"say:a b c+usage:{how}").content)

    def whole(how: str) -> Any:
        return ask(gateway, f"say:a b c+usage:{how}", stream=False).json()

    first, *rest = streamed("first")
    assert first["usage"]["completion_tokens"] == 3
    assert not any("usage" in one for one in rest)
    *others, last = streamed("choice")
    assert last["choices"][0]["usage"]["completion_tokens"] == 3
    assert not any("usage" in one for one in [*others, last])
    assert whole("choice")["choices"][0]["usage"]["completion_tokens"] == 3
    *others, last = streamed("x-groq")
    assert last["x_groq"]["usage"]["completion_tokens"] == 3
    assert "usage" not in last
    assert whole("x-groq")["x_groq"]["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_usage_can_have_cached_tokens(gateway: Gateway, name: str) -> None:
    assert ask(gateway, f"cached:{name}", stream=False).json()["usage"][name] == CACHED_TOKENS
    usage = ask(gateway, "cached:prompt_tokens_details", stream=False).json()["usage"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": CACHED_TOKENS}


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_in_every_shape_say_the_same(gateway: Gateway, shape: str) -> None:
    seal = {"google": {"thought_signature": "c2Vh"}}
    made = calling(
        Call("brew", {"cups": 2}),
        "pour",
        shape=shape,
        reasoning=WHY,
        thinking="reasoning",
        call_fields={"extra_content": seal},
        message_fields={"mood": "calm"},
    )
    choices, message = answers(gateway, made)
    fragments = [part for one in deltas(choices, "tool_calls") for part in one]
    named = [part["function"].get("name") for part in fragments if part["function"].get("name")]
    assert set(named) == {"brew", "pour"}
    written = [part["function"]["arguments"] for part in fragments]
    if shape == "objects":
        assert written == [{"cups": 2}, {}]
    else:
        assert sorted("".join(written)) == sorted('{"cups": 2}{}')
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["brew", "pour"]
    assert all(call["extra_content"] == seal for call in message["tool_calls"])
    assert any(part.get("extra_content") == seal for part in fragments)
    assert message["reasoning"] == "".join(deltas(choices, "reasoning")) == WHY
    assert message["mood"] == "calm"
    assert "reasoning_content" not in message


def test_fragments_count_up_or_end_elsewhere_or_repeat(gateway: Gateway) -> None:
    def fragments(shape: str) -> list[dict[str, Any]]:
        choices, _ = answers(gateway, calling(Call("brew", {"n": 1}), "pour", shape=shape))
        return [part for one in deltas(choices, "tool_calls") for part in one]

    counting = fragments("counting-index")
    assert [part["index"] for part in counting] == list(range(len(counting)))
    assert [part.get("id") for part in counting if "id" in part] == ["call_0", "call_1"]
    tails = fragments("other-tail")
    assert [part["index"] for part in tails] == [0, 1, 2, 3]
    assert [sorted(part["function"]) for part in tails[1::2]] == [["arguments"]] * 2
    assert all(part["id"] and part["function"]["name"] for part in fragments("repeated-names"))
    assert [part["id"] for part in fragments("empty-ids")].count("") > 2


def test_a_label_can_be_wrong(gateway: Gateway) -> None:
    got = ask(gateway, "say:a+type:application/json")
    assert got.headers["content-type"] == "application/json"
    assert reading.joined(got.content) == "a"
    assert json.loads(ask(gateway, "say:a+no-stream+type:text/event-stream").content)["choices"]
