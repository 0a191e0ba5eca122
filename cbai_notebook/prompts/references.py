"""Parse and resolve ``{name.attr["key"][0]}``. Nothing is called or evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from cbai_notebook.i18n import say
from cbai_notebook.prompts.last_error import last_error

REFERENCE = re.compile(
    r"""\{ (?P<name>[^\W\d]\w*)
        (?P<path> (?: \.[^\W\d]\w* | \[ (?: -?[0-9]{1,18} | "[^"\n]*" | '[^'\n]*' ) \] )* )
    \}""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.(?P<attribute>\w+)|\[(?P<index>-?[0-9]+)\]|\[[\"'](?P<key>[^\n]*?)[\"']\]")

LAST_ERROR = "_err"
"""The name of the last error in a prompt, as ``_`` is that of the last result."""

_INDEX = re.compile(r"\[(-?[0-9]+)\]")

# IPython's own names in the user's namespace. `_`, `__`, `___`, `_3` and `Out` hold results, which
# users do put into prompts, so these names are not hidden.
_HIDDEN = re.compile(r"__\w*__|_i{1,3}|_i\d+|_[iod]h")
_ROUTINES = (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
_HIDDEN_CALLABLES = frozenset({"exit", "quit", "get_ipython", "open"})


@dataclass(frozen=True)
class Reference:
    """A reference: the name of a variable, and the path from its value, such as ``.price[0]``."""

    name: str
    path: str = ""

    def __str__(self) -> str:
        return self.name + self.path

    def inside(self) -> Reference | None:
        """Return what follows the first key: ``a["k"].b`` gives ``k.b``; None without such a key."""
        step = _STEP.match(self.path)
        if step is None or step["key"] is None:
            return None
        return Reference(step["key"], self.path[step.end() :])


@dataclass(frozen=True)
class Found:
    """The value of a reference."""

    value: Any


@dataclass(frozen=True)
class NotFound:
    """The reason why a reference has no value to put into a prompt.

    Attributes:
        reason: The end of a sentence for the user; ``""`` if there is no such variable, or if no
            hint is wanted.
        known: Whether the variable exists.
    """

    reason: str
    known: bool


def resolve(reference: Reference, namespace: Mapping[str, Any]) -> Found | NotFound:
    """Return the value of a reference; only ``getattr`` and ``[]`` are used.

    Args:
        reference: The reference.
        namespace: The user's variables.
    """
    if not has_variable(reference.name, namespace):
        return _of_session(reference, namespace)
    return value_at(namespace[reference.name], reference)


def value_at(value: Any, reference: Reference) -> Found | NotFound:
    """Return what is found from the value of a name by the path of a reference."""
    path = reference.name
    for step in _STEP.finditer(reference.path):
        attribute = step["attribute"]
        if attribute is not None and attribute.startswith("_"):
            return NotFound("", known=True)
        try:
            value = _follow(value, step)
        except (AttributeError, LookupError, TypeError) as error:
            return NotFound(_missing_reason(value, path, step, error), known=True)
        # The object is the user's and may raise anything; the prompt is sent anyway.
        except Exception as error:  # noqa: BLE001
            return NotFound(say("reference.reading_failed", error=type(error).__name__), known=True)
        path += step.group()
    kind = _kind_of_code(value)
    return NotFound(say(f"reference.is_{kind}"), known=True) if kind else Found(value)


def _of_session(reference: Reference, namespace: Mapping[str, Any]) -> Found | NotFound:
    """Return the source of a cell, ``In[3]``, or the last error, where the user has no such variable."""
    if str(reference) == LAST_ERROR:
        text = last_error(namespace)
        return Found(text) if text else NotFound(say("reference.no_failed_cell"), known=True)
    index = _INDEX.fullmatch(reference.path) if reference.name == "In" else None
    cells = namespace.get("In")
    if index is None or not isinstance(cells, list):
        return NotFound("", known=False)
    number = int(index[1])
    number += len(cells) if number < 0 else 0
    if not 0 < number < len(cells):
        return NotFound(say("reference.no_cell", cell=str(reference)), known=True)
    # `In` holds what IPython makes of a cell, `_i3` the cell as it was written.
    return Found(namespace.get(f"_i{number}", cells[number]))


def has_variable(name: str, namespace: Mapping[str, Any]) -> bool:
    """Return whether the user has a variable of this name; IPython's own names do not count."""
    if name not in namespace or _HIDDEN.fullmatch(name):
        return False
    value = namespace[name]
    if name in _HIDDEN_CALLABLES:
        return not callable(value)
    if name == "In":
        return value is not namespace.get("_ih")
    # Before the first result, these three are an empty string.
    return not (name in ("_", "__", "___") and isinstance(value, str) and value == "")


def _follow(value: Any, step: re.Match[str]) -> Any:
    if step["attribute"] is not None:
        return getattr(value, step["attribute"])
    return value[int(step["index"]) if step["index"] is not None else step["key"]]


def _missing_reason(value: Any, path: str, step: re.Match[str], error: Exception) -> str:
    attribute = step["attribute"]
    if attribute is None:
        if isinstance(error, LookupError):
            return say("reference.has_no_key", path=path, key=step.group())
        return say("reference.takes_no_key", path=path, key=step.group())
    if issubclass(type(value), Mapping) and attribute in value:
        example = f'{{{path}["{attribute}"]}}'
        return say("reference.key_of_a_dict", example=example)
    return say("reference.has_no_attribute", path=path, name=attribute)


def _kind_of_code(value: Any) -> str:
    """Return ``"module"``, ``"class"``, ``"function"``, or ``""`` for any other value."""
    # `type`, not `isinstance`: `isinstance` reads `__class__`, and an unbound proxy raises then.
    kind = type(value)
    if issubclass(kind, ModuleType):
        return "module"
    if issubclass(kind, type):
        return "class"
    return "function" if issubclass(kind, _ROUTINES) else ""
