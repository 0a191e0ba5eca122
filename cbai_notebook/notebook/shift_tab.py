"""Shift+Tab in ``%cbai`` and ``%%cbai`` lines: the help on the magic, or on the command of the line."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_NAME = "do_inspect"


def register(shell: InteractiveShell) -> None:
    """Let the kernel of a shell show our help; a second call changes nothing."""
    unregister(shell)
    kernel = getattr(shell, "kernel", None)
    inspect = getattr(kernel, _NAME, None)
    if inspect is None:
        return

    @wraps(inspect)
    def do_inspect(code: str, cursor_pos: int, *args: Any, **options: Any) -> Any:
        if "%cbai" in code:
            from cbai_notebook.notebook.command_line.at_cursor import help_at_cursor

            if text := help_at_cursor(code, cursor_pos):
                data = {"text/plain": text}
                return {"status": "ok", "found": True, "data": data, "metadata": {}}
        return inspect(code, cursor_pos, *args, **options)

    # The kernel tells the shell only the name at the cursor, not the line.
    setattr(kernel, _NAME, do_inspect)


def unregister(shell: InteractiveShell) -> None:
    """Let the kernel of a shell show its own help only."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and _NAME in vars(kernel):
        delattr(kernel, _NAME)
