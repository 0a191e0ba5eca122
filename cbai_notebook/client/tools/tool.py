"""A tool: a function with a name, a description and parameters for the model."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, overload

import msgspec

from cbai_notebook.client.tools.schema import describe
from cbai_notebook.client.tools.source import ToolSource
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

# The names that providers accept (the rule of the OpenAI API).
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, eq=False)
class Tool:
    """A function that a model may call. Calling the tool calls the function.

    Args:
        name: The name that the model uses.
        description: The description for the model.
        parameters: The JSON Schema of its arguments.
        function: The function; it gets its arguments by name.
        decode: Turns the model's JSON text into arguments by name; raises `msgspec.MsgspecError`
            when they do not fit.
        confirm: Whether the user is asked before each call.
        nested: Whether it runs on the kernel's event loop instead of a separate thread.
        server: The name of its server, as plain text without unseen characters; empty if it has none.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]
    decode: Callable[[str], dict[str, Any]]
    confirm: bool = False
    nested: bool = False
    server: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(say("tool.name_is_wrong", name=self.name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)

    @property
    def sent(self) -> dict[str, Any]:
        """The tool's entry in the ``tools`` of a request."""
        described = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }
        return {
            "type": "function",
            "function": {name: value for name, value in described.items() if value},
        }

    def __repr__(self) -> str:
        return f"<Tool {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # What decodes arguments cannot be pickled. A function that a decorator has replaced by its
        # tool cannot be found by its name, but the tool can.
        module = str(getattr(self.function, "__module__", None))
        name = str(getattr(self.function, "__qualname__", ""))
        if module != "__main__" and getattr(sys.modules.get(module), name, None) is self:
            return _imported, (module, name)
        facts = (self.name, self.description, self.parameters, self.confirm, self.nested)
        return _made_again, (self.function, *facts)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    confirm: bool = False,
    nested: bool = False,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    confirm: bool = False,
    nested: bool = False,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a function a tool. A decorator, with or without arguments.

    A plain function in ``tools=[…]`` needs no decorator.

    Args:
        function: A function with type hints, and a docstring that the model reads.
        name: Another name than the function's.
        description: Another description than the docstring's.
        confirm: Ask the user before each call.
        nested: Run it on the kernel's own event loop, for a function that uses a connection made in
            a cell.

    Raises:
        UsageError: The function cannot be described to a model.
    """

    def make(function: Callable[..., Any]) -> Tool:
        described = describe(function)
        return Tool(
            name=name or str(getattr(function, "__name__", type(function).__name__)),
            description=described.description if description is None else description,
            parameters=described.parameters,
            function=function,
            decode=described.decode,
            confirm=confirm,
            nested=nested,
        )

    return make if function is None else make(function)


def _imported(module: str, name: str) -> Tool:
    """Return a tool of a module."""
    found: Tool = getattr(import_module(module), name)
    return found


def _made_again(
    function: Callable[..., Any],
    name: str,
    description: str,
    parameters: Mapping[str, Any],
    confirm: bool,
    nested: bool,
) -> Tool:
    """Return a tool that was pickled."""
    decode = _by_schema(function, parameters)
    with contextlib.suppress(UsageError):  # a function that needed a schema of the caller's
        described = describe(function)
        decode = described.decode if described.parameters == parameters else decode
    return Tool(name, description, parameters, function, decode, confirm, nested)


def tools_of(given: Any) -> list[Tool | Any]:
    """Read what a caller passes as ``tools``.

    Args:
        given: A list of functions, tools, mappings with a function under ``"fn"`` (the Web SDK's
            shape), sources of tools, lists of functions, dicts of functions by name, and entries
            that are sent as they are. Or one source, or one dict of functions.

    Returns:
        The entries in the same order: a `Tool` for each that has a function, the others unchanged.

    Raises:
        UsageError: ``given`` is not a list, an entry cannot be a tool, or two tools have the same
            name.
    """
    if isinstance(given, ToolSource) or _is_dict_of_functions(given):
        given = [given]
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise UsageError(say("tool.tools_are_no_list"))
    # A tool that two entries name, as a server and one of its tools do, is there once.
    found = list({id(one): one for item in given for one in _tools_of(item)}.values())
    names = [item.name for item in found if isinstance(item, Tool)]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise UsageError(say("tool.two_have_one_name", name=duplicate))
    return found


def _tools_of(item: Any) -> list[Tool | Any]:
    if isinstance(item, ToolSource):
        return list(item.named_tools().values())
    if isinstance(item, (list, tuple)) and item:
        return [tool for inner in item for tool in _tools_of(inner)]
    if _is_dict_of_functions(item):
        return [tool(name=name)(function) for name, function in item.items()]
    return [_tool_of(item)]


def _is_dict_of_functions(item: Any) -> bool:
    """Return whether this is a dict of functions by name, and not one tool with a function."""
    if not isinstance(item, Mapping) or not item or "fn" in item:
        return False
    return all(isinstance(name, str) and callable(inner) for name, inner in item.items())


def _tool_of(item: Any) -> Tool | Any:
    if isinstance(item, Tool):
        return item
    if isinstance(item, Mapping):
        return _of_mapping(item) if "fn" in item else item
    if callable(item) and not isinstance(item, type):
        return tool(item)
    raise UsageError(say("tool.is_no_tool", value=repr(item)))


def _of_mapping(item: Mapping[str, Any]) -> Tool:
    function = item["fn"]
    if not callable(function):
        raise UsageError(say("tool.fn_is_no_function"))
    name = item.get("name") or getattr(function, "__name__", "")
    if item.get("parameters") is None:
        described = describe(function)
        parameters, decode = described.parameters, described.decode
    else:
        parameters, decode = item["parameters"], _by_schema(function, item["parameters"])
    return Tool(
        name=str(name),
        description=str(item.get("description") or ""),
        parameters=parameters,
        function=function,
        decode=decode,
        confirm=bool(item.get("confirm")),
        nested=bool(item.get("nested")),
    )


def _by_schema(
    function: Callable[..., Any], parameters: Mapping[str, Any]
) -> Callable[[str], dict[str, Any]]:
    """Return a decoder for a schema that the caller wrote. It checks only the names."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    parameter = _takes_one_object(signature, parameters)

    def decode(text: str) -> dict[str, Any]:
        arguments = msgspec.json.decode(text, type=dict[str, Any])
        missing = [name for name in parameters.get("required", ()) if name not in arguments]
        if missing:
            raise msgspec.ValidationError(f"Object missing required field `{missing[0]}`")
        if parameter is not None:
            return {parameter: arguments}
        if signature is not None:
            try:
                signature.bind(**arguments)
            except TypeError as error:
                raise msgspec.ValidationError(str(error)) from error
        return arguments

    return decode


def _takes_one_object(
    signature: inspect.Signature | None, parameters: Mapping[str, Any]
) -> str | None:
    """Return the parameter that takes all arguments as one object, as in the Web SDK, or None."""
    names = list(signature.parameters) if signature is not None else []
    if len(names) == 1 and names[0] not in (parameters.get("properties") or {}):
        kind = signature.parameters[names[0]].kind if signature is not None else None
        if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            return names[0]
    return None
