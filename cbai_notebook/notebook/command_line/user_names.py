"""The names of the user's variables, by what an option can use: functions, types, pictures, outputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, get_args, get_origin

from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded
from cbai_notebook.notebook.command_line.options import PICTURES, TABLE_FILES
from cbai_notebook.prompts.last_error import last_error
from cbai_notebook.prompts.references import LAST_ERROR, Found, Reference, has_variable, resolve

# Every test is on the class of a value: a value may be a proxy that raises when it is looked at.
_CACHED: type = type(lru_cache(lambda: None))
_CALLABLES = (MethodType, partial, _CACHED)
_LIBRARIES = {*sys.stdlib_module_names, "cbai_notebook", "msgspec", "pydantic"}

# What the classes that JSON can represent have; it is empty in the bases that users import.
_FIELDS = (
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__pydantic_fields__",
    "model_fields",  # pydantic before 2.10
    "__required_keys__",  # a TypedDict
    "__optional_keys__",
    "_fields",  # a NamedTuple
    "_member_map_",  # an Enum
)
_PLAIN = (bool, dict, float, int, list, set, str, tuple)
_MOST_ENTRIES = 5000
_NEWEST = 10


def values(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of variables that can be filled in."""
    return _names(
        namespace,
        lambda name: isinstance(resolve(Reference(name), namespace), Found),
    )


def of_session(namespace: Mapping[str, Any]) -> list[str]:
    """Return what else a prompt can fill in: the last error, and the newest cells and results."""
    found = [LAST_ERROR] if last_error(namespace) else []
    cells, results = namespace.get("In"), namespace.get("Out")
    if isinstance(cells, list):
        found += [f"In[{number}]" for number in range(len(cells) - 1, 0, -1)[:_NEWEST]]
    if isinstance(results, dict):
        found += [f"Out[{number}]" for number in sorted(results, reverse=True)[:_NEWEST]]
    return found


def public(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of all variables of the user, without modules and what IPython brings."""
    return _names(namespace, lambda name: type(namespace[name]) is not ModuleType and name != "In")


def functions(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of what can be tools: functions, tools, sources of tools and their tools."""
    found = _names(namespace, lambda name: _is_function(namespace[name]))
    for name in _names(namespace, lambda name: _is_source(type(namespace[name]))):
        found += [name, *(f"{name}.{tool}" for tool in namespace[name].known_names())]
    return found


def types(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of types that an answer can have."""
    return _names(namespace, lambda name: _is_answer_type(namespace[name]))


def pictures(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of variables that hold a picture, or where one is."""
    return _names(namespace, lambda name: _is_picture(namespace[name]))


def outputs(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of variables that hold an ``ipywidgets.Output``."""
    return _names(namespace, lambda name: _is_a(type(namespace[name]), "ipywidgets", "Output"))


def rows(namespace: Mapping[str, Any]) -> list[str]:
    """Return the names of variables with rows: tables, and lists of dicts."""
    return _names(namespace, lambda name: _has_rows(namespace[name]))


def columns(text: str, namespace: Mapping[str, Any]) -> list[str]:
    """Return the columns of rows, as far as that is quick to tell.

    Args:
        text: The name of a variable, or the path of a file.
        namespace: The user's variables.
    """
    if text in namespace:
        value = namespace[text]
        if type(value) is list:
            first = value[0] if value else None
            return [str(name) for name in first] if type(first) is dict else []
        if not _is_table(type(value)):
            return []
    elif text.lower().endswith(".csv"):
        value = text
    else:
        return []
    from cbai_notebook.batching.rows import rows_of
    from cbai_notebook.errors import CbaiError

    try:
        return list(rows_of(value).columns)
    except CbaiError:
        return []


def picture_files(beginning: str) -> Iterator[str]:
    """Yield the paths of picture files, and of folders with a slash, that begin like this.

    Args:
        beginning: The beginning of a path, as the user writes it; ``~`` is the home directory.
    """
    return _files(beginning, PICTURES)


def table_files(beginning: str) -> Iterator[str]:
    """Yield the paths of files with tables, as :func:`picture_files` those of pictures."""
    return _files(beginning, TABLE_FILES)


def _files(beginning: str, endings: tuple[str, ...]) -> Iterator[str]:
    folder, name = os.path.split(beginning)
    before = beginning[: len(beginning) - len(name)]
    try:
        with os.scandir(expanded(folder)) as entries:
            found = [entry for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)]
            found.sort(key=lambda entry: entry.name)
            for entry in found:
                if entry.name.startswith(".") and not name.startswith("."):
                    continue
                if entry.is_dir():
                    yield f"{before}{entry.name}/"
                elif entry.name.lower().endswith(endings):
                    yield before + entry.name
    except (OSError, UsageError):
        return


def _names(namespace: Mapping[str, Any], fits: Callable[[str], bool]) -> list[str]:
    # A list first: other threads may add variables meanwhile.
    public = (name for name in list(namespace) if name != "Out" and not name.startswith("_"))
    return sorted(name for name in public if has_variable(name, namespace) and fits(name))


def _is_function(value: Any) -> bool:
    kind = type(value)
    if issubclass(kind, FunctionType):
        # Imported helpers, such as the decorator `dataclass`, are no tools.
        return _package(value) not in _LIBRARIES
    return issubclass(kind, _CALLABLES) or _is_a(kind, "cbai_notebook.client.tools.tool", "Tool")


def _is_source(kind: type) -> bool:
    return _is_a(kind, "cbai_notebook.client.tools.source", "ToolSource")


def _package(function: FunctionType) -> str:
    return str(function.__module__).partition(".")[0]


def _is_answer_type(value: Any) -> bool:
    kind = type(value)
    if not issubclass(kind, type):
        is_alias = kind.__module__ in ("types", "typing", "typing_extensions")
        return is_alias and get_origin(value) is not None and bool(get_args(value))
    if any(value is plain for plain in _PLAIN):
        return True
    if _is_a(value, "msgspec", "Struct"):
        return bool(value.__struct_fields__)
    fields = (vars(base).get(name) for base in value.__mro__ for name in _FIELDS)
    return any(isinstance(found, (dict, tuple, frozenset)) and found for found in fields)


def _has_rows(value: Any) -> bool:
    if type(value) is list:
        return bool(value) and type(value[0]) is dict
    return _is_table(type(value))


def _is_table(kind: type) -> bool:
    tables = (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"))
    return any(_is_a(kind, module, name) for module, name in tables)


def _is_picture(value: Any) -> bool:
    kind = type(value)
    if issubclass(kind, (bytes, bytearray)):
        from cbai_notebook.client.images.formats import mime_of

        return mime_of(bytes(value[:16])) is not None
    if issubclass(kind, (str, os.PathLike)):
        text = os.fspath(value)
        ending = text[-5:].lower() if isinstance(text, str) else ""
        return ending.endswith(PICTURES) or str(text[:11]) == "data:image/"
    if kind.__name__ == "ndarray":
        # `df.plot(subplots=True)` returns an array of axes.
        return bool(value.dtype == object and value.size) and _is_drawn(type(value.flat[0]))
    return _is_drawn(kind)


def _is_drawn(kind: type) -> bool:
    """Return whether values of a class are figures, parts of figures, or images."""
    return any(hasattr(kind, name) for name in ("savefig", "get_figure", "_repr_png_"))


def _is_a(kind: type, module: str, name: str) -> bool:
    """Return whether a class is derived from one that a module has; the module is not imported for it.

    Before the module is imported there is no value of the class, and importing would slow the Tab key.
    """
    base = getattr(sys.modules.get(module), name, None)
    return base is not None and issubclass(kind, base)
