"""``before_send`` sees and changes the messages of every request, and can refuse it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.errors import ConfigurationError, PromptRefusedError, UsageError
from tests.client.streams import both
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_settings

PHONE, HIDDEN = "13812345678", "<phone>"
ASK = [{"role": "user", "content": f"Call {PHONE}"}]


def mask(messages: list[Any]) -> list[Any]:
    """Hide the phone number, in the list itself: it is a copy."""
    for number, message in enumerate(messages):
        messages[number] = json.loads(json.dumps(message).replace(PHONE, HIDDEN))
    return messages


async def mask_later(messages: list[Any]) -> list[Any]:
    """Hide the phone number, asynchronously."""
    await asyncio.sleep(0)
    return mask(messages)


def refuse(messages: list[Any]) -> list[Any]:
    """Refuse every request."""
    raise ValueError("there is a phone number")


async def answer_of(asked: Model, stream: bool, **params: Any) -> Answer:
    """Return the complete answer, read from a stream or not."""
    if not stream:
        return await asked.generate_text(**params)
    async with await asked.stream_text(**params) as running:
        return await running.finish()


@pytest.fixture
def configured(gateway: Gateway) -> Iterator[None]:
    """Send the requests of the test to the gateway."""
    cbai.configure(base_url=gateway.base_url, api_key=gateway.key)
    yield
    cbai.configure(base_url=None, api_key=None, before_send=None)


@both
@pytest.mark.parametrize("hook", [mask, mask_later], ids=["sync", "async"])
async def test_every_request_has_the_changed_messages_and_the_answer_the_given_ones(
    configured: None, gateway: Gateway, stream: bool, hook: Any
) -> None:
    cbai.configure(before_send=hook)
    messages = [dict(message) for message in ASK]
    answer = await answer_of(cbai.create_model("cloudbase"), stream, model="m", messages=messages)
    assert gateway.last.json["messages"] == [{"role": "user", "content": f"Call {HIDDEN}"}]
    assert messages == ASK
    assert answer.messages[:1] == ASK


@both
async def test_the_results_of_tools_are_seen_too(
    configured: None, gateway: Gateway, stream: bool
) -> None:
    def look_up(name: str) -> str:
        """Look up a number."""
        return f"{name}: {PHONE}"

    cbai.configure(before_send=mask)
    gateway.script(calling(Call("look_up", {"name": "Li"})), Scenario(text="Done"))
    model = cbai.create_model("cloudbase")
    answer = await answer_of(model, stream, model="m", messages=ASK, tools=[look_up])
    assert f"Li: {HIDDEN}" in json.dumps(gateway.last.json, ensure_ascii=False)
    assert all(PHONE not in exchange.body.decode() for exchange in gateway.requests)
    assert answer.messages[-2]["content"] == f"Li: {PHONE}"


@both
async def test_a_refusal_sends_nothing(configured: None, gateway: Gateway, stream: bool) -> None:
    cbai.configure(before_send=refuse)
    with pytest.raises(PromptRefusedError, match="there is a phone number") as caught:
        await answer_of(cbai.create_model("cloudbase"), stream, model="m", messages=ASK)
    assert isinstance(caught.value.__cause__, ValueError)
    assert gateway.requests == []


async def test_an_agent_gets_the_changed_message_and_history(
    configured: None, gateway: Gateway
) -> None:
    cbai.configure(before_send=mask, env_id="test-env")
    agent = cbai.agent("bot-poet")
    history = [{"role": "user", "content": f"I am {PHONE}"}]
    async with await agent.send_message(f"Call {PHONE}", history=history) as stream:
        await stream.finish()
    assert (gateway.last.json["msg"], gateway.last.json["history"][0]["content"]) == (
        f"Call {HIDDEN}",
        f"I am {HIDDEN}",
    )
    await agent.recommend_questions(f"Call {PHONE}")
    assert gateway.last.json["msg"] == f"Call {HIDDEN}"
    await agent.send_feedback("record-1", "up", question=PHONE, answer=PHONE)
    assert PHONE not in gateway.last.body.decode()
    await answer_of(cbai.create_model("agent"), True, model="bot-poet", messages=ASK)
    assert gateway.last.json["msg"] == f"Call {HIDDEN}"
    cbai.configure(env_id=None)


async def test_a_drawing_and_a_prepared_request_are_changed(
    configured: None, gateway: Gateway
) -> None:
    cbai.configure(before_send=mask)
    request = await cbai.create_image_model().prepare(prompt=f"A sign with {PHONE}")
    assert request.body["prompt"] == f"A sign with {HIDDEN}"
    shown = await cbai.create_model("cloudbase").prepare(True, model="m", messages=ASK)
    assert shown.body["messages"][0]["content"] == f"Call {HIDDEN}"


@pytest.mark.parametrize("wrong", [None, [], "text", [1]], ids=["None", "empty", "text", "number"])
async def test_what_is_no_list_of_messages_is_not_sent(gateway: Gateway, wrong: Any) -> None:
    settings = gateway_settings(gateway, before_send=lambda messages: wrong)
    with pytest.raises(UsageError, match="must return the list of messages"):
        await cbai.create_model("cloudbase", settings=settings).generate_text(
            model="m", messages=ASK
        )
    assert gateway.requests == []


def test_it_must_be_a_function() -> None:
    with pytest.raises(ConfigurationError, match="must be a function"):
        cbai.configure(before_send="mask")
    assert Settings().before_send is None


@pytest.mark.parametrize("own", [False, True], ids=["the usual settings", "its own settings"])
def test_a_prompt_with_a_model_of_its_own_is_screened_once(gateway: Gateway, own: bool) -> None:
    seen: list[Any] = []

    def note(messages: list[Any]) -> list[Any]:
        seen.append(messages)
        return mask(messages)

    settings = replace(gateway_settings(gateway), before_send=note)
    made = create_model("cloudbase", settings=gateway_settings(gateway) if own else settings)
    prepared = prepare(
        None, Prompt(ASK[0]["content"]), model=made, settings=settings if own else None
    )
    asyncio.run(ask(prepared))
    assert len(seen) == 1
    assert gateway.last.json["messages"] == [{"role": "user", "content": f"Call {HIDDEN}"}]


def test_a_checked_request_takes_nothing_beside_it(gateway: Gateway) -> None:
    made = create_model("cloudbase", settings=gateway_settings(gateway))
    checked = made.check(model="m", messages=ASK)
    assert asyncio.run(made.generate_text(checked)).text
    assert gateway.last.json["model"] == "m"
    for others in ({"temperature": 0.1}, {"timeout": 3}):
        with pytest.raises(UsageError, match="nothing else"):
            asyncio.run(made.generate_text(checked, **others))


def test_what_an_agent_cannot_take_is_no_turn(gateway: Gateway) -> None:
    settings = replace(
        gateway_settings(gateway),
        before_send=lambda messages: [*messages, {"role": "assistant", "content": "Yes?"}],
    )
    talk = Conversation("talk")
    prepared = prepare(talk, Prompt("Hi", provider="agent", model="bot-poet"), settings=settings)
    with pytest.raises(UsageError, match="not the user's"):
        asyncio.run(ask(prepared))
    assert (talk.turns, gateway.requests) == ((), [])
