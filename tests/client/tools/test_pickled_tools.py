"""Tools that go to another process, and can be called there as here."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from cbai_notebook.client.tools.tool import Tool, tool, tools_of
from tests.sample_tools import add


@tool(description="Subtract a number from another one.")
def subtract(x: int, y: int = 1) -> int:
    """Subtract."""
    return x - y


def search(query: dict[str, Any]) -> str:
    return json.dumps(query)


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("given", "arguments", "result"),
    [
        (add, '{"x": 2, "y": 3}', 5),
        (subtract, '{"x": 2}', 1),
        (
            tool(
                add,
            ),
            '{"x": 2, "y": 3}',
            5,
        ),
        (
            {"fn": search, "name": "find", "parameters": SCHEMA},
            '{"city": "Rome"}',
            '{"city": "Rome"}',
        ),
    ],
    ids=["function", "decorated", "made", "with a schema of its own"],
)
def test_a_tool_is_the_same_in_another_process(given: Any, arguments: str, result: Any) -> None:
    (here,) = tools_of([given])
    there: Tool = pickle.loads(pickle.dumps(here))
    assert there.sent == here.sent
    assert (there.confirm, there.nested) == (here.confirm, here.nested)
    assert there(**there.decode(arguments)) == result


def test_a_tool_of_a_module_is_found_there() -> None:
    assert pickle.loads(pickle.dumps(subtract)) is subtract
