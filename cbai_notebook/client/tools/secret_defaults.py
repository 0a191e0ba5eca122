"""Leave secrets out of the schemas of tools: the default of a parameter may hold one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client.secret_values import KnownSecrets, texts_in

# Keywords of JSON Schema whose value is an object of schemas by names of the user's own.
_SCHEMAS_BY_NAME = frozenset({
    "properties", "patternProperties", "dependentSchemas", "$defs", "definitions",
})  # fmt: skip


@dataclass(frozen=True)
class SecretDefault:
    """A default that is not sent.

    Args:
        tool: The name of the tool.
        parameter: The name of the parameter, or of the field inside it.
        secrets: The names of the secrets in the default.
    """

    tool: str
    parameter: str
    secrets: tuple[str, ...]


def without_secret_defaults(
    tools: Iterable[Any], known: KnownSecrets
) -> tuple[list[Any], list[SecretDefault]]:
    """Return the tools of a request without the defaults that hold a secret, and those defaults.

    The function still has its default: a parameter with one is not required.

    Args:
        tools: The entries of ``tools`` as they would be sent.
        known: The secrets.
    """
    sent: list[Any] = []
    found: list[SecretDefault] = []
    for tool in tools:
        if not known.names_in(texts_in(tool)):
            sent.append(tool)
            continue
        function = tool.get("function") if isinstance(tool, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else ""
        sent.append(_without(tool, "", str(name), known, found))
    return sent, found


def _without(
    value: Any, parameter: str, tool: str, known: KnownSecrets, found: list[SecretDefault]
) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without(item, parameter, tool, known, found) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "default" and (names := known.names_in(texts_in(inner))):
            found.append(SecretDefault(tool, parameter, tuple(names)))
        elif key in _SCHEMAS_BY_NAME and isinstance(inner, Mapping):
            kept[key] = {
                name: _without(schema, str(name), tool, known, found)
                for name, schema in inner.items()
            }
        else:
            kept[key] = _without(inner, parameter, tool, known, found)
    return kept
