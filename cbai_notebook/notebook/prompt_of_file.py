"""``%%cbai --prompt``: the prompt of the cell stands in a file, with its settings."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import PromptOptions
from cbai_notebook.prompts.prompt_file import prompt

TEXT = "text"
"""What the cell's own text is in the template: the usual name of the column, too."""


def with_file(
    text: str, options: PromptOptions, variables: Mapping[str, Any]
) -> tuple[str, PromptOptions, Mapping[str, Any]]:
    """Return the template of the file, and the options and variables with what the file adds.

    Args:
        text: The text of the cell, which is ``{text}`` in the template; blank for none.
        options: The options of the cell, which win over the file.
        variables: The variables that the prompt and the options can name.

    Raises:
        UsageError: The file cannot be read, or the cell has a text that the template does not use.
    """
    assert options.prompt_file is not None
    file = prompt(options.prompt_file)
    more: dict[str, Any] = {}
    if text.strip():
        if options.each is not None or f"{{{TEXT}}}" not in file.text:
            raise UsageError(say("prompt_file.text_not_used", file=options.prompt_file))
        more[TEXT] = text.strip("\n")
    schema = options.schema
    if schema is None and (kind := file.response_type) is not None:
        schema = kind.__name__
        more[schema] = kind
    options = replace(
        options,
        prompt_file=None,
        model=file.model if options.model is None and options.agent is None else options.model,
        system=file.system if options.system is None else options.system,
        params={**file.params, **options.params},
        schema=schema,
    )
    return file.text, options, ChainMap(more, dict(variables)) if more else variables
