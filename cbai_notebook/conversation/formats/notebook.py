"""Export a conversation as a notebook: one ``%%cbai`` cell for each prompt.

A cell fills in ``{names}`` in its text, and its first line is parsed for options. A prompt or a
system prompt that this could change is put into a variable; the value of a variable is sent
unchanged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.formats.escaping import file_stem, in_markdown, json_text
from cbai_notebook.conversation.formats.requests import model_of, turns_of
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import listed, say

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.turn import Turn

# The beginning of a reference that could be filled in.
_REFERENCE = re.compile(r"\{[^\W\d]")
# What IPython removes from lines: the input prompts of Python and IPython, and the blanks of a blank line.
# The extension prevents it, but tools that only know IPython, such as `nbconvert --to script`, do not.
_CLEANED_LINE = re.compile(
    r"^[^\S\n]*(?:>>>|\.{3}|(?:\[\w+\])? ?In *\[|[^\S\n](?=\n|\Z))", re.MULTILINE
)
# The last two are the zero-width joiner of emoji and the space of Chinese text.
_SAFE_UNPRINTABLE = frozenset("\n\t\u00a0\u200d\u3000")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9][\w./:@+-]*", re.ASCII)
_PARAMETER = re.compile(r"[^\W\d][\w-]*")
_NO_OPTION = frozenset({"model", "messages", "stream", "data"})


def notebook(conversation: Conversation) -> str:
    """Return a notebook (nbformat 4.5) that sends the prompts of the conversation again.

    Raises:
        UsageError: The conversation is empty.
    """
    turns = turns_of(conversation)
    cells = [_markdown(f"# {in_markdown(conversation.name)}"), _code("%load_ext cbai_notebook")]
    for number, turn in enumerate(turns, 1):
        cells += _cells(turn, number)
    stem = file_stem(conversation.name).encode("ascii", "ignore").decode().strip("-.") or "cbai"
    for number, cell in enumerate(cells):
        cell["id"] = f"{re.sub('[^A-Za-z0-9_-]', '-', stem)}-{number:02d}"
    return (
        json_text(
            {
                "cells": cells,
                "metadata": {
                    "kernelspec": {
                        "display_name": "Python 3 (ipykernel)",
                        "language": "python",
                        "name": "python3",
                    },
                    "language_info": {"name": "python"},
                },
                "nbformat": 4,
                "nbformat_minor": 5,
            },
            indent=1,
        )
        + "\n"
    )


def _cells(turn: Turn, number: int) -> Iterator[dict[str, Any]]:
    variables: dict[str, str] = {}
    options, omitted = _options(turn, number, variables)
    prompt = turn.prompt
    if not _is_unchanged_in_cell(prompt):
        variables[f"prompt_{number}"] = prompt
        prompt = f"{{prompt_{number}}}"
    if turn.images:
        omitted.append(say("export.images", n=len(turn.images)))
    if omitted:
        yield _markdown(say("export.not_in_next_prompt", parts=listed(omitted)))
    if variables:
        yield _code("\n".join(f"{name} = {_literal(text)}" for name, text in variables.items()))
    yield _code(" ".join(["%%cbai", *options]) + "\n" + prompt)


def _is_unchanged_in_cell(prompt: str) -> bool:
    """Return whether a cell would send the prompt unchanged."""
    plain = all(char.isprintable() or char in _SAFE_UNPRINTABLE for char in prompt)
    trimmed = prompt.startswith("\n") or prompt.endswith("\n") or not prompt.strip()
    return plain and not (trimmed or _REFERENCE.search(prompt) or _CLEANED_LINE.search(prompt))


def _options(turn: Turn, number: int, variables: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the options of a cell, and descriptions of parameters that no option can set."""
    options: list[str] = []
    omitted: list[str] = []
    if model := _model(turn):
        options.append(f"-m {model}")
    if turn.system is not None:
        options.append(f"-s {_system(turn.system, number, variables)}")
    for name, value in turn.params.items():
        if value is None:
            continue
        if option := _parameter(name, value):
            options.append(option)
        else:
            omitted.append(say("export.parameter", name=in_markdown(str(name))))
    return options, omitted


def _model(turn: Turn) -> str:
    """Return the value of the option ``-m``, or ``""`` if no value can name the model."""
    if turn.provider == "local":
        return "local"
    model = model_of(turn) or ""
    spec = f"{turn.provider}/{model}" if turn.provider and model else model
    if _PLAIN_WORD.fullmatch(spec):
        return spec
    return f'"{spec}"' if spec and _fits_in_quotes(spec) else ""


def _system(text: str, number: int, variables: dict[str, str]) -> str:
    if not text or (_fits_in_quotes(text) and not _REFERENCE.search(text)):
        return f'"{text}"'
    variables[f"system_{number}"] = text
    return f'"{{system_{number}}}"'


def _fits_in_quotes(text: str) -> bool:
    return text.isprintable() and not re.search(r'["\\]', text)


def _parameter(name: str, value: Any) -> str | None:
    """Return the option that sets a parameter; None if there is none."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "temperature" and number and math.isfinite(value) and value >= 0:
        return f"-t {value}"
    if name == "max_tokens" and number and isinstance(value, int) and value > 0:
        return f"--max-tokens {value}"
    if not _PARAMETER.fullmatch(name) or name in _NO_OPTION:
        return None
    try:
        text = json_text(value)
    except UsageError:
        return None
    # The option would parse a text that looks like JSON, so every text is written as JSON, in
    # single quotes that no text inside can end.
    return f"-P {name}={_single_quoted(text) if isinstance(value, str) else text}"


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "\\u0027") + "'"


def _literal(text: str) -> str:
    """Return a Python literal, with each line of the text on a separate line."""
    pieces = re.findall(r"[^\n]*\n|[^\n]+", text) or [""]
    if len(pieces) == 1:
        return repr(text)
    return "(\n" + "\n".join(f"    {piece!r}" for piece in pieces) + "\n)"


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
