"""Names and schemas of a server's tools, in the form that providers of models accept.

The rules of the OpenAI API, which other services follow: a name is made of letters, digits, ``_`` and
``-``, and the schema of the arguments is an object, without alternatives at its root.
https://platform.openai.com/docs/guides/function-calling
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 64

_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
# Keywords about the document and not about a value, and those that no provider follows.
_DROPPED = frozenset({
    "$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$comment", "$vocabulary",
    "contentEncoding", "contentMediaType", "contentSchema",
    "if", "then", "else", "not", "dependentSchemas", "dependentRequired", "unevaluatedProperties",
    "unevaluatedItems", "patternProperties", "propertyNames",
})  # fmt: skip
_BY_NAME = frozenset({"properties", "$defs", "definitions"})
_VALUES = frozenset({"default", "const", "enum", "examples", "required"})
_SAID_ANYWAY = frozenset({"$schema", "$id", "$comment"})
"""Dropped keywords that say nothing about the arguments, so that nobody has to be told."""


def model_names(names: Iterable[str], prefix: str = "") -> dict[str, str]:
    """Return for each name of a tool the name for the model: valid, and different from the others.

    Args:
        names: The names at the server.
        prefix: What each name for the model begins with.
    """
    found: dict[str, str] = {}
    used: set[str] = set()
    # First those that can stay as they are, so that another name never takes their place.
    for name in sorted(names, key=lambda name: _mapped(name, prefix) != prefix + name):
        base = _mapped(name, prefix)
        mapped, number = base, 1
        while mapped in used:
            number += 1
            mapped = f"{base[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
        used.add(mapped)
        found[name] = mapped
    return found


def _mapped(name: str, prefix: str) -> str:
    return _NOT_IN_NAMES.sub("_", prefix + name)[:_LONGEST_NAME] or "tool"


def accepted_schema(schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the schema of a tool's arguments as providers accept it.

    The server still checks the arguments by its own schema.

    Args:
        schema: The schema as the server has it.

    Returns:
        The schema, and the keywords that were left out.
    """
    left_out: dict[str, None] = {}
    reduced = _reduced(schema, schema, left_out)
    found: dict[str, Any] = reduced if isinstance(reduced, dict) else {}
    branches = [
        branch
        for keyword in _ALTERNATIVES
        for branch in _left_out(found, keyword, left_out)
        if isinstance(branch, Mapping)
    ]
    properties: dict[str, Any] = {}
    for part in (found, *branches):
        if isinstance(own := part.get("properties"), Mapping):
            properties = properties | {n: own[n] for n in own if n not in properties}
    for keyword in ("enum", "const", "$ref"):
        _left_out(found, keyword, left_out)
    return (
        {**found, "type": "object", "properties": properties},
        [name for name in left_out if name not in _SAID_ANYWAY],
    )


def _left_out(schema: dict[str, Any], keyword: str, left_out: dict[str, None]) -> list[Any]:
    if keyword not in schema:
        return []
    left_out[keyword] = None
    value = schema.pop(keyword)
    return value if isinstance(value, list) else []


def _reduced(schema: Any, root: Mapping[str, Any], left_out: dict[str, None]) -> Any:
    """Return a schema without what providers refuse."""
    if isinstance(schema, bool):
        return {}  # `true` allows everything; providers want an object
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _DROPPED or (keyword == "$ref" and not _is_inside(value, root)):
            left_out[keyword] = None
        elif keyword in _VALUES:
            found[keyword] = value
        elif keyword in _BY_NAME and isinstance(value, Mapping):
            found[keyword] = {
                str(name): _reduced(inner, root, left_out) for name, inner in value.items()
            }
        elif keyword in ("items", "additionalProperties") and isinstance(value, bool):
            found[keyword] = value
        elif isinstance(value, list):
            found[keyword] = [
                _reduced(inner, root, left_out) if isinstance(inner, Mapping) else inner
                for inner in value
            ]
        else:
            found[keyword] = (
                _reduced(value, root, left_out) if isinstance(value, Mapping) else value
            )
    return found


def _is_inside(reference: Any, root: Mapping[str, Any]) -> bool:
    """Return whether a reference names a definition of the same schema."""
    if not isinstance(reference, str) or not reference.startswith(("#/$defs/", "#/definitions/")):
        return False
    _, kind, name = reference.split("/", 2)
    definitions = root.get(kind)
    return isinstance(definitions, Mapping) and name in definitions
