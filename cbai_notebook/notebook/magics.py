"""The magics `%cbai` and `%%cbai`: parse the line, then call the command or send the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from cbai_notebook.errors import CbaiError
from cbai_notebook.i18n import CELL, say
from cbai_notebook.notebook import commands
from cbai_notebook.notebook.ask_cell import ask_in_cell
from cbai_notebook.notebook.command_line.parser import (
    Command,
    PromptOptions,
    parse_cell,
    parse_line,
)
from cbai_notebook.notebook.continue_cell import continue_in_cell
from cbai_notebook.notebook.frontend import cell_id, fail

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def run_cell(shell: InteractiveShell, line: str, cell: str, variables: Mapping[str, Any]) -> Any:
    """Run a cell that begins with ``%%cbai``; the prompt and the options can name the variables.

    Returns:
        What the cell shows as its value, with ``--each``; else None.
    """
    try:
        options = parse_cell(line)
        if options.help:
            commands.show_help()
            return None
        return _ask(shell, cell, options, variables)
    except (CbaiError, KeyboardInterrupt) as error:
        _fail(error)


def run_line(shell: InteractiveShell, line: str, variables: Mapping[str, Any]) -> Any:
    """Run a ``%cbai`` line: a command or a prompt, which can name the variables.

    Returns:
        What :func:`run_cell` returns.
    """
    try:
        parsed = parse_line(line)
        if isinstance(parsed, Command) and parsed.name == "continue":
            continue_in_cell(shell, parsed)
        elif isinstance(parsed, Command):
            cell_id(shell)  # a command may write a conversation: a frontend with cells shows it
            commands.run(shell, parsed)
        elif parsed.help:
            commands.show_help()
        else:
            return _ask(shell, parsed.prompt, parsed, variables)
        return None
    except (CbaiError, KeyboardInterrupt) as error:
        _fail(error)


def _ask(
    shell: InteractiveShell, text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> Any:
    if options.prompt_file is not None:
        from cbai_notebook.notebook.prompt_of_file import with_file

        text, options, variables = with_file(text, options, variables)
    if options.each is None and options.compares:
        from cbai_notebook.notebook.compare_cell import compare_in_cell

        compare_in_cell(shell, text, options, variables)
        return None
    if options.each is None:
        ask_in_cell(shell, text, options, variables)
        return None
    from cbai_notebook.notebook.each_cell import ask_each

    return ask_each(shell, text, options, variables)


def _fail(error: CbaiError | KeyboardInterrupt) -> NoReturn:
    if isinstance(error, KeyboardInterrupt):
        fail(error, say("cell.stopped"))
    error.spell_for(CELL)
    fail(error, error.line)
