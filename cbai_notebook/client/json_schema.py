"""The JSON Schema of a Python type, and the decoder of its JSON.

msgspec does both. pydantic does both for a type with a pydantic type inside, such as
``list[City]``. msgspec does both with pydantic's help where pydantic does not know the outer type:
a msgspec Struct, and before Python 3.12 a TypedDict.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from cbai_notebook.i18n import Words, say

_REF = "#/$defs/"

# Types and annotations of pydantic; its own annotations come from `annotated_types`.
_PYDANTIC = frozenset({"annotated_types", "pydantic", "pydantic_core"})
_MOST_PROBLEMS = 3

TYPE_ERRORS = (TypeError, ValueError, NameError, RuntimeError)
"""What msgspec and pydantic raise for a type that has no JSON form."""


@dataclass(frozen=True)
class JSONType:
    """A type that JSON can represent.

    Args:
        schema: Its JSON Schema. The root is no reference; definitions are under ``$defs``.
        decode: Turns JSON text into a value of the type; raises `msgspec.ValidationError`, with the
            path of the problem, if the text does not fit, and `msgspec.DecodeError` if it is not
            JSON.
    """

    schema: dict[str, Any]
    decode: Callable[[str | bytes], Any] = field(repr=False)


def json_type(kind: Any, parts: Mapping[Any, JSONType] | None = None) -> JSONType:
    """Return the JSON Schema and the decoder of a Python type.

    Args:
        kind: The type.
        parts: Classes that msgspec does not know, which may be inside the type, and what they
            stand for.

    Raises:
        TypeError, ValueError, NameError, RuntimeError: The type has no JSON form.
    """
    if not uses_pydantic(kind):
        return _msgspec_type(kind, parts or {})
    try:
        from pydantic.errors import PydanticUserError
    except ImportError:
        raise TypeError(say("tool.needs_pydantic_2")) from None
    if not any(_is_msgspec(inner) for inner in _inside(kind)):
        try:
            return _pydantic_type(kind)
        except PydanticUserError:
            if _is_pydantic(kind):
                raise
    return _msgspec_type(kind, _PydanticParts())


def uses_pydantic(kind: Any) -> bool:
    """Return whether a type is one of pydantic, or has one inside."""
    # A type cannot be one of pydantic before pydantic is imported.
    return "pydantic" in sys.modules and any(_is_pydantic(inner) for inner in _inside(kind))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; pydantic adds an address to it."""
    if error.args and isinstance(error.args[0], Words):
        return error.args[0]
    return str(error).partition("\n")[0]


class _PydanticParts(dict[Any, JSONType]):
    """The pydantic types inside a type, each described when it is looked up."""

    def __missing__(self, kind: Any) -> JSONType:
        if not _is_pydantic(kind):
            raise KeyError(kind)
        self[kind] = found = _pydantic_type(kind)
        return found


# Looking into types --------------------------------------------------------------------------------


def _inside(kind: Any) -> Iterator[Any]:
    """Yield a type, and every type and annotation inside it, fields included."""
    # A list, not a set of ids: the id of a value that is no longer kept can be used again.
    found = [kind]
    for one in found:
        yield one
        found += [part for part in _parts(one) if not any(part is known for known in found)]


def _parts(kind: Any) -> Iterator[Any]:
    yield from get_args(kind)
    yield from getattr(kind, "__metadata__", ())
    # The last two belong to a type alias (`type Cities = …`) and to a NewType.
    for inner in (
        get_origin(kind),
        getattr(kind, "__value__", None),
        getattr(kind, "__supertype__", None),
    ):
        if inner is not None:
            yield inner
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or _has_named_fields(kind)):
        try:
            yield from get_type_hints(kind, include_extras=True).values()
        except (NameError, TypeError, AttributeError):
            return  # the decoder reports it


def _has_named_fields(kind: type) -> bool:
    """Return whether a class is a TypedDict, a NamedTuple or a Struct."""
    return any(
        hasattr(kind, name)
        for name in ("__required_keys__", "__struct_fields__", "_field_defaults")
    )


def _is_pydantic(kind: Any) -> bool:
    module = getattr(kind if isinstance(kind, type) else type(kind), "__module__", None) or ""
    return module.partition(".")[0] in _PYDANTIC or (
        # Classes of the user: the models, the dataclasses, and those with rules of their own.
        isinstance(kind, type)
        and any(
            hasattr(kind, name)
            for name in (
                "__pydantic_validator__",
                "__get_pydantic_core_schema__",
                "__get_validators__",
            )
        )
    )


def _is_msgspec(kind: Any) -> bool:
    """Return whether only msgspec knows a type or an annotation."""
    return isinstance(kind, msgspec.Meta) or hasattr(kind, "__struct_fields__")


# msgspec ------------------------------------------------------------------------------------------


class _PartError(ValueError):
    """A value inside does not fit its part; the path begins at the part."""

    def __init__(self, problem: str, path: str) -> None:
        # Both are in `args`, so that the error can be copied and pickled.
        super().__init__(problem, path)
        self.problem = problem
        self.path = path

    def __str__(self) -> str:
        return self.problem


