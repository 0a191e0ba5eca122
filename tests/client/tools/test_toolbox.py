"""Several tools in one value: lists, dicts, methods of an object, functions of a module."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cbai_notebook import toolbox
from cbai_notebook.client.tools.tool import tools_of
from cbai_notebook.errors import UsageError
from tests import sample_tools
from tests.sample_tools import add


class Base:
    def inherited(self) -> int:
        """Return one."""
        return 1

    def stock(self) -> int:
        """Return the stock; a shop has a property instead."""
        return 0


class Shop(Base):
    """A shop whose property must not be read."""

    def price(self, article: str) -> float:
        """Return a price."""
        return float(len(article))

    async def order(self, article: str, number: int = 1) -> str:
        """Order an article."""
        return f"{number} {article}"

    @staticmethod
    def currency() -> str:
        """Return the currency."""
        return "EUR"

    def _hidden(self) -> None: ...

    def anything(self, *things: Any) -> None: ...

    @property
    def stock(self) -> int:  # type: ignore[override]
        raise AssertionError("read")


def names(given: Any) -> list[str]:
    return [tool.name for tool in tools_of(given)]


def test_lists_and_dicts_of_functions() -> None:
    assert names([[add, Shop().price], {"double": lambda: 2}]) == ["add", "price", "double"]
    assert names({"sum": add}) == ["sum"]
    (one,) = tools_of([{"fn": add, "name": "plus"}])
    assert one.name == "plus"
    raw = {"type": "web_search"}
    assert tools_of([raw]) == [raw]
    with pytest.raises(UsageError, match="can be no tool"):
        tools_of([[]])
    with pytest.raises(UsageError, match="Two tools"):
        tools_of([[add], add])


def test_the_public_methods_of_an_object_are_tools() -> None:
    shop = toolbox(Shop(), prefix="shop_", confirm="order")
    assert names([shop]) == ["shop_price", "shop_order", "shop_currency", "shop_inherited"]
    assert [tool.confirm for tool in tools_of(shop)] == [False, True, False, False]
    assert shop.tool("price")("pen") == 3.0
    assert shop.tool("order").parameters["required"] == ["article"]
    (hint,) = shop.take_hints()
    assert "anything" in hint
    assert shop.take_hints() == []


def test_methods_are_chosen_by_name() -> None:
    assert names(toolbox(Shop(), allow=["price"])) == ["price"]
    assert "order" not in names(toolbox(Shop(), deny="order"))
    with pytest.raises(UsageError, match="prise"):
        toolbox(Shop(), deny="prise")
    with pytest.raises(UsageError, match="anything"):
        toolbox(Shop(), allow="anything")
    with pytest.raises(UsageError, match="no public method"):
        toolbox(object())


def test_the_functions_of_a_module_are_tools() -> None:
    assert "add" in names(toolbox(sample_tools))
    with pytest.raises(UsageError):
        toolbox(math)  # built-in functions have no type hints
