"""The parser of the line behind ``%%cbai`` and ``%cbai``: options, and a command or a prompt.

Options come first; the text behind them in ``%cbai`` is the prompt, unchanged to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.commands import FORM_OF
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS
from cbai_notebook.notebook.command_line.reader import read_cell, read_line
from cbai_notebook.text import shortened


@dataclass(frozen=True)
class PromptOptions:
    """What the options of one prompt say.

    Attributes:
        prompt: The prompt of ``%cbai``, as it was written; ``""`` for ``%%cbai``.
        model: ``MODEL`` or ``PROVIDER/MODEL``; ``None`` leaves the choice to the settings.
        system: A system prompt; ``None`` keeps the one in force, ``""`` removes it.
        temperature: 0 or more; ``None`` leaves it to the model.
        max_tokens: The longest answer, in tokens; ``None`` leaves it to the model.
        params: Any other parameters of the request, by name.
        conversation: The conversation's name; ``None`` is the current one.
        history: Send the past along and keep the turn.
        cached: Take the answer from the history where the same request has been answered before;
            ``None`` leaves it to the setting.
        output: The variable that gets the answer; with ``draw`` also a file.
        format: How the answer is shown, ``markdown``, ``text``, ``code`` or ``json``.
        insert: Put the answer's code blocks into a new cell.
        into: The variable that holds the ``ipywidgets.Output`` to stream into.
        stream: Show the answer as it comes, or once it is whole.
        tools: The names of functions that the model may call.
        max_steps: How many requests the tools may lead to; ``None`` is the client's default.
        schema: The variable that holds the type of the answer.
        images: Files, addresses or variables whose images go along.
        draw: Draw a picture.
        think: Whether the model thinks first; ``None`` leaves it to the model.
        agent: The agent to ask; ``None`` asks a model.
        raw: Show what the server sent.
        dry_run: Show what would be sent, and send nothing.
        allow_secrets: Send the prompt even though it holds a secret.
        help: Show the help, and send nothing.
    """

    prompt: str = ""
    model: str | None = None
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    conversation: str | None = None
    history: bool = True
    cached: bool | None = None
    output: str | None = None
    format: str = "markdown"
    insert: bool = False
    into: str | None = None
    stream: bool = True
    tools: tuple[str, ...] = ()
    max_steps: int | None = None
    schema: str | None = None
    images: tuple[str, ...] = ()
    draw: bool = False
    think: bool | None = None
    agent: str | None = None
    raw: bool = False
    dry_run: bool = False
    allow_secrets: bool = False
    help: bool = False

    @property
    def request_params(self) -> dict[str, Any]:
        """Every parameter of the request but model and messages; ``-t`` and ``--max-tokens`` win over ``-P``."""
        own = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {**self.params, **{name: value for name, value in own.items() if value is not None}}


@dataclass(frozen=True)
class Command:
    """A command, such as ``%cbai fork poems --at 3``.

    Attributes:
        name: Its name.
        words: The words behind the name that belong to no option.
        options: The fields that its options set.
    """

    name: str
    words: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str | None:
        """The first word behind the name, or ``None``."""
        return self.words[0] if self.words else None

    @property
    def conversation(self) -> str | None:
        """The conversation that ``-c`` names, or ``None``."""
        name: str | None = self.options.get("conversation")
        return name


def parse_cell(line: str) -> PromptOptions:
    """Parse the options of a ``%%cbai`` line.

    Args:
        line: What follows ``%%cbai`` on its line.

    Raises:
        UsageError: An option or a value is wrong, or words are left over: they could be the prompt,
            a model or a slip, so nothing is guessed.
    """
    reading = read_cell(line)
    values = reading.values()
    rest = line[reading.prompt :].strip()
    if rest and not values.get("help"):
        _refuse_leftover(rest)
    return PromptOptions(**values)


def parse_line(line: str) -> PromptOptions | Command:
    """Parse what follows ``%cbai``: a command, or options and then the prompt.

    ``--`` before a prompt makes it a prompt whatever its first word is. An empty line and ``-h`` ask
    for the help.

    Args:
        line: What follows ``%cbai``.

    Raises:
        UsageError: An option or a value is wrong, or there are options without a prompt.
    """
    if not line.strip():
        return Command("help")
    reading = read_line(line)
    values = reading.values()
    if reading.command:
        return Command(reading.command.name, reading.words, values)
    if values.get("help"):
        return Command("help")
    prompt = line[reading.prompt :]
    if not prompt.strip():
        raise UsageError(
            "There is no prompt after the options. Write it behind them, or begin a cell with "
            "%%cbai and write it on the lines below."
        )
    return PromptOptions(prompt=prompt, **values)


def _refuse_leftover(rest: str) -> NoReturn:
    word = rest.split()[0]
    if word in FORM_OF:
        raise UsageError(f"{word} is a command of its own: write %cbai {word}, with one %.")
    raise UsageError(
        f"Left over after the options: {shortened(rest, QUOTED_CHARS)!r}. The prompt goes on the "
        "lines below; a model is chosen with -m, and a value with spaces needs quotes."
    )
