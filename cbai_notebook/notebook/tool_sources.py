"""Start sources of tools: show what starts, and ask the user about what a file names or has changed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from cbai_notebook.client.tools.source import UnconfirmedError, names_to_start
from cbai_notebook.i18n import listed, say
from cbai_notebook.notebook.frontend import NO_INPUT, is_kernel, owns_cell
from cbai_notebook.notebook.screen import html
from cbai_notebook.session import ipython_shell
from cbai_notebook.text import is_yes

T = TypeVar("T")


def asking_first(make: Callable[[], T], tools: Any) -> T:
    """Return what a function makes of sources of tools; ask the user what has to be confirmed.

    While something starts, a line says so.

    Args:
        make: Called again after each confirmation.
        tools: The sources, as `cbai_notebook.client.tools.tool.tools_of` takes them.

    Raises:
        UnconfirmedError: The user did not agree, or nobody can answer.
    """
    while True:
        try:
            with _shown(names_to_start(tools)):
                return make()
        except UnconfirmedError as error:
            try:
                agreed = is_yes(input(f"{error.question} "))
            except NO_INPUT:
                agreed = False
            if not agreed:
                raise
            error.source.confirm(error)  # what has changed meanwhile is asked next


@contextlib.contextmanager
def _shown(names: list[str]) -> Iterator[None]:
    """Show a dim line about what starts, until it runs or does not start; it is not stored."""
    shell = ipython_shell()
    if not names or shell is None:
        yield
        return
    line = say("tool.starting", names=listed(names))
    if not is_kernel(shell):
        with _in_terminal(line):
            yield
        return
    from IPython.display import clear_output, display

    small = f'<small style="{html.QUIET}">{html.escape(line)}</small>'
    bundle = {"text/html": html.element("div", small, name="starting"), "text/plain": line}
    handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if owns_cell(shell):
            clear_output()  # type: ignore[no-untyped-call]
        else:  # what else the cell has shown stays
            handle.update({}, raw=True)


@contextlib.contextmanager
def _in_terminal(line: str) -> Iterator[None]:
    if not sys.stdout.isatty():
        yield
        return
    sys.stdout.write(f"\x1b[2m{line}\x1b[0m")
    sys.stdout.flush()
    try:
        yield
    finally:
        sys.stdout.write("\r\x1b[K")
