"""Facts about the running cell and its frontend, and one-line errors of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from cbai_notebook import session
from cbai_notebook.errors import in_one_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NO_INPUT = (EOFError, NotImplementedError, RuntimeError)
"""The errors of ``input`` when nobody can answer. IPython's StdinNotImplementedError is one or both of
the last two, depending on the version."""


def is_kernel(shell: InteractiveShell) -> bool:
    """Return whether the shell belongs to a Jupyter kernel, not to a terminal."""
    return getattr(shell, "kernel", None) is not None


def cell_id(shell: InteractiveShell) -> str | None:
    """Return the frontend's id of the running cell, or None when the frontend sends no id.

    An id also tells this process that a frontend with cells runs it.
    """
    found = _metadata(shell).get("cellId")
    if not isinstance(found, str):
        return None
    session.note_cells()
    return found


def names_cell(shell: InteractiveShell) -> bool:
    """Return whether the frontend names the running cell, as those do that show a notebook.

    Consoles, and programs that run a whole notebook, name none.
    """
    metadata = _metadata(shell)
    in_colab = metadata.get("colab") or {}
    return isinstance(metadata.get("cellId") or in_colab.get("cell_id"), str)


def run_id(shell: InteractiveShell) -> str:
    """Return the id of the current run of a cell, or an empty string outside a kernel."""
    return str((_request(shell).get("header") or {}).get("msg_id", ""))


_last_run: tuple[str, int] = ("", 0)


def cell_turn(shell: InteractiveShell) -> int:
    """Return the number of this prompt in the current run of the cell, from 0; each call adds 1."""
    global _last_run
    run = run_id(shell)
    previous, count = _last_run
    _last_run = (run, count + 1 if run == previous else 0)
    return _last_run[1]


def owns_cell(shell: InteractiveShell) -> bool:
    """Return whether all output of the running cell is ours, so that all of it may be replaced."""
    code = str((_request(shell).get("content") or {}).get("code", "")).strip()
    return code.startswith("%%cbai") or (code.startswith("%cbai") and "\n" not in code)


def _metadata(shell: InteractiveShell) -> dict[str, Any]:
    return _request(shell).get("metadata") or {}


def _request(shell: InteractiveShell) -> dict[str, Any]:
    if not is_kernel(shell):
        return {}
    parent = shell.get_parent()  # type: ignore[attr-defined]
    return parent if isinstance(parent, dict) else {}


def fail(error: BaseException, line: str) -> NoReturn:
    """Raise `error` so that the cell fails and shows one readable line instead of a traceback."""
    raise in_one_line(error, line) from None
