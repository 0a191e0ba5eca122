"""How an answer ends: complete with a finish reason and a body that HTTP ended, else broken."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.errors import CbaiError, StreamCutError
from tests.client.conftest import MakeModel
from tests.client.shapes.reading import answer_of
from tests.client.streams import both
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling

TEXT = "Jasmine tea"
FRAMINGS = ["chunked", "length", "close"]

framings = pytest.mark.parametrize("framing", FRAMINGS)


def said(**wire: Any) -> Scenario:
    """Return the scenario of an answer that is a stream, also where none was requested."""
    return Scenario(text=TEXT, answer_as="stream", **wire)


@both
@framings
@pytest.mark.parametrize("blank_end", [True, False], ids=["blank line", "no blank line"])
async def test_a_finish_reason_and_the_end_of_the_body_complete_an_answer(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any, blank_end: bool
) -> None:
    gateway.always(said(done=False, framing=framing, blank_end=blank_end))
    answer = await answer_of(make_model("custom"), stream)
    assert (answer.text, answer.finish_reason, answer.note) == (TEXT, "stop", "")
    assert answer.usage is not None
    assert len(gateway.requests) == 1


@both
@framings
async def test_its_tools_are_called(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any
) -> None:
    def steep(minutes: int) -> str:
        """Wait."""
        return f"{minutes} minutes"

    wire: dict[str, Any] = {"done": False, "framing": framing}
    call = Call("steep", {"minutes": 3})
    gateway.script(calling(call, answer_as="stream", **wire), said(**wire))
    model = make_model("custom")
    ask: dict[str, Any] = {"messages": [{"role": "user", "content": "Tea?"}], "tools": [steep]}
    if stream:
        answer = await (await model.stream_text(model="m", **ask)).finish()
    else:
        answer = await model.generate_text(model="m", **ask)
    assert [result.text for result in answer.steps[0].results] == ["3 minutes"]
    assert (answer.text, answer.note) == (TEXT, "")


@both
@framings
async def test_the_gateway_of_cloudbase_always_ends_with_done(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any
) -> None:
    gateway.script(said(done=False, framing=framing), said(framing=framing))
    without = await answer_of(make_model("cloudbase"), stream)
    assert (without.text, without.finish_reason) == (TEXT, "stop")
    assert without.note, "it is not sure that the answer is complete"
    assert (await answer_of(make_model("cloudbase"), stream)).note == ""


@both
@framings
@pytest.mark.parametrize("provider", ["custom", "cloudbase"])
async def test_without_a_finish_reason_and_done_it_is_cut(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any, provider: str
) -> None:
    gateway.always(said(stop_after=1, framing=framing))
    with pytest.raises(StreamCutError) as raised:
        await answer_of(make_model(provider), stream)
    assert raised.value.partial == "Jasmine"


@both
@framings
async def test_an_empty_finish_reason_is_none(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any
) -> None:
    gateway.always(said(finish_reason="", done=False, framing=framing, usage="absent"))
    with pytest.raises(StreamCutError) as raised:
        await answer_of(make_model("custom"), stream)
    assert raised.value.partial == TEXT


@both
@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize(
    ("lost", "partial"), [(1, TEXT), (30, TEXT), (400, "")], ids=["one", "some", "all"]
)
async def test_a_body_that_HTTP_did_not_end_is_cut(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any, lost: int, partial: str
) -> None:
    payloads = (
        '{"choices":[{"index":0,"delta":{"content":"Jasmine "}}]}',
        '{"choices":[{"index":0,"delta":{"content":"tea"}}]}',
        '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}',
    )
    wire: dict[str, Any] = {"answer_as": "stream", "framing": framing, "done": False}
    gateway.always(Scenario(payloads=payloads, lost=lost, **wire))
    with pytest.raises(CbaiError) as raised:
        await answer_of(make_model("custom"), stream)
    assert (raised.value.partial or "") == partial


@both
@pytest.mark.parametrize("lost", [1, 100])
async def test_a_whole_answer_that_HTTP_did_not_end_is_cut(
    make_model: MakeModel, gateway: Gateway, stream: bool, lost: int
) -> None:
    gateway.always(Scenario(text=TEXT, answer_as="json", lost=lost))
    with pytest.raises(CbaiError):
        await answer_of(make_model("custom"), stream)


@both
@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_no_tool_is_called_when_the_body_is_cut(
    make_model: MakeModel, gateway: Gateway, stream: bool, framing: Any
) -> None:
    called = []

    def steep() -> str:
        """Wait."""
        called.append(1)
        return "done"

    made = calling("steep", done=False, lost=1, framing=framing, answer_as="stream", usage=None)
    gateway.always(made)
    model = make_model("custom")
    ask: dict[str, Any] = {"messages": [{"role": "user", "content": "Tea?"}], "tools": [steep]}
    with pytest.raises(CbaiError):
        if stream:
            await (await model.stream_text(model="m", **ask)).finish()
        else:
            await model.generate_text(model="m", **ask)
    assert called == []


@both
async def test_thinking_in_tags_is_no_part_of_the_partial_text(
    make_model: MakeModel, gateway: Gateway, stream: bool
) -> None:
    gateway.always(
        Scenario(text=("<think>Hm", ".</thi", "nk>Green", " tea"), stop_after=3, answer_as="stream")
    )
    with pytest.raises(StreamCutError) as raised:
        await answer_of(make_model("custom"), stream)
    assert raised.value.partial == "Green"
