"""What the frontend tells about the cell that runs, and how its errors are shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def is_kernel(shell: InteractiveShell) -> bool:
    """Return whether the shell belongs to a Jupyter kernel, not to a terminal."""
    return getattr(shell, "kernel", None) is not None


def is_app() -> bool:
    """Return whether the notebook is served as an app, without its cells.

    Voilà tells its kernels its name as a web server tells a script (RFC 3875, 4.1.17).
    """
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def cell_id(shell: InteractiveShell) -> str | None:
    """Return the frontend's id of the running cell, or ``None`` where it gives none."""
    metadata = _request(shell).get("metadata") or {}
    found = metadata.get("cellId")
    return found if isinstance(found, str) else None


_last_run: tuple[str, int] = ("", 0)


def cell_turn(shell: InteractiveShell) -> int:
    """Return which prompt of this run of the cell this is, from 0; each call counts one more."""
    global _last_run
    run = str((_request(shell).get("header") or {}).get("msg_id", ""))
    previous, count = _last_run
    _last_run = (run, count + 1 if run == previous else 0)
    return _last_run[1]


def owns_cell(shell: InteractiveShell) -> bool:
    """Return whether all that the running cell shows is ours, so that it may be replaced as a whole."""
    code = str((_request(shell).get("content") or {}).get("code", "")).strip()
    return code.startswith("%%cbai") or (code.startswith("%cbai") and "\n" not in code)


def _request(shell: InteractiveShell) -> dict[str, Any]:
    if not is_kernel(shell):
        return {}
    parent = shell.get_parent()  # type: ignore[attr-defined]
    return parent if isinstance(parent, dict) else {}


def fail(error: BaseException, line: str) -> NoReturn:
    """Fail the cell with `error`, shown as one readable line instead of a traceback of ours."""
    # IPython asks an exception for this before it formats a traceback itself.
    error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
    raise error.with_traceback(None) from None
