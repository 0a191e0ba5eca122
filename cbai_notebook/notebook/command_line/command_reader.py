"""A command behind ``%cbai``, told from a prompt that begins with the same word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.commands import FORM_OF, PATH, PLACE, CommandForm
from cbai_notebook.notebook.command_line.lexer import only_word, read_word, skip_space
from cbai_notebook.notebook.command_line.option_reader import read_options

_NUMBER = re.compile(r"-?\d+(?=\s|$)")


@dataclass(frozen=True)
class Command:
    """A command, such as ``%cbai fork poems --at 3``.

    Attributes:
        name: Its first word.
        words: What followed it without a dash.
        options: The fields that its options set.
    """

    name: str
    words: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str | None:
        """The first word behind its name, if there is one."""
        return self.words[0] if self.words else None

    @property
    def conversation(self) -> str | None:
        """The conversation that it is about, where one is named with ``-c``."""
        name: str | None = self.options.get("conversation")
        return name


def parse_command(text: str) -> Command | None:
    """Return the command that the whole of `text` is, or ``None``: then it is a prompt.

    Only the exact form of a command is one: ``history of Rome`` is a prompt.

    Args:
        text: What follows ``%cbai``, without space around it.

    Raises:
        UsageError: It is a command, by its dashes, and something about it is wrong.
    """
    name, _, rest = text.partition(" ")
    form = FORM_OF.get(name)
    if form is None:
        return None
    rest = rest.strip()
    if rest in ("-h", "--help"):
        return Command("help", (name,) if form.options else ())
    meant = bool(re.match(r"-[-\w]", rest)) or any(
        re.search(rf"(?:^|\s){re.escape(flag)}(?:[\s=]|$)", rest) for flag in form.option_of
    )
    words, values = _read(form, rest, meant)
    if words is None:
        return None
    return Command(name, tuple(words), values)


def _read(form: CommandForm, rest: str, meant: bool) -> tuple[list[str] | None, dict[str, Any]]:
    """Return the words and the options of a command; no words when it is a prompt after all."""
    words: list[str] = []
    values: dict[str, Any] = {}
    position = 0
    while position < len(rest):
        expected = form.words[len(words)] if len(words) < len(form.words) else ""
        number = _NUMBER.match(rest, position) if expected == PLACE else None
        if number:
            words.append(number.group())
            position = number.end()
        elif rest.startswith("-", position):
            try:
                found, end = read_options(rest, form.option_of, position)
            except UsageError as error:
                if "There is no option" in str(error):
                    raise _wrong(form) from error
                raise
            if end == position or (not found and end <= position):
                raise _wrong(form)
            values.update(found)
            position = end
        else:
            word = _word(rest, position, expected) if expected else None
            if word is None:
                if meant:
                    raise _wrong(form)
                return None, {}
            words.append(word[0])
            position = word[1]
        position = skip_space(rest, position)
    return words, values


def _word(rest: str, position: int, expected: str) -> tuple[str, int] | None:
    """Return the word that stands here and where it ends; ``None`` when it is not what is expected."""
    try:
        read = read_word(rest, position)
    except UsageError:
        return None
    if expected == PATH:
        return (read.text, read.end) if read.text.strip() else None
    text = only_word(rest[position : read.end])
    return None if text is None or expected == PLACE else (text, read.end)


def _wrong(form: CommandForm) -> UsageError:
    return UsageError(
        f"The command is {form.usage}; to ask about it instead, write %cbai -- {form.name} …"
    )
