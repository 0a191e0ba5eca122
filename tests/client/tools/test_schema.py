"""The schema that a model gets of a function, and the arguments that the function gets."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypedDict

import msgspec
import pydantic
import pytest

from cbai_notebook import tool
from cbai_notebook.client.tools.schema import describe
from cbai_notebook.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal


class Unit(Enum):
    METRIC = "metric"
    IMPERIAL = "imperial"


@dataclass
class Place:
    city: str
    country: str = "CN"


class Span(TypedDict):
    start: date
    end: date


class Town(pydantic.BaseModel):
    name: str
    people: int = 0


class Route(msgspec.Struct):
    stops: list[Town]


def google(city: str, days: int = 3, unit: Literal["C", "F"] = "C") -> str:
    """Get the weather of a city.

    Only for today and
    the days to come.

    Args:
        city: The city,
            with its country.
        days: How many days.

    Returns:
        A sentence.
    """
    return f"{city} {days} {unit}"


def numpy(city: str, days: int = 3, unit: Literal["C", "F"] = "C") -> str:
    """Get the weather of a city.

    Only for today and
    the days to come.

    Parameters
    ----------
    city : str
        The city,
        with its country.
    days : int
        How many days.
    """
    return f"{city} {days} {unit}"


def rest(city: str, days: int = 3, unit: Literal["C", "F"] = "C") -> str:
    """Get the weather of a city.

    Only for today and
    the days to come.

    :param city: The city,
        with its country.
    :param days: How many days.
    """
    return f"{city} {days} {unit}"


@pytest.mark.parametrize("function", [google, numpy, rest])
def test_the_docstring_and_the_hints_describe_it(function: Callable[..., str]) -> None:
    sent = tool(function).sent["function"]
    assert sent["name"] == function.__name__
    assert sent["description"] == (
        "Get the weather of a city.\n\nOnly for today and\nthe days to come."
    )
    assert sent["parameters"] == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The city, with its country."},
            "days": {"type": "integer", "description": "How many days.", "default": 3},
            "unit": {"enum": ["C", "F"], "default": "C"},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def everything(
    place: Place,
    span: Span,
    unit: Unit = Unit.METRIC,
    tags: list[str] = ["a"],  # noqa: B006
    limit: int = None,  # type: ignore[assignment]  # noqa: RUF013
    share: Annotated[float, "From 0 to 1", msgspec.Meta(ge=0, le=1)] = 0.5,
    extra: Optional[dict[str, int]] = None,  # noqa: UP045
    anything=None,  # type: ignore[no-untyped-def]
) -> None:
    pass


def test_types_are_converted_and_checked() -> None:
    described = describe(everything)
    text = '{"place": {"city": "X"}, "span": {"start": "2026-01-02", "end": "2026-01-03"}'
    assert described.decode(text + "}") == {
        "place": Place("X"), "span": {"start": date(2026, 1, 2), "end": date(2026, 1, 3)},
        "unit": Unit.METRIC, "tags": ["a"], "limit": None, "share": 0.5, "extra": None,
        "anything": None,
    }  # fmt: skip
    more = ', "unit": "imperial", "limit": "7", "extra": {"a": 1}, "anything": [1]}'
    assert described.decode(text + more)["limit"] == 7
    for wrong in ('"share": 2', '"unit": "other"', '"tags": [1]', '"no_such": 1'):
        with pytest.raises(msgspec.ValidationError):
            described.decode(f"{text}, {wrong}}}")
    properties = described.parameters["properties"]
    assert properties["share"] == {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.5, "description": "From 0 to 1",
    }  # fmt: skip
    assert described.parameters["required"] == ["place", "span"]
    assert set(described.parameters["$defs"]) == {"Place", "Span", "Unit"}


def visit(
    towns: list[Town],
    home: Town | None = None,
    by_day: dict[str, list[Town]] = {},  # noqa: B006
    route: Optional[Route] = None,  # noqa: UP045
    few: Annotated[list[Town], "At most two", pydantic.Field(max_length=2)] = [Town(name="a")],  # noqa: B006, B008
    days: int = 1,
) -> str:
    """Visit towns.

    Args:
        towns: The towns.
    """
    return ", ".join(town.name for town in towns)


def test_pydantic_models_may_be_anywhere_in_a_parameter() -> None:
    described = describe(visit)
    name = '{"name": "Rome"}'
    rome = Town(name="Rome")
    text = (
        f'{{"towns": [{name}], "home": {name}, "by_day": {{"1": [{name}]}}, '
        f'"route": {{"stops": [{name}]}}, "days": "2"}}'
    )
    assert described.decode(text) == {
        "towns": [rome], "home": rome, "by_day": {"1": [rome]}, "route": Route([rome]),
        "few": [Town(name="a")], "days": 2,
    }  # fmt: skip
    assert described.decode(f'{{"towns": [{name}], "home": null}}')["home"] is None
    properties = described.parameters["properties"]
    assert properties["towns"] == {
        "type": "array", "items": {"$ref": "#/$defs/Town"}, "description": "The towns.",
    }  # fmt: skip
    assert properties["few"]["description"] == "At most two"
    assert described.parameters["required"] == ["towns"]
    assert set(described.parameters["$defs"]) == {"Town", "Route"}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ('{"towns": [{"nam": "x"}]}', "$.towns[0].name"),
        ('{"towns": [], "home": {"name": "x", "people": "y"}}', "$.home.people"),
        ('{"towns": [], "route": {"stops": [{}]}}', "$.route.stops[0].name"),
        ('{"towns": [], "few": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}', "$.few"),
    ],
)
def test_arguments_that_do_not_fit_a_model_are_named_by_their_path(
    arguments: str, path: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        describe(visit).decode(arguments)
    assert f"at `{path}`" in str(raised.value)


def test_callables_of_every_kind_are_described() -> None:
    class Weather:
        """Tells the weather."""

        def at(self, city: str) -> str:
            """Tell it for a city."""
            return city

        async def __call__(self, city: str) -> str:
            return city

    def extras(city: str, **more: int) -> None:
        pass

    weather = Weather()
    assert list(describe(weather.at).parameters["properties"]) == ["city"]
    assert tool(weather).name == "Weather"
    part = functools.partial(google, days=1)
    assert describe(part).decode('{"city": "x"}') == {"city": "x", "days": 1, "unit": "C"}
    assert describe(extras).decode('{"city": "x", "a": 1}') == {"city": "x", "a": 1}
    assert describe(lambda: 1).parameters["properties"] == {}


def test_the_same_function_is_looked_at_once() -> None:
    assert describe(google) is describe(google)


def _star(*cities: str) -> None: ...
def _by_place(city: str, /) -> None: ...
def _complex(number: complex) -> None: ...
def _unknown(amount: Decimal) -> None: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (_star, "'cities' of the tool '_star' has no name"),
        (_by_place, "'city' of the tool '_by_place'"),
        (_complex, "a type that JSON cannot carry"),
        (_unknown, "'Decimal' is not defined"),
    ],
)
def test_what_cannot_be_described_is_said(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tool(function)
