"""The methods of an object, or the functions of a module, as tools."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from types import ModuleType
from typing import Any

from cbai_notebook.client.tools.source import ToolSource, names_of
from cbai_notebook.client.tools.tool import Tool, tool
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say


class Toolbox(ToolSource):
    """The public methods of an object as tools; made by `toolbox`.

    Args:
        tools: The tools by the names of the methods.
        hints: A sentence for each method that cannot be a tool.
    """

    def __init__(self, tools: dict[str, Tool], hints: list[str]) -> None:
        self._tools = tools
        self._hints = hints

    def __repr__(self) -> str:
        return f"<Toolbox {', '.join(self._tools)}>"

    def named_tools(self) -> dict[str, Tool]:
        """Return the tools by the names of the methods."""
        return dict(self._tools)

    def known_names(self) -> list[str]:
        """Return the names of the methods."""
        return list(self._tools)

    def take_hints(self) -> list[str]:
        """Return a sentence for each method that cannot be a tool, once."""
        hints, self._hints = self._hints, []
        return hints


def toolbox(
    owner: Any,
    /,
    *,
    allow: str | Collection[str] = (),
    deny: str | Collection[str] = (),
    prefix: str = "",
    confirm: bool | str | Collection[str] = False,
) -> Toolbox:
    """Make the public methods of an object, or the functions of a module, tools.

    A method is described by its type hints and docstring, as a function is. No property of the object
    is read.

    Args:
        owner: The object or module.
        allow: The names of the methods that are tools; all public ones if empty.
        deny: The names of those that are none.
        prefix: What the names of the tools begin with.
        confirm: Whether the user is asked before each call; or the names of the methods for which.

    Raises:
        UsageError: There is no method of that name, or none that can be a tool.
    """
    allowed, denied = names_of(allow), names_of(deny)
    asked = () if isinstance(confirm, bool) else names_of(confirm)
    kind = owner.__name__ if isinstance(owner, ModuleType) else type(owner).__name__
    public = _public_names(owner)
    if wrong := next((name for name in (*allowed, *denied, *asked) if name not in public), None):
        raise UsageError(say("tool.no_method", name=wrong, type=kind))
    tools: dict[str, Tool] = {}
    hints: list[str] = []
    for name in public:
        if name in denied or (allowed and name not in allowed):
            continue
        make = tool(name=prefix + name, confirm=confirm is True or name in asked)
        try:
            tools[name] = make(getattr(owner, name))
        except UsageError as error:  # its parameters cannot be described
            if name in allowed:
                raise
            hints.append(say("tool.method_is_left_out", name=name, reason=str(error)))
    if not tools:
        raise UsageError(say("tool.no_methods", type=kind))
    return Toolbox(tools, hints)


def _public_names(owner: Any) -> list[str]:
    """Return the names of the public methods, in the order of their definition, the class's own first."""
    if isinstance(owner, ModuleType):
        return [
            name
            for name, value in vars(owner).items()
            if inspect.isfunction(value)
            and value.__module__ == owner.__name__
            and not name.startswith("_")
        ]
    # Of the first class only: what overrides a method may be a property.
    found: dict[str, object] = {}
    for base in type(owner).__mro__:
        for name, value in vars(base).items():
            found.setdefault(name, value)
    # By the class: reading a property of the object would run its code.
    return [name for name, value in found.items() if _is_method(value) and not name.startswith("_")]


def _is_method(value: object) -> bool:
    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    return inspect.isfunction(function)
