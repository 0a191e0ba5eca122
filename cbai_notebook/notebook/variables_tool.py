"""``cbai.variables``: a tool that tells a model which variables a notebook has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cbai_notebook.client.secret import Secret
from cbai_notebook.client.secret_values import may_be_secret, sounds_secret
from cbai_notebook.client.tools.tool import Tool, tool
from cbai_notebook.conversation.secrets import masker
from cbai_notebook.notebook.command_line import user_names
from cbai_notebook.preferences import preferences
from cbai_notebook.prompts.columns import Column
from cbai_notebook.prompts.tables import is_table, markdown_table
from cbai_notebook.session import ipython_shell
from cbai_notebook.text import shortened

HEAD_ROWS = 5
"""The rows of a table that are shown."""

HEAD_CHARS = 200
"""The most characters of any other value."""

MOST_VARIABLES = 200
"""The most variables of a list."""

_NUMBERS = (bool, int, float, complex)
_SEQUENCES = (list, tuple, set, frozenset)
_SIZED: tuple[Any, ...] = (str, bytes, dict, *_SEQUENCES)

# Other values of tables whose texts are no code of the user's classes and no secrets, without bits.
_PLAIN = frozenset(
    {
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta"),
        *("numpy.bool", "numpy.int", "numpy.uint", "numpy.float", "numpy.complex"),
        *("numpy.datetime", "numpy.timedelta", "decimal.Decimal"),
        *("pandas.Timestamp", "pandas.Timedelta", "pandas.Period", "pandas.Interval"),
        *("pandas.NaTType", "pandas.NAType"),
    }
)


def variables(namespace: Mapping[str, Any] | None = None) -> Tool:
    """Return a tool with which a model looks at variables: names, types, shapes and first values.

    It never shows a secret: not the value of a variable, column or index that is named as one, nor a
    text that looks like one. It runs no code of the user's classes.

    Args:
        namespace: The variables; those of the notebook by default.
    """

    def look(name: str = "") -> str:
        """List the variables of the notebook with their types and shapes, or show one of them.

        Args:
            name: The name of a variable, for its first values; empty for the list of all.
        """
        shell = ipython_shell()
        found = namespace if namespace is not None else shell.user_ns if shell else {}
        text = _one(name, found) if name else "\n".join(_all(found)) or "There are no variables."
        return masker()(text)

    return tool(name="variables")(look)


def _all(namespace: Mapping[str, Any]) -> Iterator[str]:
    names = user_names.public(namespace)
    for name in names[:MOST_VARIABLES]:
        yield f"{name}: {_kind(namespace[name])}"
    if len(names) > MOST_VARIABLES:
        yield f"(and {len(names) - MOST_VARIABLES} more)"


def _one(name: str, namespace: Mapping[str, Any]) -> str:
    if name not in user_names.public(namespace):
        raise ValueError(f"There is no variable {name!r}.")
    value = namespace[name]
    head = _head(name, value)
    return f"{name}: {_kind(value)}" + (f"\n{head}" if head else "")


def _kind(value: Any) -> str:
    """Return the type of a value, and its size."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    text = kind.__name__ if module in ("builtins", "__main__") else f"{module}.{kind.__name__}"
    if is_table(value) or _is_array(kind):
        return f"{text}, shape {tuple(value.shape)}"
    # By the built-in class: a class of the user may have a `__len__` of its own.
    if base := next((base for base in _SIZED if issubclass(kind, base)), None):
        return f"{text}, length {base.__len__(value)}"
    return text


def _head(name: str, value: Any) -> str:
    """Return the first values of a variable; ``""`` for one that only code of its class could show."""
    kind = type(value)
    if sounds_secret(name) or issubclass(kind, Secret):
        return "(a secret; it is not shown)"
    if is_table(value):
        return _table(value)
    if kind in _NUMBERS or value is None:
        return repr(value)
    if kind is str:
        return shortened(_shown(value), HEAD_CHARS)
    if kind is dict:
        keys = [str(key) for key in value if type(key) in (str, *_NUMBERS)]
        return shortened(f"keys: {', '.join(map(_shown, keys))}", HEAD_CHARS)
    if kind in _SEQUENCES:
        first = [item for item, _ in zip(value, range(HEAD_ROWS), strict=False)]
        plain = [
            item
            for item in first
            if type(item) in _NUMBERS or (type(item) is str and not may_be_secret(item))
        ]
        return shortened(f"first: {plain}", HEAD_CHARS) if plain else ""
    if _is_array(kind):
        first = [_cell(item) for item in value.ravel()[:HEAD_ROWS].tolist()]
        return shortened(f"{value.dtype}, first: {first}", HEAD_CHARS)
    return ""


def _is_array(kind: type) -> bool:
    return kind.__name__ == "ndarray" and kind.__module__ == "numpy"


def _table(value: Any) -> str:
    hidden = []

    def screen(heading: str, column: Column) -> Column | None:
        if sounds_secret(heading):
            hidden.append(heading)
            return None
        return column._replace(values=[_cell(cell) for cell in column.values])

    limits = replace(preferences(), table_rows=HEAD_ROWS)
    text = markdown_table(value, limits, screen=screen).text
    return text + ("\n(columns that are named as secrets are left out)" if hidden else "")


def _cell(value: Any) -> Any:
    """Return what is shown of a value of a table: only the type of one that code of its class shows."""
    kind = type(value)
    if issubclass(kind, str):
        return _shown(str.__str__(value))
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__.rstrip('0123456789_')}"
    return value if value is None or kind in _NUMBERS or name in _PLAIN else f"({kind.__name__})"


def _shown(text: str) -> str:
    return "(it may be a secret)" if may_be_secret(text) else text
