"""The commands of `%cbai`: this file maps names to functions, the other files hold the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands import (
    answers,
    batches,
    conversations,
    evaluations,
    files,
    history,
    mcp_servers,
    service,
)
from cbai_notebook.notebook.commands.printing import write

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def run(shell: InteractiveShell, command: Command) -> None:
    """Run a command.

    Raises:
        CbaiError: The command failed; the message says what to do instead.
    """
    match command.name:
        case "config":
            service.show_config()
        case "login":
            service.login(command.word)
        case "logout":
            service.logout(command.word)
        case "models":
            service.show_models(command.word)
        case "panel":
            conversations.panel(command)
        case "version":
            service.show_version()
        case "history":
            history.history(shell, command)
        case "usage":
            history.usage(shell, command)
        case "use":
            conversations.use(command)
        case "fork":
            conversations.fork(command)
        case "rename":
            conversations.rename(command)
        case "undo":
            conversations.undo(command)
        case "reset":
            conversations.reset(command)
        case "delete":
            conversations.delete(command)
        case "pick":
            answers.pick(command)
        case "diff" if command.options.get("answers"):
            answers.diff(command)
        case "diff":
            conversations.diff(command)
        case "batches":
            batches.batches(command)
        case "evaluations":
            evaluations.evaluations(command)
        case "mcp":
            mcp_servers.mcp_servers(shell, command)
        case "export":
            files.export(command)
        case "import":
            files.import_(command)
        case _:
            show_help(command.word)


def show_help(name: str | None = None) -> None:
    """Show the help on all options and commands, or on one command."""
    from cbai_notebook.notebook.command_line.commands import SYNTAX_OF, help_of, help_text

    syntax = SYNTAX_OF.get(name or "")
    write(help_of(syntax) if syntax else help_text())
