"""Make a value that fits a JSON Schema, with the names and numbers of a prompt where they fit."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from cbai_notebook.client.demo.words import Material

# Below this depth only what a schema requires is made, so that one that refers to itself ends.
_DEEP = 5
_DEEPEST = 30
_MOST_ITEMS = 10
# No value fits a schema that requires itself, so making one has to end.
_MOST_VALUES = 5_000

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "duration": "P1D",
    "email": "demo@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def fitting_value(schema: Mapping[str, Any], prompt: str) -> Any:
    """Return a value that fits the schema; the same schema and prompt give the same value.

    A string that has to match a pattern fits only if a word of the prompt does.

    Args:
        schema: The schema of an answer, or of the parameters of a tool.
        prompt: Where names and numbers come from. What is not required is left out when the
            prompt has nothing for it.
    """
    return _Values(schema, Material(prompt)).of(schema, "answer", 0)


class _Values:
    def __init__(self, root: Mapping[str, Any], material: Material) -> None:
        self.root = root
        self.material = material
        self.made = 0

    def of(self, schema: Any, name: str, depth: int) -> Any:
        """Return a value for a schema; `name` is that of its property."""
        self.made += 1
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if values := schema.get("enum"):
            return self._mentioned(values) or values[0]
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            return self.of(self._branch(branches, depth), name, depth + 1)
        kind = _kind(schema)
        if kind == "null" or depth > _DEEPEST or self.made > _MOST_VALUES:
            return None
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return self._number(schema, kind)
        return self._text(schema, name)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        """Return a schema with its reference followed and its ``allOf`` merged."""
        found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(_DEEPEST):
            reference = found.pop("$ref", None)
            if not isinstance(reference, str):
                break
            target: Any = self.root
            for part in reference.removeprefix("#").strip("/").split("/"):
                target = target.get(part, {}) if isinstance(target, Mapping) and part else target
            found = {**(target if isinstance(target, Mapping) else {}), **found}
        for part in found.pop("allOf", ()):
            more = self._resolved(part)
            found = {
                **more,
                **found,
                "properties": {**more.get("properties", {}), **found.get("properties", {})},
                "required": [*more.get("required", ()), *found.get("required", ())],
            }
        return found

    def _branch(self, branches: list[Any], depth: int) -> Any:
        def is_null(branch: Any) -> bool:
            return _kind(self._resolved(branch)) == "null"

        # The first that is not null; deep down the other way round.
        return sorted(branches, key=is_null, reverse=depth > _DEEP)[0]

    def _mentioned(self, values: list[Any]) -> Any:
        prompt = self.material.prompt.casefold()
        return next((each for each in values if str(each).casefold() in prompt), None)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required") or ()
        properties = schema.get("properties") or {}
        made = {
            name: self.of(inner, name, depth + 1)
            for name, inner in properties.items()
            if name in required or self._has_something_for(inner, depth)
        }
        values = schema.get("additionalProperties")
        if not properties and isinstance(values, Mapping) and depth <= _DEEP:
            key = self.material.take_text(lambda text: True) or "demo"
            made[key] = self.of(values, key, depth + 1)
        return made

    def _has_something_for(self, schema: Any, depth: int) -> bool:
        """Return whether the prompt has a value for a property that is not required."""
        schema = self._resolved(schema)
        if depth > _DEEP:
            return False
        if values := schema.get("enum"):
            return self._mentioned(values) is not None
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            return any(self._has_something_for(each, depth + 1) for each in branches)
        kind = _kind(schema)
        if kind in ("integer", "number"):
            return any(_fits(schema, kind, number) for number in self.material.numbers)
        return kind in ("string", "array") and bool(self.material.names)

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        if first := schema.get("prefixItems"):
            return [self.of(item, name, depth + 1) for item in first]
        items = schema.get("items", {})
        kind = _kind(self._resolved(items))
        store = self.material.numbers if kind in ("integer", "number") else self.material.names
        fewest = schema.get("minItems", 0)
        wanted = 0 if depth > _DEEP else max(1, min(len(store), _MOST_ITEMS))
        number = max(fewest, min(wanted, schema.get("maxItems", _MOST_ITEMS)))
        return [self.of(items, name, depth + 1) for _ in range(number)]

    def _number(self, schema: Mapping[str, Any], kind: str) -> int | float:
        number = self.material.take_number(lambda number: _fits(schema, kind, number))
        if number is None:
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            high = schema.get("maximum", schema.get("exclusiveMaximum", 0))
            step = schema.get("multipleOf", 1)
            multiple = math.ceil(low / step) * step
            tried = (1, 0, low, multiple, multiple + step, high, high - 1, (low + high) / 2)
            number = next((each for each in tried if _fits(schema, kind, each)), low)
        return int(number) if number == int(number) else number

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        form = schema.get("format")
        if form == "date" and (dates := _DATE.findall(self.material.prompt)):
            return str(dates[0])
        if form in _FORMATS:
            return _FORMATS[form]
        if schema.get("contentEncoding") == "base64":
            return "ZGVtbw=="
        pattern = schema.get("pattern")
        longest = schema.get("maxLength", math.inf)

        def fits(text: str) -> bool:
            return len(text) <= longest and (pattern is None or bool(re.search(pattern, text)))

        text = self.material.take_text(fits) or name.replace("_", " ")
        if len(text) > longest:
            text = text[: int(longest)]
        return text.ljust(schema.get("minLength", 0), ".")


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _fits(schema: Mapping[str, Any], kind: str, number: float) -> bool:
    step = schema.get("multipleOf")
    return (
        (kind == "number" or number == int(number))
        and schema.get("minimum", -math.inf) <= number <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < number
        and number < schema.get("exclusiveMaximum", math.inf)
        and (not step or math.isclose(number / step, round(number / step)))
    )
