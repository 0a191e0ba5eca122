"""Where the history is kept: in the user's data directory, elsewhere, or nowhere."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from cbai_notebook.conversation.store.store import Store
from cbai_notebook.errors import UsageError

VARIABLE = "CBAI_HISTORY"
"""The environment variable that says where, unless :func:`keep_history` has: ``off``, ``on`` or a path."""

_lock = threading.Lock()
_configured: str | None = None
_open: dict[Path, Store] = {}


def keep_history(where: str | os.PathLike[str] | None) -> None:
    """Say where conversations are kept from here on.

    Args:
        where: ``"off"`` keeps them in memory only, ``"on"`` in the user's data directory, anything
            else is the path of a file; ``None`` goes back to the environment variable or the default.

    Raises:
        UsageError: It is none of these.
    """
    global _configured
    if where is not None and not isinstance(where, (str, os.PathLike)):
        raise UsageError(f"history is {where!r}; use 'on', 'off' or the path of a file.")
    chosen = None if where is None else os.fspath(where).strip()
    if chosen == "":
        raise UsageError("history is empty; use 'on', 'off' or the path of a file.")
    with _lock:
        _configured = chosen


def history_file() -> Path | None:
    """Return the file that conversations are kept in; ``None`` where they are kept in memory only."""
    chosen = _configured or os.environ.get(VARIABLE, "").strip() or "on"
    if chosen.lower() in ("off", "none", "0", "false"):
        return None
    if chosen.lower() in ("on", "1", "true"):
        return _data_directory() / "history.sqlite"
    path = Path(chosen).expanduser().absolute()
    return path / "history.sqlite" if path.is_dir() else path


def current_store() -> Store | None:
    """Return the history on disk, which is opened when it is first used; ``None`` where there is none."""
    file = history_file()
    if file is None:
        return None
    with _lock:
        if file not in _open:
            _open[file] = Store(file)
        return _open[file]


def _data_directory() -> Path:
    if chosen := os.environ.get("CBAI_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("cbai-notebook", appauthor=False))
