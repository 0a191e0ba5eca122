"""Types with pydantic models inside: in containers, beside other kinds of types, inside each other."""

# ruff: noqa: UP007, UP045 - both spellings of a union are tried.

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import typing
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Optional, Union

import msgspec
import pydantic
import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.structured.response_type import response_type_of
from cbai_notebook.errors import StructuredAnswerError, UsageError
from tests.client.streams import ask, both
from tests.gateway import Gateway, Scenario


class City(pydantic.BaseModel):
    name: str
    people: int = 0


class River(pydantic.BaseModel):
    river: str
    length: float


class Tree(pydantic.BaseModel):
    label: str
    branches: list[Tree] = []


@dataclass
class Trip:
    stops: list[City]


class TripDict(typing.TypedDict):
    stops: dict[str, City]


class TripStruct(msgspec.Struct):
    stops: list[City]
    last: Union[City, None] = None


class TripTuple(NamedTuple):
    start: City
    days: int


class Journal(pydantic.BaseModel):
    trips: list[Trip] = []
    rivers: dict[str, list[River]] = {}


@pydantic.dataclasses.dataclass
class Ticket:
    price: int = pydantic.Field(gt=0)


class Cities(pydantic.RootModel[list[City]]):
    pass


class Codes(pydantic.BaseModel):
    code: str

    @pydantic.field_validator("code")
    @classmethod
    def check(cls, code: str) -> str:
        if len(code) != 3:
            raise ValueError("three letters")
        return code


