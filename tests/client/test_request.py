"""Requests as they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook import __version__
from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.providers import Endpoint, register_provider
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import ConfigurationError, UsageError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway

SETTINGS = Settings(env_id="e", api_key="sk-1")
MODEL = create_model("cloudbase", settings=SETTINGS)


@pytest.mark.parametrize("stream", [True, False])
async def test_both_call_shapes_make_the_same_request(stream: bool) -> None:
    params: dict[str, Any] = {"model": "hy3", "messages": MESSAGES, "temperature": 0.5}
    as_words = await MODEL.prepare(stream, **params)
    assert await MODEL.prepare(stream, params) == as_words
    assert await MODEL.prepare(stream, data=params) == as_words
    assert await MODEL.prepare(stream, {**params, "temperature": 1}, temperature=0.5) == as_words


async def test_a_whole_answer_is_asked_for_as_the_sdks_do() -> None:
    request = await MODEL.prepare(False, model="hy3", messages=MESSAGES)
    assert request.body == {"model": "hy3", "messages": MESSAGES, "stream": False}
    assert list(request.body) == ["model", "messages", "stream"]
    assert request.method == "POST"
    assert request.headers == {
        "Content-Type": "application/json",
        "Accept": "*/*",
        "User-Agent": f"cbai-notebook/{__version__}",
        "Authorization": "Bearer sk-1",
    }


async def test_a_stream_asks_for_events_for_usage_and_for_no_compression() -> None:
    request = await MODEL.prepare(True, model="hy3", messages=MESSAGES)
    assert request.streams
    assert request.body["stream"] is True
    assert request.body["stream_options"] == {"include_usage": True}
    assert request.headers["Accept"] == "text/event-stream"
    assert request.headers["Accept-Encoding"] == "identity"


async def test_usage_is_not_asked_for_where_it_is_not_taken_or_not_wanted() -> None:
    zhipu = create_model("zhipu", settings=SETTINGS)
    assert "stream_options" not in (await zhipu.prepare(True, model="m", messages=MESSAGES)).body
    for given in (None, {"include_usage": False}):
        body = (await MODEL.prepare(True, messages=MESSAGES, stream_options=given)).body
        assert body.get("stream_options") == given


async def test_other_parameters_pass_through_and_ours_do_not() -> None:
    request = await MODEL.prepare(
        False, messages=MESSAGES, thinking={"type": "disabled"}, top_p=0.1, seed=None, max_steps=3,
        on_step_finish=print, stream=True,
    )  # fmt: skip
    assert set(request.body) == {"model", "messages", "thinking", "top_p", "stream"}
    assert request.body["stream"] is False


async def test_the_function_of_a_tool_stays_here() -> None:
    parameters = {"type": "object", "properties": {}}
    tool = {"name": "now", "description": "The time", "fn": print, "parameters": parameters}
    plain = {"type": "function", "function": {"name": "other"}}
    request = await MODEL.prepare(False, messages=MESSAGES, tools=[tool, plain])
    described = {"name": "now", "description": "The time", "parameters": parameters}
    assert request.body["tools"] == [{"type": "function", "function": described}, plain]


async def test_a_model_that_is_not_named_is_the_default() -> None:
    assert (await MODEL.prepare(False, messages=MESSAGES)).body["model"] == "hy3"
    ark = create_model("ark", settings=SETTINGS)
    with pytest.raises(ConfigurationError, match="Which model of 'ark'"):
        await ark.prepare(False, messages=MESSAGES)


@pytest.mark.parametrize(
    "wrong", [{}, {"messages": []}, {"messages": "hi"}, {"messages": {"role": "user"}}]
)
async def test_messages_are_a_list(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="messages"):
        await MODEL.prepare(False, model="m", **wrong)


async def test_data_is_a_dict() -> None:
    with pytest.raises(UsageError, match="data must be a dict"):
        await MODEL.prepare(False, [1])  # type: ignore[arg-type]


async def test_what_has_no_json_form_is_said() -> None:
    request = await MODEL.prepare(False, messages=MESSAGES, stop=object())
    with pytest.raises(UsageError, match="JSON"):
        request.content()


async def test_the_callers_messages_are_left_alone() -> None:
    messages = list(MESSAGES)
    await MODEL.prepare(False, messages=messages)
    assert messages == MESSAGES


async def test_the_key_is_hidden_wherever_a_request_is_shown() -> None:
    request = await MODEL.prepare(True, messages=MESSAGES)
    shown = [repr(request), str(request), repr(request.headers), repr(request.shown())]
    assert all("sk-1" not in one for one in shown)
    assert request.shown()["headers"]["Authorization"] == "••••••"


async def test_a_provider_may_add_what_the_caller_left_out() -> None:
    class Small:
        async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
            return Endpoint(
                "test-small", "http://127.0.0.1/v1/chat/completions", default_model="small",
                defaults={"temperature": 0, "max_tokens": 5}, system="Be brief.",
                always_stream=True, headers={"X-Extra": "1"},
            )  # fmt: skip

    register_provider("test-small", Small())
    small = create_model("test-small", settings=Settings())
    request = await small.prepare(False, messages=MESSAGES, max_tokens=9)
    assert request.streams
    assert (request.body["temperature"], request.body["max_tokens"]) == (0, 9)
    assert request.body["messages"] == [{"role": "system", "content": "Be brief."}, *MESSAGES]
    assert list(request.messages) == MESSAGES
    assert request.headers["X-Extra"] == "1"
    assert "Authorization" not in request.headers
    own = [{"role": "system", "content": "Be long."}, *MESSAGES]
    assert (await small.prepare(False, messages=own)).body["messages"] == own


async def test_what_is_prepared_is_what_is_sent(make_model: MakeModel, gateway: Gateway) -> None:
    model = make_model("dashscope")
    prepared = await model.prepare(True, model="echo", messages=MESSAGES, top_p=0.5)
    await (await model.stream_text(model="echo", messages=MESSAGES, top_p=0.5)).finish()
    sent = gateway.last
    assert sent.json == prepared.body
    assert sent.path == "/v1/ai/dashscope/compatible-mode/v1/chat/completions"
    for name, value in prepared.headers.items():
        assert sent.headers[name.lower()] == value
    assert "cookie" not in sent.headers


async def test_chinese_travels_as_utf8(model: Model, gateway: Gateway) -> None:
    messages = [{"role": "user", "content": "介绍一下李白"}]
    answer = await model.generate_text(model="echo", messages=messages)
    assert answer.text == "介绍一下李白"
    assert "介绍一下李白".encode() in gateway.last.body


async def test_an_answers_message_can_be_sent_back(model: Model, gateway: Gateway) -> None:
    answer = await model.generate_text(model="echo", messages=MESSAGES)
    again = [*MESSAGES, answer.choices[0].message, *MESSAGES]
    await model.generate_text(model="echo", messages=again)
    assert gateway.last.json["messages"][1] == {"role": "assistant", "content": answer.text}
