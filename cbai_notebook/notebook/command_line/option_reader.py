"""Options at the beginning of a line, read one by one.

Words and quotes are read as :mod:`cbai_notebook.notebook.command_line.lexer` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.lexer import Word, read_word, shortened, skip_space
from cbai_notebook.notebook.command_line.options import JSON, Option, near


def read_options(
    line: str, known: Mapping[str, Option], position: int = 0, *, hint: str = ""
) -> tuple[dict[str, Any], int]:
    """Read the options that stand next in a line.

    Args:
        line: The whole line.
        known: The options there are, by every way to write them.
        position: Where to begin.
        hint: What to say besides when there is no such option.

    Returns:
        The fields that they set, and where the text behind them begins; two dashes before it are
        passed over.

    Raises:
        UsageError: An option or a value is wrong.
    """
    values: dict[str, Any] = {}
    position = skip_space(line, position)
    # A lone dash and a negative number belong to the prompt.
    while starts := re.compile(r"--(?=\s|$)|--?[^\W\d][^\s=]*|--\S+").match(line, position):
        if starts.group() == "--":
            return values, skip_space(line, starts.end())
        option, flag, attached = _option(line, starts, known, hint)
        end = position + len(flag)
        if not option.metavar:
            if attached is not None:
                raise UsageError(f"{flag} takes no value.")
            values[option.field] = option.sets
        else:
            word = _value(line, end if attached is None else attached, option, flag, known)
            value, end = option.read(flag, word.text), word.end
            if option.field == "params":
                value = {**values.get("params", {}), value[0]: value[1]}
            elif option.repeated:
                value = (*values.get(option.field, ()), value)
            values[option.field] = value
        position = skip_space(line, end)
    return values, position


def _option(
    line: str, starts: re.Match[str], known: Mapping[str, Option], hint: str
) -> tuple[Option, str, int | None]:
    """Return the option that stands here, how it is written, and where a value attached to it begins."""
    text, end = starts.group(), starts.end()
    if text in known:
        return known[text], text, end + 1 if line.startswith("=", end) else None
    # `-model x` is a slip for `--model x`, not the model "odel".
    slip = len(text) > 2 and any(long.startswith(f"-{text}") for long in known)
    if text[:2] in known and not slip:
        return known[text[:2]], text[:2], starts.start() + 2
    meant = near(f"-{text}" if slip else text, tuple(known)) or " %cbai help lists them all."
    raise UsageError(f"There is no option {shortened(text)}.{meant}{hint}")


def _value(
    line: str, position: int, option: Option, flag: str, known: Mapping[str, Option]
) -> Word:
    position = skip_space(line, position)
    word = _param_word(line, position) if option.field == "params" else read_word(line, position)
    absent = position == len(line) or word.text == "--" or word.text in known
    if absent and not word.quoted:
        raise UsageError(f"{flag} needs a value: {flag} {option.metavar}.")
    return word


def _param_word(line: str, position: int) -> Word:
    """Read ``name=value``, where the value may be in quotes, or JSON with spaces in it."""
    name = re.compile(r"[^\s=\"']+=").match(line, position)
    if not name:
        return read_word(line, position)
    if line.startswith(("{", "["), name.end()):
        try:
            _, end = JSON.raw_decode(line, name.end())
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"The value of {name.group()[:-1]} is not JSON: {shortened(line[name.end() :])} — JSON has "
                "its names and texts in double quotes. For plain text, put quotes around the value."
            ) from error
        if end == len(line) or line[end].isspace():
            return Word(line[position:end], end)
    value = read_word(line, name.end())
    return value._replace(text=name.group() + value.text)