ROME, NILE = City(name="Rome", people=3), River(river="Nile", length=6650)
AS_JSON = {"name": "Rome", "people": 3}
# A type, the JSON of a value of it, the value, and whether the JSON goes into an object of its own.
CASES = [
    (list[City], [AS_JSON], [ROME], True),
    (Optional[City], AS_JSON, ROME, True),
    (Optional[City], None, None, True),
    (Union[City, None], AS_JSON, ROME, True),
    (Union[City, River], {"river": "Nile", "length": 6650}, NILE, True),
    (list[City | River], [AS_JSON, {"river": "Nile", "length": 6650}], [ROME, NILE], True),
    (dict[str, City], {"a": AS_JSON}, {"a": ROME}, False),
    (dict[str, list[City]], {"a": [AS_JSON]}, {"a": [ROME]}, False),
    (tuple[City, int], [AS_JSON, 2], (ROME, 2), True),
    (Trip, {"stops": [AS_JSON]}, Trip([ROME]), False),
    (list[Trip], [{"stops": [AS_JSON]}], [Trip([ROME])], True),
    (TripDict, {"stops": {"a": AS_JSON}}, {"stops": {"a": ROME}}, False),
    (TripStruct, {"stops": [AS_JSON], "last": AS_JSON}, TripStruct([ROME], ROME), False),
    (list[TripStruct], [{"stops": [AS_JSON]}], [TripStruct([ROME])], True),
    (TripTuple, [AS_JSON, 2], TripTuple(ROME, 2), True),
    (Annotated[list[City], pydantic.Field(max_length=2)], [AS_JSON], [ROME], True),
    (Annotated[list[City], msgspec.Meta(max_length=2)], [AS_JSON], [ROME], True),
    (Ticket, {"price": 2}, Ticket(2), False),
    (list[Ticket], [{"price": 2}], [Ticket(2)], True),
    (Cities, [AS_JSON], Cities([ROME]), True),
    (Tree, {"label": "a", "branches": [{"label": "b"}]},
     Tree(label="a", branches=[Tree(label="b")]), False),
    (Journal, {"trips": [{"stops": [AS_JSON]}], "rivers": {"a": [{"river": "Nile", "length": 6650}]}},
     Journal(trips=[Trip([ROME])], rivers={"a": [NILE]}), False),
    (list[int], [1, 2], [1, 2], True),
    (int, 7, 7, True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected", "wrapped"), CASES)
def test_a_value_is_read_in_every_form(kind: Any, value: Any, expected: Any, wrapped: bool) -> None:
    response = response_type_of(kind)
    schema = response.format["json_schema"]["schema"]
    assert schema["type"] == "object"
    for text in (
        (json.dumps(value), json.dumps({"value": value})) if wrapped else [json.dumps(value)]
    ):
        parsed = response.parse(text)
        assert (type(parsed), parsed) == (type(expected), expected)
        assert response.parse(f"Here it is:\n```json\n{text}\n```") == expected
    assert (set(schema.get("properties", ())) == {"value"}) == wrapped
    text = json.dumps(schema)
    references = {name for name in schema.get("$defs", {}) if f'"#/$defs/{name}"' in text}
    assert references == set(schema.get("$defs", ())), "every definition is used"
    assert text.count('"$ref"') == text.count('"#/$defs/'), "every reference is to a definition"


@both
@pytest.mark.parametrize(("kind", "value", "expected", "wrapped"), CASES[:7])
async def test_an_answer_comes_back_as_the_type(
    model: Model,
    gateway: Gateway,
    kind: Any,
    value: Any,
    expected: Any,
    wrapped: bool,
    stream: bool,
) -> None:
    gateway.script(Scenario(text=json.dumps({"value": value} if wrapped else value)))
    answer = await ask(model, stream, response_type=kind)
    assert answer.parsed == expected
    assert len(gateway.requests) == 1
    sent = gateway.last.json["response_format"]["json_schema"]
    assert sent["schema"]["type"] == "object"
    assert set(sent["name"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (list[City], '[{"name": "Rome"}, {"people": 1}]', "$[1].name"),
        (list[City], '{"value": [{"people": 1}]}', "$[0].name"),
        (dict[str, list[City]], '{"a": [{"name": 1}]}', "$.a[0].name"),
        (Union[City, River], '{"length": "x"}', "$.name"),
        (Trip, '{"stops": [{"nam": "Rome"}]}', "$.stops[0].name"),
        (TripStruct, '{"stops": [{"nam": "Rome"}]}', "$.stops[0].name"),
        (list[TripStruct], '[{"stops": [{"name": "x", "people": "y"}]}]', "$[0].stops[0].people"),
        (Ticket, '{"price": 0}', "$.price"),
        (Tree, '{"label": "a", "branches": [{}]}', "$.branches[0].label"),
        (list[Codes], '[{"code": "long"}]', "three letters - at `$[0].code`"),
        (Annotated[list[City], pydantic.Field(max_length=0)], '[{"name": "a"}]', "at most 0"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_by_its_path(kind: Any, text: str, says: str) -> None:
    with pytest.raises(StructuredAnswerError) as raised:
        response_type_of(kind).parse(text)
    assert says in str(raised.value)
    assert "pydantic" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_error_and_its_causes_can_be_copied() -> None:
    with pytest.raises(StructuredAnswerError) as raised:
        response_type_of(TripStruct).parse('{"stops": [{"nam": "Rome"}]}')
    error: BaseException | None = raised.value
    seen = []
    while error is not None:
        if type(error).__module__.startswith("cbai_notebook"):
            seen.append(type(error))
            for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
                assert type(other) is type(error)
                assert (str(other), vars(other)) == (str(error), vars(error))
        error = error.__cause__
    assert len(seen) == 2


def test_an_error_names_the_type_as_code_has_it() -> None:
    with pytest.raises(StructuredAnswerError, match=r"no dict\[str, list\[City\]\]: "):
        response_type_of(dict[str, list[City]]).parse("no")


def test_two_types_of_one_name_keep_their_definitions() -> None:
    class Other(msgspec.Struct):
        leaves: int

    Other.__name__ = "Tree"
    kind = msgspec.defstruct("Wood", [("first", Tree), ("second", Other)])
    schema = response_type_of(kind).schema
    first, second = schema["properties"]["first"], schema["properties"]["second"]
    of_first = first["properties"]["branches"]["items"]["$ref"].removeprefix("#/$defs/")
    of_second = second["$ref"].removeprefix("#/$defs/")
    assert set(schema["$defs"][of_first]["properties"]) == {"label", "branches"}
    assert set(schema["$defs"][of_second]["properties"]) == {"leaves"}


def test_a_type_without_a_json_form_is_refused_in_one_line() -> None:
    # msgspec reads no union of two types that it does not know.
    both = msgspec.defstruct("Both", [("place", Union[City, River])])
    for kind in (list[complex], both, list[both]):  # type: ignore[valid-type]
        with pytest.raises(UsageError, match="has no JSON form") as raised:
            response_type_of(kind)
        assert "\n" not in str(raised.value)


async def test_the_objects_of_a_list_can_be_read_while_they_stream(
    model: Model, gateway: Gateway
) -> None:
    value = [AS_JSON, {"name": "Oslo", "people": 1}]
    for text in (json.dumps({"value": value}), json.dumps(value)):
        gateway.script(Scenario(text=text).but(split=1))
        stream = await model.stream_text(model="m", messages=[{"role": "user", "content": "?"}],
                                         response_type=list[City])  # fmt: skip
        seen = [now async for now in stream.partial_objects]
        assert seen[-1] == value
        assert all(isinstance(now, list) for now in seen)
        assert (await stream.finish()).parsed == [ROME, City(name="Oslo", people=1)]


async def test_partial_objects_are_those_of_the_type(model: Model, gateway: Gateway) -> None:
    text = 'In the form {"a": 1} you get: {"name": "Rome", "people": 3}'
    gateway.script(Scenario(text=text).but(split=1))
    stream = await model.stream_text(
        model="m", messages=[{"role": "user", "content": "?"}], response_type=City
    )
    assert [now async for now in stream.partial_objects][-1] == AS_JSON
    assert (await stream.finish()).parsed == ROME


def test_pydantic_is_not_imported_for_other_types() -> None:
    code = (
        "import dataclasses, sys\n"
        "from cbai_notebook.client.structured.response_type import response_type_of\n"
        "@dataclasses.dataclass\n"
        "class City:\n    name: str\n"
        'print(response_type_of(list[City]).parse(\'[{"name": "Rome"}]\')[0].name)\n'
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Rome", "False"]
