"""Servers that want their own fields back with the tool calls, and refuse what they do not know."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.errors import CbaiError
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.streams import both
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling

SEAL = {"google": {"thought_signature": "c2VhbGVk"}}
DETAILS = [{"type": "reasoning.encrypted", "data": "c2VhbGVk", "index": 0}]

TAGGED = "<think>Hm.</think>At once."


def weigh(grams: int) -> str:
    """Weigh the leaves."""
    return f"{grams} g"


async def ask(model: Any, stream: bool, messages: list[dict[str, Any]]) -> Any:
    """Ask with a tool, and return the answer."""
    params = {"model": "m", "messages": messages, "tools": [weigh]}
    if stream:
        return await (await model.stream_text(**params)).finish()
    return await model.generate_text(**params)


@both
@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("reasoning_content", {"reasoning": "How many?"}),
        ("reasoning", {"reasoning": "How many?", "thinking": "reasoning"}),
        ("reasoning_details", {"message_fields": {"reasoning_details": DETAILS}}),
        ("extra_content", {"call_fields": {"extra_content": SEAL}}),
        ("thought_signature", {"message_fields": {"thought_signature": "c2VhbGVk"}}),
    ],
)
async def test_a_field_goes_back_with_the_calls(
    make_model: MakeModel, gateway: Gateway, stream: bool, field: str, more: dict[str, Any]
) -> None:
    model = make_model("custom")
    strict = Scenario(text="Enough.", needs=(field,))
    gateway.script(calling(Call("weigh", {"grams": 3}), **more), strict, strict)
    answer = await ask(model, stream, MESSAGES)
    assert answer.text == "Enough."
    # The same holds for the next question: its past has the calls too.
    later = [*answer.messages, {"role": "user", "content": "And now?"}]
    assert (await ask(model, stream, later)).text == "Enough."
    assert len(gateway.requests) == 3


@both
async def test_nothing_is_sent_that_the_server_did_not_send(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    strict = Scenario(
        text="Enough.", refuses=("index", "reasoning_content", "refusal", "reasoning", "audio")
    )
    gateway.script(calling(Call("weigh", {"grams": 3}), "weigh"), strict)
    assert (await ask(make_model("custom"), stream, MESSAGES)).text == "Enough."


@both
async def test_thinking_without_calls_does_not_go_back(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    model = make_model("custom")
    thinking = Scenario(text="Yes.", reasoning="Hm.")
    for name in ("reasoning_content", "reasoning", "both", "reasoning_details", "tags"):
        strict = Scenario(
            text="No.", refuses=("reasoning_content", "reasoning", "reasoning_details")
        )
        gateway.script(thinking.but(thinking=name), strict)
        first = await ask(model, stream, MESSAGES)
        assert first.reasoning == "Hm."
        assert (
            await ask(model, stream, [*first.messages, {"role": "user", "content": "?"}])
        ).text == "No."
        assert "<think>" not in str(gateway.last.json)


@both
@pytest.mark.parametrize("content", [TAGGED, [{"type": "text", "text": TAGGED}]])
async def test_thinking_in_tags_does_not_go_back_with_calls(
    make_model: MakeModel, gateway: Gateway, stream: bool, content: Any
) -> None:
    strict = Scenario(text="Enough.", refuses=("reasoning_content", "reasoning", "<think>"))
    call = calling(Call("weigh", {"grams": 3}), message_fields={"content": content})
    gateway.script(call, strict)
    answer = await ask(make_model("custom"), stream, MESSAGES)
    assert answer.text == "Enough."
    assert answer.steps[0].response.reasoning == "Hm."
    assert gateway.last.json["messages"][1]["content"] == "At once."
    assert "Hm." not in str(gateway.last.json)
    assert len(gateway.requests) == 2


@both
async def test_a_refused_field_is_named(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    gateway.always(Scenario(refuses=("tools",)))
    with pytest.raises(CbaiError, match="'tools'") as raised:
        await ask(make_model("custom"), stream, MESSAGES)
    assert raised.value.status == 400


@both
@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("reasoning_content", {"reasoning": "How many?"}),
        ("reasoning", {"reasoning": "How many?", "thinking": "reasoning"}),
        ("thought_signature", {"message_fields": {"thought_signature": "c2VhbGVk"}}),
        ("extra_content", {"call_fields": {"extra_content": SEAL}}),
    ],
)
async def test_a_field_that_a_server_refuses_is_left_out_from_then_on(
    make_model: MakeModel, gateway: Gateway, stream: bool, field: str, more: dict[str, Any]
) -> None:
    model = make_model("custom")
    strict = Scenario(text="Enough.", refuses=(field,))
    gateway.script(calling(Call("weigh", {"grams": 3}), **more), strict, strict, strict)
    answer = await ask(model, stream, MESSAGES)
    assert answer.text == "Enough."
    assert len(gateway.requests) == 3, "the second request was refused, the third was not"
    later = [*answer.messages, {"role": "user", "content": "And now?"}]
    assert (await ask(model, stream, later)).text == "Enough."
    assert len(gateway.requests) == 4
