"""Make a tool's JSON Schema from a function's signature and docstring, and decode its arguments.

Rule: the ``parameters`` of a tool are a JSON Schema of type object.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional, get_args, get_origin

import msgspec

from cbai_notebook.client.json_schema import (
    TYPE_ERRORS,
    JSONType,
    first_line,
    json_type,
    uses_pydantic,
)
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
_VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD


@dataclass(frozen=True)
class Described:
    """The description of a function for a model.

    Args:
        description: The text of the docstring.
        parameters: The JSON Schema of its arguments.
        decode: Turns JSON text into arguments by name, converted and checked; raises
            `msgspec.MsgspecError` when they do not fit.
    """

    description: str
    parameters: Mapping[str, Any]
    decode: Callable[[str], dict[str, Any]]


class _Part:
    """A value that msgspec did not decode itself: it checks the class of such a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _boxed(kind: JSONType, part: type[_Part]) -> JSONType:
    return JSONType(kind.schema, lambda text: part(kind.decode(text)))


def _unboxed(value: Any) -> Any:
    return value.value if isinstance(value, _Part) else value


# Weak: a cell that runs again defines a new function, and the entry of the old one is removed.
_known: weakref.WeakKeyDictionary[Callable[..., Any], Described] = weakref.WeakKeyDictionary()


def describe(function: Callable[..., Any]) -> Described:
    """Describe a function to a model; the result is cached.

    Args:
        function: A function whose parameters have type hints with a JSON form, and whose docstring
            describes them in Google, NumPy or reST style.

    Raises:
        UsageError: A parameter cannot be passed by name, or its type has no JSON form.
    """
    try:
        known = _known.get(function)
    except TypeError:  # it cannot be weakly referenced or hashed
        return _described(function)
    if known is None:
        known = _known[function] = _described(function)
    return known


def _described(function: Callable[..., Any]) -> Described:
    from docstring_parser import parse

    name = getattr(function, "__name__", type(function).__name__)
    docstring = parse(inspect.getdoc(function) or "")
    descriptions = {param.arg_name.lstrip("*"): param.description for param in docstring.params}
    names, fields = [], []
    parts: dict[Any, JSONType] = {}
    extra = False
    for parameter in _parameters(function, name):
        if parameter.kind is _VAR_KEYWORD:
            extra = True
            continue
        if parameter.kind in (_POSITIONAL_ONLY, _VAR_POSITIONAL):
            raise UsageError(say("tool.parameter_has_no_name", parameter=parameter.name, name=name))
        names.append(parameter.name)
        fields.append(_field(parameter, descriptions.get(parameter.name), parts, name))
    struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=not extra)
    arguments = _json_type(struct, name, parts)
    schema = dict(arguments.schema)
    schema.pop("title", None)
    return Described(
        description="\n\n".join(
            filter(None, (docstring.short_description, docstring.long_description))
        ),
        parameters=schema,
        decode=_decoder(arguments, names, extra),
    )


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise UsageError(
            say("tool.type_hint_is_unreadable", name=name, reason=str(error))
        ) from error
    except (TypeError, ValueError) as error:
        raise UsageError(
            say("tool.parameters_are_unreadable", name=name, reason=str(error))
        ) from error


def _field(
    parameter: inspect.Parameter,
    description: str | None,
    parts: dict[Any, JSONType],
    tool_name: str,
) -> tuple[str, Any, Any]:
    kind: Any = Any if parameter.annotation is parameter.empty else parameter.annotation
    annotated = next((arg for arg in get_args(kind)[1:] if isinstance(arg, str)), None)
    if get_origin(kind) is Annotated and annotated:
        description = annotated
    default = parameter.default
    if default is None:
        kind = Optional[kind]  # noqa: UP045  # `x: int = None` is common
    if uses_pydantic(kind):
        # msgspec sees a class of its own in place of the type.
        part = type(parameter.name, (_Part,), {})
        parts[part], kind = _boxed(_json_type(kind, tool_name), part), part
    if description:
        kind = Annotated[kind, msgspec.Meta(description=" ".join(description.split()))]
    if default is parameter.empty:
        return parameter.name, kind, msgspec.NODEFAULT
    if default is None or isinstance(default, (bool, int, float, str)):
        return parameter.name, kind, default
    # A factory: without it, msgspec would copy the default, and put it into the schema.
    return parameter.name, kind, msgspec.field(default_factory=lambda: default)


def _json_type(kind: Any, tool_name: str, parts: Mapping[Any, JSONType] | None = None) -> JSONType:
    try:
        return json_type(kind, parts)
    except TYPE_ERRORS as error:
        raise UsageError(
            say("tool.parameter_cannot_be_json", name=tool_name, reason=first_line(error))
        ) from error


def _decoder(arguments: JSONType, names: list[str], extra: bool) -> Callable[[str], dict[str, Any]]:
    def decode(text: str) -> dict[str, Any]:
        value = arguments.decode(text)
        known = {name: _unboxed(getattr(value, name)) for name in names}
        return {**msgspec.json.decode(text), **known} if extra else known

    return decode