def _msgspec_type(kind: Any, parts: Mapping[Any, JSONType]) -> JSONType:
    def convert(part: Any, value: Any) -> Any:
        try:
            return _part(parts, part).decode(msgspec.json.encode(value))
        except msgspec.ValidationError as error:
            raise _PartError(*_split_path(str(error))) from error

    # Lax, because a small model writes "3" for 3.
    decoder = msgspec.json.Decoder(kind, strict=False, dec_hook=convert)

    def decode(text: str | bytes) -> Any:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError as error:
            if not isinstance(error.__cause__, _PartError):
                raise
            _, path = _split_path(str(error))
            inner = error.__cause__
            raise msgspec.ValidationError(
                f"{inner.problem} - at `{path}{inner.path.removeprefix('$')}`"
            ) from error

    return JSONType(_msgspec_schema(kind, parts), decode)


def _msgspec_schema(kind: Any, parts: Mapping[Any, JSONType]) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    while True:
        # The definitions inside the parts get names that no definition of msgspec has.
        of_parts: dict[str, Any] = {}

        def schema_of(
            part: Any, taken: dict[str, Any] = taken, of_parts: dict[str, Any] = of_parts
        ) -> dict[str, Any]:
            return _hoist(_part(parts, part).schema, of_parts, taken)

        (own,), definitions = msgspec.json.schema_components(
            [kind], schema_hook=schema_of, ref_template=_REF + "{name}"
        )
        if taken or not definitions.keys() & of_parts.keys():
            return _at_root(own, {**definitions, **of_parts})
        taken = definitions


def _part(parts: Mapping[Any, JSONType], kind: Any) -> JSONType:
    try:
        return parts[kind]
    except KeyError:
        name = getattr(kind, "__name__", repr(kind))
        raise TypeError(say("tool.is_no_type_in_json", name=name)) from None


def _hoist(
    schema: dict[str, Any], definitions: dict[str, Any], taken: Mapping[str, Any]
) -> dict[str, Any]:
    """Move the definitions of a schema into `definitions`; return the rest of the schema.

    A name that is taken gets a number, in the references too.
    """
    inner = schema.get("$defs", {})
    names: dict[str, str] = {}
    for name, definition in inner.items():
        new, number = name, 1
        while new in taken or definitions.get(new, definition) != definition:
            number += 1
            new = f"{name}_{number}"
        names[name] = new
    changed: dict[str, Any] = json.loads(
        json.dumps(schema), object_hook=lambda value: _with_references(value, names)
    )
    for name, definition in changed.pop("$defs", {}).items():
        definitions[names[name]] = definition
    return changed


def _with_references(value: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    reference = value.get("$ref")
    if isinstance(reference, str) and (name := names.get(reference.removeprefix(_REF))):
        return {**value, "$ref": _REF + name}
    return value


def _split_path(message: str) -> tuple[str, str]:
    """Return the problem and the path of one of msgspec's messages; the path of the root is ``$``."""
    problem, _, path = message.rpartition(" - at `")
    return (problem, path.removesuffix("`")) if problem else (message, "$")


# pydantic -----------------------------------------------------------------------------------------


def _pydantic_type(kind: Any) -> JSONType:
    # Not a model's own methods: `TypeAdapter` has the same ones for every type.
    from pydantic import TypeAdapter, ValidationError

    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(ref_template=_REF + "{model}")

    def decode(text: str | bytes) -> Any:
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise _misfit(text, problems) from error

    return JSONType(_at_root(schema, schema.pop("$defs", {})), decode)


def _misfit(text: str | bytes, problems: list[Any]) -> msgspec.DecodeError:
    """Return pydantic's errors as one of msgspec, in its style."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return msgspec.DecodeError(problems[0]["msg"])
    said = [
        f"{problem['msg']} - at `{_path(problem['loc'], value)}`"
        if problem["loc"]
        else str(problem["msg"])
        for problem in problems[:_MOST_PROBLEMS]
    ]
    if len(problems) > _MOST_PROBLEMS:
        said.append(f"and {len(problems) - _MOST_PROBLEMS} more")
    return msgspec.ValidationError("; ".join(dict.fromkeys(said)))


def _path(location: tuple[int | str, ...], value: Any) -> str:
    """Return a path as msgspec writes it, ``$.cities[0].name``.

    pydantic's location also names the members of a union that it tried. They are no part of the
    path: there is nothing of that name in the value.
    """
    path, last = "$", len(location) - 1
    for number, step in enumerate(location):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            # A field that is missing is the last step, in an object.
            if number < last or not isinstance(value, dict):
                continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


# The root -----------------------------------------------------------------------------------------


def _at_root(own: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Replace a reference at the root by the type itself: many providers need an object there."""
    if own.keys() == {"allOf"} and len(own["allOf"]) == 1:  # so wrote pydantic before 2.9
        own = own["allOf"][0]
    name = own.get("$ref", "").removeprefix(_REF)
    root = definitions.get(name, own)
    needed = dict(definitions)
    if name in needed and not _refers(name, definitions):
        del needed[name]
    return {**root, "$defs": needed} if needed else root


def _refers(name: str, definitions: dict[str, Any]) -> bool:
    return json.dumps(_REF + name) in json.dumps(definitions)
