"""``%load_ext cbai_notebook``: register the magics and their completion without heavy imports."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.held_interrupts import HeldInterrupts

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

WARM_UP_AFTER_S = 0.5
"""Seconds between loading and preparing the HTTP client in the background: late enough not to slow
the cell that loads the extension, early enough to be ready for the first prompt."""

_HELP = "getdoc"
"""IPython asks an object for its help by this name, for ``%cbai?``."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%cbai`` and ``%%cbai``; a second call changes nothing.

    Raises:
        UsageError: The cell that loads the extension also asks a question, which IPython has
            changed already.
    """
    from IPython.core.magic import no_var_expand

    from cbai_notebook.notebook import (
        answer_formatters,
        cell_as_written,
        question_mark,
        shift_tab,
        tab_key,
    )

    # We fill in `{name}` ourselves: IPython's expansion would evaluate expressions and fail on JSON.
    @no_var_expand
    def cbai(line: str, cell: str | None = None) -> Any:
        """Ask a language model."""
        with HeldInterrupts():
            from cbai_notebook.notebook import magics
            from cbai_notebook.notebook.scope import variables_in_scope

        variables = variables_in_scope(shell)
        if cell is None:
            return magics.run_line(shell, line, variables)
        return magics.run_cell(shell, line, cell, variables)

    setattr(cbai, _HELP, _help)
    shell.magics_manager.register_function(cbai, magic_kind="line_cell", magic_name="cbai")
    tab_key.register(shell)
    shift_tab.register(shell)
    cell_as_written.register(shell)
    question_mark.register(shell)
    answer_formatters.register(shell)
    timer = threading.Timer(WARM_UP_AFTER_S, _warm_up)
    timer.daemon = True
    timer.start()
    question_mark.check_loading_cell(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove the magics and their completion."""
    from cbai_notebook.notebook import (
        answer_formatters,
        cell_as_written,
        question_mark,
        shift_tab,
        tab_key,
    )

    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("cbai", None)
    tab_key.unregister(shell)
    shift_tab.unregister(shell)
    cell_as_written.unregister(shell)
    question_mark.unregister(shell)
    answer_formatters.unregister(shell)


def _help() -> str:
    from cbai_notebook.i18n import say

    return say("help.magic")


def _warm_up() -> None:
    from cbai_notebook.client.warm import warm_up

    warm_up()
