"""The settings of the notebook: size of the context, size of tables, replay, bridge."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from cbai_notebook import i18n
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

BRIDGES = ("background", "nested")
_SWITCH = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


@dataclass(frozen=True)
class Preferences:
    """Settings for how prompts are built and run.

    Each can be set with :func:`cbai_notebook.configure` or by an environment variable, which is
    ``CBAI_`` and the name in capitals: ``CBAI_HISTORY_TURNS=5``.

    Attributes:
        history_turns: The most past turns in the context of a prompt.
        history_chars: The most characters of past turns in the context of a prompt.
        table_rows: The most rows of a DataFrame or Series that a ``{name}`` puts into a prompt.
        table_columns: The most columns of it.
        table_digits: The significant digits of its numbers with a fraction; 17 sends all digits.
        cached: Replay the answer from the history if the same request has been answered before.
        bridge: ``"background"``, or ``"nested"`` to run coroutines on the kernel's own loop.
        language: ``"en"`` or ``"zh"`` for what the user reads; ``None``: the language of the page that
            shows a panel, else that of the locale.
    """

    history_turns: int = 20
    history_chars: int = 24_000
    table_rows: int = 20
    table_columns: int = 30
    table_digits: int = 4
    cached: bool = False
    bridge: str = "background"
    language: str | None = None


_given: dict[str, Any] = {}

NAMES = tuple(field.name for field in fields(Preferences))


def preferences(environ: Mapping[str, str] | None = None) -> Preferences:
    """Return the current preferences: explicit ones, then environment variables, then defaults.

    Args:
        environ: Environment variables; those of the process by default.

    Raises:
        UsageError: A value is invalid.
    """
    environ = os.environ if environ is None else environ
    found = {
        name: _checked(name, environ[variable], variable)
        for name in NAMES
        if (variable := f"CBAI_{name.upper()}") in environ
    }
    return replace(Preferences(), **{**found, **_given})


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return preferences with their values validated and converted; ``None`` stays.

    Raises:
        UsageError: A name is unknown or a value is invalid.
    """
    for name in changes:
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise UsageError(say("python.no_setting", name=repr(name), known=known))
    return {
        name: None if value is None else _checked(name, value, name)
        for name, value in changes.items()
    }


def prefer(**changes: Any) -> None:
    """Set preferences; ``None`` resets to the environment variable or the default.

    Raises:
        UsageError: A name is unknown or a value is invalid; nothing is changed.
    """
    for name, value in checked(changes).items():
        if value is None:
            _given.pop(name, None)
        else:
            _given[name] = value
        if name == "language":
            i18n.choose(value)


def _checked(name: str, value: Any, where: str) -> Any:
    if name == "bridge":
        if value not in BRIDGES:
            raise _not_one_of(where, value, BRIDGES)
        return value
    if name == "language":
        if (found := i18n.checked(str(value))) is None:
            raise _not_one_of(where, value, i18n.LANGUAGES)
        return found
    if name == "cached":
        switch = _SWITCH.get(str(value).strip().lower())
        if switch is None:
            raise _not_one_of(where, value, ("True", "False"))
        return switch
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    least = 1 if name == "table_digits" else 0
    if number < least or isinstance(value, bool):
        raise UsageError(say("python.no_whole_number", where=where, value=repr(value), least=least))
    return number


def _not_one_of(where: str, value: Any, known: Sequence[str]) -> UsageError:
    choices = i18n.listed(known, last="or")
    return UsageError(say("python.not_one_of", where=where, value=repr(value), known=choices))
