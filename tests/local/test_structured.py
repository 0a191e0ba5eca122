"""Structured answers of the offline model: its JSON-schema mode works for models of any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local-model"),
    pytest.mark.usefixtures("demo_weights"),
]

Short = Annotated[str, msgspec.Meta(max_length=30)]
ASK = [{"role": "user", "content": "Describe the city of Paris as JSON."}]


class Size(Enum):
    SMALL = "small"
    BIG = "big"


@dataclass
class Sight:
    name: Short
    free: bool


@dataclass
class City:
    name: Short
    size: Size
    sights: Annotated[list[Sight], msgspec.Meta(min_length=1, max_length=2)] = field(
        default_factory=list
    )


class CityStruct(msgspec.Struct):
    name: Short
    size: Literal["small", "big"]
    capital: bool


class CityDict(TypedDict):
    name: Short
    capital: bool


class CityModel(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=30)
    sights: list[str] = pydantic.Field(min_length=1, max_length=2)


@dataclass
class Guide:
    best: CityModel


async def test_a_list_of_models_comes_back() -> None:
    model = create_model("local", settings=Settings())
    kind = Annotated[list[CityModel], pydantic.Field(min_length=1, max_length=1)]
    answer = await model.generate_text(messages=ASK, response_type=kind)
    assert len(answer.steps) == 1, "the model was held to the schema"
    assert [type(city) for city in answer.parsed] == [CityModel]


@pytest.mark.parametrize("kind", [City, CityStruct, CityDict, CityModel, Guide])
async def test_every_kind_of_type_comes_back(kind: Any) -> None:
    model = create_model("local", settings=Settings())
    answer = await model.generate_text(messages=ASK, response_type=kind)
    assert len(answer.steps) == 1, "the model was held to the schema, and needed no second attempt"
    if kind is CityDict:
        assert set(answer.parsed) == {"name", "capital"}
    else:
        assert isinstance(answer.parsed, kind)


async def test_it_can_be_read_while_it_grows() -> None:
    model = create_model("local", settings=Settings())
    stream = await model.stream_text(messages=ASK, response_type=City)
    seen = [value async for value in stream.partial_objects]
    answer = await stream.finish()
    assert isinstance(answer.parsed, City)
    assert len(seen) > 3
    assert seen[-1]["name"] == answer.parsed.name
