"""Names and schemas of a server's tools, as providers of models accept them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.mcp_servers.schemas import accepted_schema, model_names


def test_names_are_mapped_and_stay_different() -> None:
    names = ["files.read", "files_read", "files/read", "add", "读取", "x" * 80]
    mapped = model_names(names)
    assert mapped["add"] == "add"
    assert mapped["files_read"] == "files_read", "a name that can stay keeps its place"
    assert len(set(mapped.values())) == len(names)


@given(st.lists(st.text(min_size=1), unique=True), st.text(max_size=80))
def test_every_name_is_valid(names: list[str], prefix: str) -> None:
    mapped = model_names(names, prefix)
    assert list(mapped) == sorted(mapped, key=list(mapped).index)
    assert set(mapped) == set(names)
    assert len(set(mapped.values())) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in mapped.values())


@pytest.mark.parametrize(
    ("schema", "accepted", "left_out"),
    [
        ({}, {"type": "object", "properties": {}}, []),
        (
            {"type": "object", "$schema": "x", "properties": {"a": True}, "required": ["a"]},
            {"type": "object", "properties": {"a": {}}, "required": ["a"]},
            [],
        ),
        (
            {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]},
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}},
            ["anyOf"],
        ),
        (
            {"properties": {"a": {"$ref": "https://x/y"}, "b": {"$ref": "#/$defs/B"}}, "$defs": {"B": {}}},
            {"type": "object", "properties": {"a": {}, "b": {"$ref": "#/$defs/B"}}, "$defs": {"B": {}}},
            ["$ref"],
        ),
        (
            {"properties": {"not": {"not": {"type": "null"}, "default": {"not": 1}}}},
            {"type": "object", "properties": {"not": {"default": {"not": 1}}}},
            ["not"],
        ),
        (
            {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
            {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
            [],
        ),
    ],
)  # fmt: skip
def test_a_schema_is_reduced_to_what_providers_accept(
    schema: dict[str, Any], accepted: dict[str, Any], left_out: list[str]
) -> None:
    assert accepted_schema(schema) == (accepted, left_out)


_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "anyOf",
                    "$ref",
                    "$defs",
                    "enum",
                    "not",
                    "default",
                    "a",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["properties", "anyOf", "$defs", "type", "$ref"]), _VALUES))
def test_no_schema_of_a_server_is_too_odd(schema: dict[str, Any]) -> None:
    accepted, _ = accepted_schema(schema)
    assert accepted["type"] == "object"
    assert isinstance(accepted["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "not", "$ref"} & set(accepted)
