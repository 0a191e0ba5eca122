"""Completions and help at the cursor of a cell, with the names that its session knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.notebook.command_line import user_names
from cbai_notebook.notebook.command_line.commands import help_of, help_text
from cbai_notebook.notebook.command_line.completion import (
    Completions,
    CompletionSources,
    complete,
    complete_prompt,
    each_of,
    magic_of,
)
from cbai_notebook.notebook.command_line.reader import read_line

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.settings import Settings


def completions_at_cursor(context: CompletionContext, shell: InteractiveShell) -> Completions:
    """Return the completions of a prompt at the cursor of a cell of the shell."""
    sources = _sources_of(shell)
    above = context.full_text.split("\n")[: context.cursor_line]
    if _is_prompt(above):
        return complete_prompt(context.text_until_cursor, sources, each_of(_first_line(above)))
    return complete(context.text_until_cursor, sources)


def help_at_cursor(code: str, position: int) -> str:
    """Return the help on the command of the line at the cursor, or on the magic; empty elsewhere.

    Args:
        code: The source of a cell.
        position: The position of the cursor in it.
    """
    *above, line = code[:position].split("\n")
    line += code[position:].partition("\n")[0]
    match = magic_of(f"{line.rstrip(' ?')} ")
    if match is None or _is_prompt(above):
        return ""
    command = read_line(line, match.end()).command if match[0] == "%cbai" else None
    return help_of(command) if command else help_text()


def _is_prompt(lines_above: list[str]) -> bool:
    """Return whether the lines below these are the prompt of a ``%%cbai`` cell."""
    return re.match(r"\s*%%cbai(?:\s|$)", _first_line(lines_above)) is not None


def _first_line(lines: list[str]) -> str:
    return next((line for line in lines if line.strip()), "")


def _sources_of(shell: InteractiveShell) -> CompletionSources:
    def named(find: Callable[[Mapping[str, Any]], list[str]]) -> Callable[[], list[str]]:
        return lambda: find(shell.user_ns)

    return CompletionSources(
        models=_models,
        providers=_providers,
        conversations=_conversations,
        batches=_batches,
        evaluations=_evaluations,
        tool_servers=_tool_servers,
        answers=_answers,
        variables=named(user_names.values),
        outputs=named(user_names.outputs),
        servers=_servers,
        of_session=named(user_names.of_session),
        functions=named(user_names.functions),
        types=named(user_names.types),
        pictures=named(user_names.pictures),
        picture_files=user_names.picture_files,
        rows=named(user_names.rows),
        table_files=user_names.table_files,
        columns=lambda each: user_names.columns(each, shell.user_ns),
    )


def _models() -> list[str]:
    from cbai_notebook.client.providers import SUGGESTED_MODELS, suggested_specs

    return ["local", "demo", *SUGGESTED_MODELS.get("cloudbase", ()), *suggested_specs(_settings())]


def _providers() -> list[str]:
    from cbai_notebook.client.providers import SUGGESTED_MODELS

    return [*SUGGESTED_MODELS, *_servers()]


def _servers() -> list[str]:
    return list(_settings().servers)


def _settings() -> Settings:
    from cbai_notebook.client.settings import Settings, settings
    from cbai_notebook.errors import ConfigurationError

    try:
        return settings()
    except ConfigurationError:
        return Settings()  # the next prompt says what is wrong


def _conversations() -> tuple[str, ...]:
    from cbai_notebook.conversation import names

    return names()


def _batches() -> list[str]:
    from cbai_notebook.batching.answer_store import current_answers
    from cbai_notebook.errors import CbaiError

    try:
        return [str(run.number) for run in reversed(current_answers().runs())]
    except CbaiError:
        return []  # the command says what is wrong


def _evaluations() -> list[str]:
    from cbai_notebook.errors import CbaiError

    try:
        from cbai_notebook.evaluation.runs import evaluations

        return list(dict.fromkeys(row["name"] for row in reversed(evaluations())))
    except CbaiError:
        return []  # the command says what is wrong


def _tool_servers() -> list[str]:
    from cbai_notebook.errors import CbaiError
    from cbai_notebook.mcp_servers.files import configured_servers
    from cbai_notebook.mcp_servers.server import open_servers

    try:
        names = [*(server.name for server in open_servers()), *configured_servers()]
    except CbaiError:
        return []  # the command says what is wrong
    return list(dict.fromkeys(names))


def _answers() -> list[str]:
    from cbai_notebook.comparison.compare import last_comparison

    made = last_comparison()
    if made is None:
        return []
    numbers = [str(each.number) for each in made.candidates]
    models = [each.variant.model or "" for each in made.candidates]
    return [*numbers, *filter(None, models)]
