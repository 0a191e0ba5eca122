"""Where the history is stored: in the user's data directory, in a given file, or only in memory.

An app keeps what its visitors ask in memory: they must not reach the history of its author.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cbai_notebook.conversation.store.store import Store
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded, user_directory
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import say
from cbai_notebook.session import is_app

VARIABLE = "CBAI_HISTORY"
"""Environment variable: ``off``, ``on`` or a path. :func:`keep_history` takes precedence."""

_lock = fork_safe_lock(sys.modules[__name__])
_configured: str | None = None
_open: dict[Path | None, Store] = {}


def keep_history(where: str | os.PathLike[str] | None) -> None:
    """Set where conversations are stored from now on.

    Args:
        where: ``"off"`` for memory only, ``"on"`` for the user's data directory, anything else is
            the path of a file; ``None`` goes back to the environment variable or the default.

    Raises:
        UsageError: `where` is none of these.
    """
    global _configured
    if where is not None and not isinstance(where, (str, os.PathLike)):
        raise UsageError(say("history.unknown_place", value=repr(where)))
    chosen = None if where is None else os.fspath(where).strip()
    if chosen == "":
        raise UsageError(say("history.empty_place"))
    with _lock:
        _configured = chosen


def history_file(*, shared: bool = False) -> Path | None:
    """Return the path of the history file; ``None`` when conversations are kept in memory only.

    Args:
        shared: Return the file that is configured also in an app, where visitors share it.

    Raises:
        UsageError: The path begins with ``~``, and there is no such home directory.
    """
    try:
        return _file(shared=shared)
    except FileNotFoundError:
        return None


def current_store(*, shared: bool = False) -> Store:
    """Return the store of the history, which opens at first use.

    Args:
        shared: As for :func:`history_file`.

    Raises:
        UsageError: As for :func:`history_file`.
    """
    notice = ""
    try:
        file = key = _file(shared=shared)
    except FileNotFoundError:
        file, key, notice = None, _NO_HOME, say("history.no_home")
    with _lock:
        if key not in _open:
            _open[key] = Store(file, notice=notice)
        return _open[key]


_NO_HOME = Path("no home")
"""The key of the store in memory that stands in for the file of a user without a home directory."""


def _file(*, shared: bool) -> Path | None:
    """Return the path of the history file.

    Raises:
        FileNotFoundError: It is in the user's data directory, and the user has no home directory.
    """
    if is_app() and not shared:
        return None
    chosen = _configured or os.environ.get(VARIABLE, "").strip() or "on"
    if chosen.lower() in ("off", "none", "0", "false"):
        return None
    if chosen.lower() in ("on", "1", "true"):
        return user_directory("data", "CBAI_DATA_DIR") / "history.sqlite"
    path = expanded(chosen).absolute()
    return path / "history.sqlite" if path.is_dir() else path
