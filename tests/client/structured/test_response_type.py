"""Structured answers: objects of a type."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.errors import BadRequestError, StructuredAnswerError, UsageError
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.streams import ASK, ask, both
from tests.gateway import Error, Gateway, Scenario
from tests.gateway.tools import Call, calling


class Mood(enum.Enum):
    CALM = "calm"
    WILD = "wild"


@dataclass
class Poem:
    title: str
    lines: int
    mood: Mood = Mood.CALM


@dataclass
class Poet:
    name: str
    poems: list[Poem] = field(default_factory=list)


class PoetStruct(msgspec.Struct):
    name: str
    poems: list[Poem] = []


class PoetDict(TypedDict):
    name: str
    poems: list[Poem]


class PoemModel(pydantic.BaseModel):
    title: str
    lines: int
    mood: Literal["calm", "wild"] = "calm"


class PoetModel(pydantic.BaseModel):
    name: str
    poems: list[PoemModel] = []


@dataclass
class Tree:
    label: str
    branches: list[Tree] = field(default_factory=list)


VALUE = {"name": "李白", "poems": [{"title": "静夜思", "lines": 4, "mood": "calm"}]}
EXPECTED = {
    Poet: Poet("李白", [Poem("静夜思", 4)]),
    PoetStruct: PoetStruct("李白", [Poem("静夜思", 4)]),
    PoetDict: {"name": "李白", "poems": [Poem("静夜思", 4)]},
    PoetModel: PoetModel(name="李白", poems=[PoemModel(title="静夜思", lines=4)]),
}


def saying(value: Any) -> Scenario:
    return Scenario(text=value if isinstance(value, str) else json.dumps(value))


@both
@pytest.mark.parametrize("kind", EXPECTED)
async def test_an_answer_comes_back_as_the_type(
    model: Model, gateway: Gateway, kind: Any, stream: bool
) -> None:
    gateway.script(saying(VALUE))
    answer = await ask(model, stream, response_type=kind)
    assert answer.parsed == EXPECTED[kind]
    assert json.loads(answer.text) == VALUE
    sent = gateway.last.json
    assert "response_type" not in sent
    assert sent["response_format"]["type"] == "json_schema"
    described = sent["response_format"]["json_schema"]
    assert described["name"] == kind.__name__
    assert described["schema"]["type"] == "object"
    assert set(described["schema"]["properties"]) == {"name", "poems"}


@both
@pytest.mark.parametrize(
    "around",
    ["{}", "```json\n{}\n```", "Here it is {{as asked}}:\n\n```\n{}\n```\nAnything else?", "See [1]: {} Bye."],
)  # fmt: skip
async def test_a_fence_or_prose_around_it_needs_no_second_attempt(
    model: Model, gateway: Gateway, around: str, stream: bool
) -> None:
    gateway.script(saying(around.format(json.dumps(VALUE))))
    answer = await ask(model, stream, response_type=Poet)
    assert answer.parsed == EXPECTED[Poet]
    assert len(gateway.requests) == 1


@both
async def test_an_answer_that_does_not_fit_gets_one_more_attempt(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    gateway.script(saying({"name": 7, "poems": [{"title": "x", "lines": "many"}]}), saying(VALUE))
    answer = await ask(model, stream, response_type=Poet)
    assert answer.parsed == EXPECTED[Poet]
    asked, wrong, complaint = gateway.last.json["messages"]
    assert asked == MESSAGES[0]
    assert "many" in wrong["content"]
    assert "$.poems[0].lines" in complaint["content"] or "$.name" in complaint["content"]
    assert '"properties"' in complaint["content"]
    assert answer.messages == [*MESSAGES, {"role": "assistant", "content": json.dumps(VALUE)}]
    assert [step.number for step in answer.steps] == [1, 2]
    assert answer.usage is not None
    assert answer.usage.total_tokens == sum(
        step.usage.total_tokens or 0 for step in answer.steps if step.usage is not None
    )


@both
@pytest.mark.parametrize("kind", [Poet, PoetModel])
async def test_a_second_failure_carries_the_text(
    model: Model, gateway: Gateway, kind: Any, stream: bool
) -> None:
    gateway.script("say:I will not.", "say:No.")
    with pytest.raises(StructuredAnswerError, match=f"no {kind.__name__}") as raised:
        await ask(model, stream, response_type=kind)
    assert raised.value.partial == "No."
    assert len(gateway.requests) == 2


@both
async def test_an_answer_that_was_cut_off_says_so(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    gateway.script(saying('{"name": "Li').but(finish_reason="length"))
    with pytest.raises(StructuredAnswerError, match="max_tokens") as raised:
        await ask(model, stream, response_type=Poet)
    assert raised.value.partial == '{"name": "Li'
    assert len(gateway.requests) == 1


@both
@pytest.mark.parametrize(
    ("finish_reason", "code", "says"),
    [
        ("content_filter", "content_filter", "content filter"),
        ("sensitive", "content_filter", "content filter"),
        ("length", "length", "max_tokens=…"),
        ("MAX_TOKENS", "length", "max_tokens=…"),
        ("refusal", "refusal", "refused to answer"),
    ],
)
@pytest.mark.parametrize("text", ["", "I", '{"name": "Li'])
async def test_an_answer_that_was_ended_gets_no_second_attempt(
    model: Model,
    gateway: Gateway,
    text: str,
    finish_reason: str,
    code: str,
    says: str,
    stream: bool,
) -> None:
    gateway.script(Scenario(text=(text,), finish_reason=finish_reason))
    with pytest.raises(StructuredAnswerError, match=says) as raised:
        await ask(model, stream, response_type=Poet)
    assert (raised.value.code, raised.value.partial) == (code, text)
    assert "JSON" not in str(raised.value)
    assert len(gateway.requests) == 1


@both
async def test_a_refusal_gets_no_second_attempt(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    refused = {"role": "assistant", "content": None, "refusal": "That I will not describe."}
    choice = {"index": 0, "finish_reason": "stop"}
    events = ({"choices": [{**choice, "delta": refused}]}, {"choices": [{**choice, "delta": {}}]})
    gateway.script(
        Scenario(payloads=(*map(json.dumps, events), "[DONE]"))
        if stream
        else Scenario(completion=json.dumps({"choices": [{**choice, "message": refused}]}))
    )
    with pytest.raises(StructuredAnswerError, match="refused to answer: That I will not") as raised:
        await ask(model, stream, response_type=Poet)
    assert raised.value.code == "refusal"
    assert len(gateway.requests) == 1


def test_a_refusal_is_told_in_the_models_words() -> None:
    kind = response_type_of(Poet)
    with pytest.raises(StructuredAnswerError, match="I cannot help with that") as raised:
        kind.parse("", "stop", "I cannot\nhelp with that.")
    assert raised.value.code == "refusal"
    assert kind.repair("", raised.value) == []
    assert kind.parse(json.dumps(VALUE), "stop", "") == EXPECTED[Poet]


@dataclass
class Note:
    title: str = ""
    children: list[Any] = field(default_factory=list)


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "all", "children": [{"title": "one"}',
        '{"title": "all", "children": [{"title": "one"}], oops}',
        '[{"title": "all" "children": [{"title": "one"}]}]',
    ],
)
def test_an_object_inside_damaged_json_is_no_answer(text: str) -> None:
    with pytest.raises(StructuredAnswerError):
        response_type_of(Note).parse(text)


def test_an_object_behind_damaged_json_is_the_answer() -> None:
    text = '{"title": "all" "children": [{"title": "one"}]} Better: {"title": "two"}'
    assert response_type_of(Note).parse(text) == Note("two")


@both
async def test_tools_may_come_before_the_object(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    def look_up(name: str) -> int:
        """Count the lines."""
        return 4

    gateway.script(calling(Call("look_up", {"name": "静夜思"}), text="Hm."), saying(VALUE))
    answer = await ask(model, stream, response_type=Poet, tools=[look_up])
    assert answer.parsed == EXPECTED[Poet]
    assert len(answer.steps) == 2


@both
async def test_a_provider_that_refuses_the_schema_is_told_in_words(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    refused = Error("AI_MODEL_PARAM_INVALID", message="This response_format type is unavailable")
    gateway.script(Scenario(error=refused), saying("No."), saying(VALUE))
    answer = await ask(model, stream, response_type=Poet)
    assert answer.parsed == EXPECTED[Poet]
    first, second, third = (exchange.json for exchange in gateway.requests)
    assert first["messages"] == MESSAGES
    assert "response_format" not in second
    assert "response_format" not in third
    assert second["messages"][0]["content"].startswith(MESSAGES[0]["content"] + "\n\nAnswer with")
    assert answer.messages[0] == MESSAGES[0]
    other = Error("AI_MODEL_PARAM_INVALID", message="temperature is too high")
    gateway.script(Scenario(error=other))
    with pytest.raises(BadRequestError):
        await ask(model, stream, response_type=Poet)


async def test_objects_can_be_read_while_they_stream(model: Model, gateway: Gateway) -> None:
    gateway.script(saying("No."), saying(json.dumps(VALUE)).but(split=1))
    stream = await model.stream_text(**ASK, response_type=Poet)
    seen = [value async for value in stream.partial_objects]
    assert seen[-1] == VALUE
    assert len(seen) > 3
    assert all(isinstance(value, dict) for value in seen)
    assert (await stream.finish()).parsed == EXPECTED[Poet]
    plain = await model.stream_text(model='say:{"a": [1, 2]}', messages=MESSAGES)
    assert [value async for value in plain.partial_objects][-1] == {"a": [1, 2]}


@pytest.mark.parametrize(
    "around",
    ["As the source [1] says: {}", "{{curly}} [Smith 2020] {} [2]", "[1, 2]\n```json\n{}\n```"],
)
async def test_objects_can_be_read_after_brackets_in_prose(
    model: Model, gateway: Gateway, around: str
) -> None:
    text = around.format(json.dumps(VALUE))
    for split in (1, 7, len(text)):
        gateway.script(saying(text).but(split=split))
        stream = await model.stream_text(**ASK, response_type=Poet)
        assert [value async for value in stream.partial_objects][-1] == VALUE
        assert (await stream.finish()).parsed == EXPECTED[Poet]
        gateway.script(saying(text).but(split=split))
        plain = await model.stream_text(**ASK)
        assert [value async for value in plain.partial_objects][-1] == VALUE


async def test_any_server_of_the_same_wire_takes_a_schema(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.script(saying(VALUE))
    answer = await make_model("custom").generate_text(**ASK, response_type=Poet)
    assert answer.parsed == EXPECTED[Poet]
    assert gateway.last.path == "/v1/chat/completions"


async def test_the_callers_own_format_wins(model: Model, gateway: Gateway) -> None:
    gateway.script(saying(VALUE))
    own = {"type": "json_object"}
    answer = await model.generate_text(**ASK, response_type=Poet, response_format=own)
    assert answer.parsed == EXPECTED[Poet]
    assert gateway.last.json["response_format"] == own


def test_a_type_that_holds_itself_keeps_its_definition() -> None:
    schema = response_type_of(Tree).schema
    assert schema["properties"]["branches"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["properties"] == schema["properties"]


def test_rules_of_a_type_are_checked() -> None:
    kind = response_type_of(list[Annotated[int, msgspec.Meta(ge=1)]])
    assert kind.parse("[1, 2]") == [1, 2]
    with pytest.raises(StructuredAnswerError):
        kind.parse("[0]")


async def test_a_type_without_a_json_form_is_refused(model: Model, gateway: Gateway) -> None:
    with pytest.raises(UsageError, match="no JSON form"):
        await model.generate_text(**ASK, response_type=complex)
    assert gateway.requests == []
