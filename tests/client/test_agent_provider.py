"""An agent used as a model: what is sent, what is refused, and what is returned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.providers import in_cloud, parse_model_spec
from cbai_notebook.client.settings import Settings
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.errors import (
    ConfigurationError,
    NotFoundError,
    RequestTimeoutError,
    StreamCutError,
    UsageError,
)
from tests.client.streams import read
from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_settings

MakeModel = Callable[..., Model]
HI = [{"role": "user", "content": "Hi"}]
SETTINGS = Settings(env_id="e", api_key="sk-1")


@pytest.fixture
def make_model(sender: HTTPTransport, gateway: Gateway) -> MakeModel:
    """Return a function that creates the model of agents."""

    def make(*, timeout: Any = None, **changes: Any) -> Model:
        settings = gateway_settings(gateway, timeout=timeout, **changes)
        return create_model("agent", settings=settings, transport=sender)

    return make


async def test_it_streams_as_a_model_does(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.script(Scenario(text="I am a poet."))
    stream = await make_model().stream_text(model="bot-poet", messages=HI)
    assert "".join(await read(stream.text_stream)) == "I am a poet."
    answer = await stream.finish()
    assert answer.text == "I am a poet."
    assert answer.record_id == "record-000001"
    assert gateway.last.path.endswith("/aibot/bots/bot-poet/send-message")


async def test_a_whole_answer_is_read_from_the_stream(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="whole"))
    answer = await make_model().generate_text(model="bot-poet", messages=HI)
    assert (answer.text, answer.finish_reason, answer.agent_id) == ("whole", "stop", "bot-poet")


async def test_the_last_message_is_said_and_the_others_are_the_history(
    make_model: MakeModel, gateway: Gateway
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    chat = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": [{"type": "text", "text": "What is the weather?"}]},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": "It rains."},
        {"role": "user", "content": "And tomorrow?"},
    ]
    await make_model().generate_text(
        model="bot-reader", messages=chat, search=True, conversation_id="conv-1"
    )
    body = gateway.last.json
    assert body["msg"] == "And tomorrow?"
    assert body["history"] == [
        {"role": "user", "content": "What is the weather?"},
        {"role": "assistant", "content": "Let me look.\n\nIt rains."},
    ]
    assert (body["searchEnable"], body["conversationId"]) == (True, "conv-1")
    assert "pirate" not in str(body)


async def test_images_go_along_by_their_address_only(
    make_model: MakeModel, gateway: Gateway
) -> None:
    def seeing(url: str) -> list[dict[str, Any]]:
        image = {"type": "image_url", "image_url": {"url": url}}
        return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}]

    model = make_model()
    await model.generate_text(model="bot-poet", messages=seeing("https://example.com/cat.png"))
    assert gateway.last.json["files"] == ["https://example.com/cat.png"]
    with pytest.raises(UsageError, match="https address"):
        await model.generate_text(
            model="bot-poet", messages=seeing("data:image/png;base64,iVBORw0KGgo=")
        )
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0},
        {"max_tokens": 9},
        {"tools": [len]},
        {"response_type": dict},
        {"think": False},
        {"no_such": "thing"},
    ],
)
async def test_what_an_agent_does_not_take_is_refused_by_name(
    make_model: MakeModel, gateway: Gateway, params: dict[str, Any]
) -> None:
    (name,) = params
    for asking in (make_model().stream_text, make_model().generate_text):
        with pytest.raises(UsageError, match=name):
            await asking(model="bot-poet", messages=HI, **params)
    with pytest.raises(UsageError, match=name):
        await make_model().prepare(True, model="bot-poet", messages=HI, **params)
    assert gateway.requests == []


async def test_what_is_not_given_is_no_parameter(make_model: MakeModel, gateway: Gateway) -> None:
    await make_model().generate_text(model="bot-poet", messages=HI, temperature=None, tools=[])
    assert set(gateway.last.json) == {"botId", "msg", "history"}


def test_what_an_agent_does_not_take_is_refused_before_there_is_a_request(
    make_model: MakeModel,
) -> None:
    model = make_model()
    model.check(model="bot-poet", messages=HI, search=True, tools=[])
    with pytest.raises(UsageError, match="temperature"):
        model.check(model="bot-poet", messages=HI, temperature=0)


def test_the_agents_are_a_provider_beside_the_others() -> None:
    provider = provider_for("agent")
    with pytest.raises(UsageError, match="id of an agent"):
        asyncio.run(provider.endpoint("../models", SETTINGS))
    endpoint = asyncio.run(provider.endpoint("bot-poet", SETTINGS))
    assert (endpoint.provider, endpoint.label) == ("agent", "agent bot-poet")
    assert endpoint.url == "https://e.api.tcloudbasegateway.com/v1/aibot/bots/bot-poet/send-message"


@pytest.mark.parametrize(
    "messages",
    [None, [], "Hi", ["Hi"], [{"role": "assistant", "content": "Hi"}], [{"role": "user"}]],
)
async def test_messages_that_say_nothing_are_refused(
    make_model: MakeModel, gateway: Gateway, messages: Any
) -> None:
    with pytest.raises(UsageError):
        await make_model().generate_text(model="bot-poet", messages=messages)
    assert gateway.requests == []


async def test_the_request_can_be_seen_without_being_sent(
    make_model: MakeModel, gateway: Gateway
) -> None:
    request = await make_model().prepare(True, model="bot-poet", messages=HI)
    assert request.url.endswith("/aibot/bots/bot-poet/send-message")
    assert request.shown()["body"] == {"botId": "bot-poet", "msg": "Hi", "history": []}
    assert "test-key" not in str(request.shown())
    assert gateway.requests == []


async def test_an_agent_must_be_named_or_configured(
    make_model: MakeModel, gateway: Gateway
) -> None:
    with pytest.raises(ConfigurationError, match="model='BOT_ID'"):
        await make_model().generate_text(messages=HI)
    configured = make_model(provider="agent", model="bot-third")
    await configured.generate_text(messages=HI)
    assert "/bot-third/" in gateway.last.path


@pytest.mark.parametrize("bad", ["../models", "bot/poet", "bot poet", "bot?x"])
async def test_an_id_leads_nowhere_else(make_model: MakeModel, gateway: Gateway, bad: str) -> None:
    with pytest.raises(UsageError, match="id of an agent"):
        await make_model().generate_text(model=bad, messages=HI)
    assert gateway.requests == []


async def test_failures_are_those_of_agents(make_model: MakeModel, gateway: Gateway) -> None:
    with pytest.raises(NotFoundError, match="bot-ghost"):
        await make_model().generate_text(model="bot-ghost", messages=HI)
    gateway.script("say:one two three four five+cut:3")
    with pytest.raises(StreamCutError) as failure:
        await make_model().generate_text(model="bot-poet", messages=HI)
    assert failure.value.partial
    gateway.script("hang:2")
    with pytest.raises(RequestTimeoutError):
        await make_model(timeout={"answer": 0.3}).generate_text(model="bot-poet", messages=HI)


async def test_a_filtered_answer_says_so(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.script(Scenario(text="Once upon", finish_reason="content_filter"))
    answer = await make_model().generate_text(model="bot-poet", messages=HI)
    assert answer.text == "Once upon"
    assert "filter" in answer.note


def test_an_agent_is_written_as_a_model_and_is_none_of_the_clouds_models() -> None:
    assert parse_model_spec("agent/bot-poet", Settings()) == ("agent", "bot-poet")
    assert repr(create_model("agent")) == "<Model of agent>"
    assert not in_cloud("agent")
    assert not in_cloud("hunyuan-image")
    assert in_cloud("cloudbase")
