"""The parser of the line after ``%cbai`` and ``%%cbai``: a command, or options and a prompt.

Options come first. In ``%cbai``, the text after them is the prompt, without any change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.commands import SYNTAX_OF, mistyped
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS
from cbai_notebook.notebook.command_line.reader import read_cell, read_line
from cbai_notebook.text import shortened


@dataclass(frozen=True)
class PromptOptions:
    """The options of one prompt.

    Attributes:
        prompt: The prompt of ``%cbai``, unchanged; ``""`` for ``%%cbai``.
        model: ``MODEL`` or ``PROVIDER/MODEL``; ``None`` takes the model of the settings.
        system: A system prompt; ``None`` keeps the conversation's, ``""`` removes it.
        temperature: 0 or more; ``None`` is the model's default.
        max_tokens: The most tokens of the answer; ``None`` is the model's default.
        params: Other parameters of the request, by name.
        conversation: The conversation's name; ``None`` is the current one.
        history: Whether earlier turns are sent and this turn is kept.
        cached: Whether an earlier answer to the same request is replayed; ``None`` follows the setting.
        output: The variable for the answer; with ``draw`` a variable or a file.
        format: The display of the answer: ``markdown``, ``text``, ``code`` or ``json``.
        insert: Whether the answer's code blocks go into a new cell.
        into: The variable with the ``ipywidgets.Output`` for the stream.
        stream: Whether the answer is shown while it arrives, or when it is complete.
        tools: The variables with the functions that the model may call.
        max_steps: The most requests that tool calls may cause; ``None`` is the client's default.
        schema: The variable with the type of the answer.
        images: The files, addresses or variables of the images that are sent; with ``each`` the columns
            that hold them.
        draw: Whether the prompt draws a picture.
        think: Whether the model thinks first; ``None`` is the model's default.
        agent: The id of the agent that answers; ``None`` for a model.
        raw: Whether the server's response is shown.
        each: The variable with the rows that each get the prompt, or their file; ``None`` for one prompt.
        rows: How many of the rows get it, from the first on; ``None`` is all of them.
        column: The column for the answers; ``None`` is the batch's default.
        prefix: What the names of the new columns begin with.
        details: Whether there are columns with model, tokens and seconds.
        prompt_file: The file with the prompt; ``None`` is no file.
        to_file: The file for the rows with their answers, or for their requests; ``None`` is no file.
        samples: How many answers each row or variant gets; ``None`` is one.
        missing: What happens to rows without a value; ``None`` is the batch's default.
        concurrency: The most rows at once; ``None`` is the batch's default.
        max_total_tokens: The most tokens for all rows; ``None`` is no limit.
        max_cost: The most money for all rows; ``None`` is no limit.
        models: The models that are compared.
        temperatures: The temperatures that are compared.
        systems: The variable with the system prompts that are compared.
        vary: The other parameters that are compared, each with its values.
        yes: Whether a comparison may have more answers than are asked for without a question.
        dry_run: Whether the request is shown instead of sent.
        allow_secrets: Whether a prompt with a secret may be sent.
        help: Whether the help is shown instead of sending a request.
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
    prompt_file: str | None = None
    each: str | None = None
    rows: int | None = None
    column: str | None = None
    prefix: str | None = None
    details: bool = False
    to_file: str | None = None
    samples: int | None = None
    missing: str | None = None
    concurrency: int | None = None
    max_total_tokens: int | None = None
    max_cost: float | None = None
    models: tuple[str, ...] = ()
    temperatures: tuple[float, ...] = ()
    systems: str | None = None
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    yes: bool = False
    dry_run: bool = False
    allow_secrets: bool = False
    help: bool = False

    @property
    def compares(self) -> bool:
        """Whether the prompt is asked in several ways."""
        axes = self.models or self.temperatures or self.systems or self.vary
        return bool(axes or (self.samples and self.each is None))

    @property
    def request_params(self) -> dict[str, Any]:
        """All parameters of the request except model and messages; ``-t`` and ``--max-tokens`` win over ``-P``."""
        own = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {**self.params, **{name: value for name, value in own.items() if value is not None}}


@dataclass(frozen=True)
class Command:
    """A command, such as ``%cbai fork poems --at 3``.

    Attributes:
        name: Its name.
        words: The words after the name, without the options.
        options: The values of its options, by field.
    """

    name: str
    words: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str | None:
        """The first word after the name, or ``None``."""
        return self.words[0] if self.words else None

    @property
    def conversation(self) -> str | None:
        """The conversation named by ``-c``, or ``None``."""
        name: str | None = self.options.get("conversation")
        return name


def parse_cell(line: str) -> PromptOptions:
    """Parse the options of a ``%%cbai`` line.

    Args:
        line: What follows ``%%cbai`` on its line.

    Raises:
        UsageError: An option or a value is wrong, or there are words after the options. Such words
            could be a prompt, a model or a typo, so the parser does not guess.
    """
    reading = read_cell(line)
    values = reading.values()
    rest = line[reading.prompt_start :].strip()
    if rest and not values.get("help"):
        _refuse_leftover(rest)
    return PromptOptions(**values)


def parse_line(line: str) -> PromptOptions | Command:
    """Parse what follows ``%cbai``: a command, or options and then the prompt.

    The text after ``--`` is always a prompt, even if it begins like a command. An empty line and
    ``-h`` show the help.

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
    prompt = line[reading.prompt_start :]
    if not prompt.strip() and "prompt_file" not in values:
        raise UsageError(say("option.no_prompt"))
    return PromptOptions(prompt=prompt, **values)


def _refuse_leftover(rest: str) -> NoReturn:
    word, *more = rest.split()
    if command := SYNTAX_OF.get(word) or mistyped(word, alone=not more):
        raise UsageError(say("option.command_of_its_own", name=command.name))
    raise UsageError(say("option.left_over", text=shortened(rest, QUOTED_CHARS)))
