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

from cbai_notebook.errors import UsageError

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
    extra = False
    for parameter in _parameters(function, name):
        if parameter.kind is _VAR_KEYWORD:
            extra = True
            continue
        if parameter.kind in (_POSITIONAL_ONLY, _VAR_POSITIONAL):
            raise UsageError(
                f"The parameter {parameter.name!r} of the tool {name!r} has no name that a model "
                "could use. Give the tool parameters that are passed by name."
            )
        names.append(parameter.name)
        fields.append(_field(parameter, descriptions.get(parameter.name)))
    struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=not extra)
    return Described(
        description="\n\n".join(
            filter(None, (docstring.short_description, docstring.long_description))
        ),
        parameters=_schema(struct, name),
        decode=_decoder(struct, names, extra),
    )


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise UsageError(
            f"A type hint of the tool {name!r} cannot be read: {error}. Define or import that name "
            "where the function is defined."
        ) from error
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"The parameters of the tool {name!r} cannot be read: {error}. Wrap it in a function "
            "with type hints."
        ) from error


def _field(parameter: inspect.Parameter, description: str | None) -> tuple[str, Any, Any]:
    kind: Any = Any if parameter.annotation is parameter.empty else parameter.annotation
    annotated = next((arg for arg in get_args(kind)[1:] if isinstance(arg, str)), None)
    if get_origin(kind) is Annotated and annotated:
        description = annotated
    default = parameter.default
    if default is None:
        kind = Optional[kind]  # noqa: UP045  # `x: int = None` is common
    if description:
        kind = Annotated[kind, msgspec.Meta(description=" ".join(description.split()))]
    if default is parameter.empty:
        return parameter.name, kind, msgspec.NODEFAULT
    if default is None or isinstance(default, (bool, int, float, str)):
        return parameter.name, kind, default
    # A factory: without it, msgspec would copy the default, and put it into the schema.
    return parameter.name, kind, msgspec.field(default_factory=lambda: default)


def _schema(struct: type[msgspec.Struct], name: str) -> dict[str, Any]:
    try:
        (own,), definitions = msgspec.json.schema_components(
            [struct], ref_template="#/$defs/{name}"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"A parameter of the tool {name!r} has a type that JSON cannot carry: {error} "
            "Use str, int, float, bool, list, dict, Literal, a dataclass or the like."
        ) from error
    schema = definitions.pop(own["$ref"].removeprefix("#/$defs/"))
    schema.pop("title", None)
    return {**schema, "$defs": definitions} if definitions else schema


def _decoder(
    struct: type[msgspec.Struct], names: list[str], extra: bool
) -> Callable[[str], dict[str, Any]]:
    # Lax, because a small model writes "3" for 3.
    decoder = msgspec.json.Decoder(struct, strict=False)

    def decode(text: str) -> dict[str, Any]:
        value = decoder.decode(text)
        known = {name: getattr(value, name) for name in names}
        return {**msgspec.json.decode(text), **known} if extra else known

    return decode
