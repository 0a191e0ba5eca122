"""Completions at the cursor of a cell, with the names that its session knows."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from cbai_notebook.notebook.command_line.completion import (
    Completions,
    CompletionSources,
    complete,
    complete_prompt,
)
from cbai_notebook.prompts.references import Found, Reference, resolve

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client.settings import Settings


def completions_at_cursor(context: CompletionContext, shell: InteractiveShell) -> Completions:
    """Return the completions of a prompt at the cursor of a cell of the shell."""
    sources = _sources_of(shell)
    lines = context.full_text.split("\n")[: context.cursor_line]
    first = next((line for line in lines if line.strip()), "")
    if re.match(r"\s*%%cbai(?:\s|$)", first):
        return complete_prompt(context.text_until_cursor, sources)
    return complete(context.text_until_cursor, sources)


def _sources_of(shell: InteractiveShell) -> CompletionSources:
    def variables() -> list[str]:
        names = list(shell.user_ns)
        found = (name for name in names if name != "Out" and not name.startswith("_"))
        return sorted(
            name for name in found if isinstance(resolve(Reference(name), shell.user_ns), Found)
        )

    def outputs() -> list[str]:
        # No widget exists before the module is imported; importing it would slow the first Tab.
        widgets = sys.modules.get("ipywidgets")
        if widgets is None:
            return []
        return [
            name for name in variables() if issubclass(type(shell.user_ns[name]), widgets.Output)
        ]

    return CompletionSources(_models, _providers, _conversations, variables, outputs, _servers)


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
