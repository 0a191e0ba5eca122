"""A model at a path of its own, as the Mini Program's ``createModel({modelName, …})`` has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.errors import CbaiError, InvalidResponseError, UsageError
from tests.client.conftest import MESSAGES
from tests.client.streams import ASK, both, read
from tests.client.streams import ask as ask_model
from tests.gateway import Error, Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_settings
from tests.sample_tools import add

USUAL = {
    "model_name": "custom-mine",
    "model_path": "/v1/chat/completions",
    "extract_path": "choices[0].delta.content",
}


@pytest.fixture
def make(gateway: Gateway, sender: HTTPTransport) -> Any:
    def make(**changes: Any) -> Model:
        settings = gateway_settings(gateway)
        return create_model({**USUAL, **changes}, settings=settings, transport=sender)

    return make


def events(*values: Any, done: bool = True) -> Scenario:
    """Return a stream of these values, in events."""
    texts = (*(json.dumps(value) for value in values), *(["[DONE]"] if done else []))
    return Scenario(payloads=texts)


def chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


@both
@pytest.mark.parametrize(
    "spelling",
    [
        {"model_name": "custom-mine", "model_path": "v1/chat/completions",
         "extract_path": "choices[0].delta.content"},
        {"modelName": "custom-mine", "modelPath": "/v1/chat/completions",
         "extractPath": "choices[0].delta.content", "reasoningPath": None},
    ],
)  # fmt: skip
async def test_it_is_asked_at_its_path(
    gateway: Gateway, sender: HTTPTransport, spelling: dict[str, Any], stream: bool
) -> None:
    model = create_model(spelling, settings=gateway_settings(gateway), transport=sender)
    gateway.script("say:Hello.")
    answer = await ask_model(model, stream)
    assert answer.text == "Hello."
    assert answer.messages == [*MESSAGES, {"role": "assistant", "content": "Hello."}]
    assert gateway.last.path == "/v1/ai/custom-mine/v1/chat/completions"
    assert gateway.last.json["stream"] is stream
    assert gateway.last.json["messages"] == MESSAGES
    assert gateway.last.headers.get("authorization")


@both
async def test_text_and_thinking_stand_where_the_paths_say(
    gateway: Gateway, make: Any, stream: bool
) -> None:
    values = [
        chunk(content="no", answer={"parts": [{"text": "Good "}]}, thoughts="Hm"),
        chunk(answer={"parts": [{"text": "day."}]}, thoughts="."),
        chunk("stop"),
    ]
    whole = {"choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "no", "answer": {"parts": [{"text": "Good day."}]},
        "thoughts": "Hm."}}]}  # fmt: skip
    gateway.script(events(*values) if stream else Scenario(completion=json.dumps(whole)))
    model = make(
        extract_path="choices[0].delta.answer.parts[0].text",
        reasoning_path="choices[0].delta.thoughts",
    )
    answer = await ask_model(model, stream)
    assert (answer.text, answer.reasoning) == ("Good day.", "Hm.")
    assert answer.finish_reason == "stop"
    assert answer.raw["choices"][0]["message"]["thoughts"] in ("Hm.", ".")


async def test_every_view_of_a_stream_has_the_text(gateway: Gateway, make: Any) -> None:
    gateway.script(events({"output": {"text": "Li "}}, {"ping": 1}, {"output": {"text": "Bai"}}))
    calls: list[str] = []
    stream = await make(extract_path="output.text").stream_text(**ASK, on_text=calls.append)
    assert (await stream.finish()).text == "Li Bai"
    assert await read(stream.text_stream) == calls == ["Li ", "Bai"]
    assert [one.text for one in await read(stream.data_stream)] == ["Li ", "", "Bai"]
    assert [json.loads(one.data) for one in (await read(stream.event_stream))[:-1]] == [
        {"output": {"text": "Li "}}, {"ping": 1}, {"output": {"text": "Bai"}},
    ]  # fmt: skip


@both
async def test_an_answer_of_any_shape_is_read(gateway: Gateway, make: Any, stream: bool) -> None:
    value = {"out put": [{"a": 1}, {"text": "Hi", "why": "so"}], "usage": {"total_tokens": 3}}
    gateway.script(events(value) if stream else Scenario(completion=json.dumps(value)))
    model = make(extract_path='["out put"][1].text', reasoning_path="['out put'][1].why")
    answer = await ask_model(model, stream)
    assert (answer.text, answer.reasoning) == ("Hi", "so")
    assert answer.raw["out put"] == value["out put"]


@both
async def test_tools_are_called_as_by_every_model(
    gateway: Gateway, make: Any, stream: bool
) -> None:
    gateway.script(calling(Call("add", {"x": 1, "y": 2})), "say:Done.")
    answer = await ask_model(make(), stream, tools=[add])
    assert answer.text == "Done."
    assert [result.status for result in answer.steps[0].results] == ["ok"]
    assert gateway.last.path == "/v1/ai/custom-mine/v1/chat/completions"


@both
async def test_failures_are_those_of_every_model(gateway: Gateway, make: Any, stream: bool) -> None:
    gateway.script(Scenario(error=Error("AI_MODEL_NOT_FOUND")))
    with pytest.raises(CbaiError) as raised:
        await ask_model(make(), stream)
    assert raised.value.status == 404
    gateway.script(Scenario(completion=json.dumps({"other": 1}), answer_as="json"))
    with pytest.raises(InvalidResponseError):
        await ask_model(make(extract_path="output.text"), stream)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_name": ""}, "model_name"),
        ({"model_name": "a/b"}, "provider"),
        ({"model_path": None}, "model_path"),
        ({"model_path": "/../secrets"}, "model_path"),
        ({"model_path": "https://other.example/"}, "model_path"),
        ({"model_path": "/v1?key=1"}, "model_path"),
        ({"extract_path": None}, "extract_path"),
        ({"extract_path": "choices[x].text"}, "extract_path"),
        ({"extract_path": "choices..text"}, "extract_path"),
        ({"reasoning_path": 7}, "reasoning_path"),
        ({"modelname": "m"}, "modelname"),
    ],
)
def test_a_slip_is_said_at_once(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        create_model({**USUAL, **changes})
