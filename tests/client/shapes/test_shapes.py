"""Every shape of an answer reads the same, streamed or not, however its bytes are cut."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.errors import CbaiError
from tests.client.shapes import calls, contents, counts, thinking, wires
from tests.client.shapes.reading import (
    Split,
    answer_of,
    expected,
    facts,
    next_message,
    raw_message,
    scenario,
    splits,
    text_of,
    with_ids,
)
from tests.client.shapes.shape import Shape
from tests.client.streams import both
from tests.gateway import Gateway

SHAPES = [*contents.SHAPES, *thinking.SHAPES, *calls.SHAPES, *counts.SHAPES, *wires.SHAPES]


def each(shapes: list[Shape]) -> pytest.MarkDecorator:
    """Run a test with each shape."""
    assert len({shape.name for shape in shapes}) == len(shapes)
    return pytest.mark.parametrize("shape", [pytest.param(one, id=one.name) for one in shapes])


@pytest.fixture
def sender() -> HTTPTransport:
    """Return one of the two transports: the shapes are the same for both."""
    return HTTPTransport(fast=False)


@pytest.fixture
def model(make_model: Any) -> Model:
    """Return a model of a provider that is no CloudBase."""
    made: Model = make_model("custom")
    return made


async def read(
    model: Model, gateway: Gateway, shape: Shape, stream: bool, cut: str, split: Split
) -> None:
    """Read a shape once, and check every fact of it."""
    gateway.always(scenario(shape, split))
    answer = await answer_of(model, stream)
    assert facts(answer) == expected(shape), cut
    message = raw_message(answer)
    assert text_of(message.get("content")) == answer.text, cut
    assert {name: message.get(name) for name in shape.message} == shape.message, cut
    assert {name: answer.raw.get(name) for name in shape.top} == shape.top, cut
    assert text_of(answer.messages[-1].get("content")) == answer.text, cut


@each(SHAPES)
async def test_a_shape_reads_as_a_stream(model: Model, gateway: Gateway, shape: Shape) -> None:
    for cut, split in splits(shape):
        await read(model, gateway, shape, True, cut, split)


@each(SHAPES)
async def test_a_shape_reads_in_one_piece(model: Model, gateway: Gateway, shape: Shape) -> None:
    for cut, split in splits(shape):
        if cut != "byte by byte":  # the body is read to its end before it is parsed
            await read(model, gateway, shape, False, cut, split)


async def test_tags_may_be_split_anywhere(model: Model, gateway: Gateway) -> None:
    for shape in thinking.SPLITS:
        await read(model, gateway, shape, True, shape.name, None)


@both
async def test_space_around_thinking_in_tags_is_no_text(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    for begin, end in (
        ("<think>\n", "\n</think>\n\n"),
        ("\n <think>", "</think> "),
        ("<think>\n", "\n</think>"),
    ):
        gateway.always(scenario(Shape("", thinking.whole(content=f"{begin}Hm.{end}Tea."))))
        answer = await answer_of(model, stream)
        assert answer.text.strip() == "Tea."
        assert answer.reasoning.strip() == "Hm."
        assert "<" not in answer.text + answer.reasoning
    gateway.always(scenario(Shape("", thinking.whole(content="<think>\n\n</think>\n\nTea."))))
    answer = await answer_of(model, stream)
    assert (answer.text.strip(), answer.reasoning.strip()) == ("Tea.", "")


@both
async def test_details_of_the_thinking_are_kept(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    pieces = [
        {"type": "reasoning.text", "text": "One, ", "index": 0},
        {"type": "reasoning.text", "text": "two.", "index": 0, "signature": "c2lnbmVk"},
        {"type": "reasoning.encrypted", "data": "c2VjcmV0", "id": "e1", "index": 1},
    ]
    chunks = [thinking.delta(reasoning_details=[piece]) for piece in pieces]
    body = thinking.stream(*chunks, thinking.delta("stop", content="Tea."))
    gateway.always(scenario(Shape("", body)))
    answer = await answer_of(model, stream)
    kept = raw_message(answer)["reasoning_details"]
    assert "".join(one.get("text", "") for one in kept) == answer.reasoning == "One, two."
    assert [one["signature"] for one in kept if one.get("signature")] == ["c2lnbmVk"]
    assert [(one["data"], one["id"]) for one in kept if one.get("data")] == [("c2VjcmV0", "e1")]
    assert all(one["type"].startswith("reasoning.") for one in kept)


async def test_equal_details_are_no_repetition(model: Model, gateway: Gateway) -> None:
    pieces = ["One,", "\n", "\n", "two."]
    chunks = [
        thinking.delta(reasoning_details=[{"type": "reasoning.text", "text": piece}])
        for piece in pieces
    ]
    body = thinking.stream(*chunks, thinking.delta("stop", content="Tea."))
    gateway.always(scenario(Shape("", body)))
    answer = await answer_of(model, True)
    kept = raw_message(answer)["reasoning_details"]
    assert "".join(one["text"] for one in kept) == answer.reasoning == "".join(pieces)


@both
async def test_a_byte_order_mark_is_no_part_of_an_answer(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    for body in (
        thinking.whole(content="Tea."),
        thinking.stream(thinking.delta("stop", content="Tea.")),
    ):
        gateway.always(scenario(Shape("", b"\xef\xbb\xbf" + body)))
        assert (await answer_of(model, stream)).text == "Tea."


@both
async def test_parts_of_content_stay_parts(model: Model, gateway: Gateway, stream: bool) -> None:
    for shape in (one for one in contents.PARTS if "object" not in one.name):
        gateway.always(scenario(shape))
        answer = await answer_of(model, stream)
        if shape.name == "an empty list of parts":
            continue
        content = raw_message(answer)["content"]
        assert isinstance(content, list), shape.name
        if shape.is_stream:
            texts = [one for one in content if isinstance(one, dict) and one["type"] == "text"]
            assert len(texts) <= 1, f"{shape.name}: {content}"
        thinking_parts = [one for one in content if isinstance(one, dict) and "thinking" in one]
        assert bool(thinking_parts) == bool(shape.reasoning), shape.name


def _tool(name: str, made: list[Any]) -> dict[str, Any]:
    def call(**arguments: Any) -> str:
        made.append((name, arguments))
        return f"{name}: done"

    parameters = {"type": "object", "properties": {}}
    return {"fn": call, "name": name, "description": "Serve tea.", "parameters": parameters}


@both
@each([shape for shape in SHAPES if shape.calls])
async def test_the_calls_of_a_shape_are_made(
    model: Model, gateway: Gateway, shape: Shape, stream: bool
) -> None:
    for cut, split in splits(shape):
        if cut == "byte by byte":
            continue
        made: list[Any] = []
        gateway.script(scenario(shape, split), "say:Served.")
        tools = [_tool(name, made) for name in dict.fromkeys(name for name, _ in shape.calls)]
        answer = await answer_of_steps(model, stream, tools)
        assert sorted(made, key=repr) == sorted(shape.calls, key=repr), cut
        assert answer.text == "Served.", cut
        _, sent, *results = gateway.last.json["messages"]
        received = next_message(raw_message(answer.steps[0].response))
        assert with_ids(received, next_message(sent)) == next_message(sent), cut
        assert [one["tool_call_id"] for one in results] == [one["id"] for one in sent["tool_calls"]]
        # Several servers refuse calls without a type, and arguments that are no object as text.
        for call in sent["tool_calls"]:
            assert call["type"] == "function", cut
            assert isinstance(call["function"]["arguments"], str), cut
            assert call["function"]["arguments"].startswith("{"), cut


@both
async def test_cached_tokens_are_added_up_over_the_steps(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cached_tokens": 4}
    chunk = {"choices": [], "usage": counts}
    call = calls.calls(calls.part("{}", "sip", index=0, id="a"))
    first = Shape("", calls.stream(call, calls.CALLED, chunk))
    last = Shape("", calls.stream(calls.delta("stop", content="Good."), chunk))
    gateway.script(scenario(first), scenario(last))
    answer = await answer_of_steps(model, stream, [_tool("sip", [])])
    usage = answer.usage
    assert (usage.prompt_tokens, usage.total_tokens, usage.cached_tokens) == (18, 20, 8)


async def answer_of_steps(model: Model, stream: bool, tools: list[Any]) -> Any:
    """Ask with tools, and return the answer of all steps."""
    ask = {"model": "m", "messages": [{"role": "user", "content": "Tea, please."}], "tools": tools}
    if stream:
        return await (await model.stream_text(**ask)).finish()
    return await model.generate_text(**ask)


@both
@each(wires.ERRORS)
async def test_an_error_is_told_with_the_text_before_it(
    model: Model, gateway: Gateway, shape: Shape, stream: bool
) -> None:
    for cut, split in splits(shape):
        if cut == "byte by byte" and not stream:
            continue
        gateway.always(scenario(shape, split))
        with pytest.raises(CbaiError) as raised:
            await answer_of(model, stream)
        assert str(shape.error) in str(raised.value), cut
        assert (raised.value.partial or "") == shape.text, cut
