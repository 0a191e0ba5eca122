"""What the line behind ``%%cbai`` or ``%cbai`` says: options, a command, a prompt.

Options come first; what follows them in ``%cbai`` is the prompt, kept to the letter. Words and
quotes are read as :mod:`cbai_notebook.notebook.words` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.option_table import (
    COMMANDS,
    CONVERSATION_FLAGS,
    JSON,
    OPTION_OF,
    CommandForm,
    Option,
    help_text,
    near,
)
from cbai_notebook.notebook.words import Word, only_word, read_word, shortened, skip_space

__all__ = ["Command", "Options", "help_text", "parse_cell", "parse_line"]


@dataclass(frozen=True)
class Options:
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
        output: The variable that gets the answer.
        format: How the answer is shown, ``markdown``, ``text``, ``code`` or ``json``.
        insert: Put the answer's code blocks into a new cell.
        into: The variable that holds the ``ipywidgets.Output`` to stream into.
        stream: Show the answer as it comes, or once it is whole.
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
    """A command of ``%cbai``, such as ``%cbai reset work``.

    Attributes:
        name: ``config``, ``login``, ``models``, ``history``, ``reset`` or ``help``.
        argument: The provider of ``models``, the conversation of ``history``, ``panel`` and ``reset``, or
            ``None``.
    """

    name: str
    argument: str | None = None


def parse_cell(line: str) -> Options:
    """Read the options of a ``%%cbai`` line.

    Args:
        line: What follows ``%%cbai`` on its line.

    Raises:
        UsageError: An option or a value is wrong, or words are left over: they could be the prompt,
            a model or a slip, so nothing is guessed.
    """
    values, rest = _read_options(line, one_line=False)
    if rest.strip() and not values.get("help"):
        _refuse_leftover(rest.strip())
    return Options(**values)


def parse_line(line: str) -> Options | Command:
    """Read what follows ``%cbai``: a command, or options and then the prompt.

    Only the exact form of a command is one: ``history of Rome`` is a prompt. ``--`` before a prompt
    makes it one whatever its first word is. Nothing at all, and ``-h``, ask for the help.

    Args:
        line: What follows ``%cbai``.

    Raises:
        UsageError: An option or a value is wrong, or options stand there without a prompt.
    """
    if not line.strip():
        return Command("help")
    if command := _command(line.strip()):
        return command
    values, prompt = _read_options(line, one_line=True)
    if values.get("help"):
        return Command("help")
    if not prompt.strip():
        raise UsageError(
            "There is no prompt after the options. Write it behind them, or begin a cell with "
            "%%cbai and write it on the lines below."
        )
    return Options(prompt=prompt, **values)


# Reading -------------------------------------------------------------------------------------------


def _read_options(line: str, *, one_line: bool) -> tuple[dict[str, Any], str]:
    """Return the fields that the options set, and the text after them, to the letter."""
    values: dict[str, Any] = {}
    position = skip_space(line, 0)
    # A lone dash and a negative number belong to the prompt.
    while starts := re.compile(r"--(?=\s|$)|--?[^\W\d][^\s=]*|--\S+").match(line, position):
        if starts.group() == "--":
            return values, line[skip_space(line, starts.end()) :]
        option, flag, attached = _option(line, starts, one_line)
        end = position + len(flag)
        if not option.metavar:
            if attached is not None:
                raise UsageError(f"{flag} takes no value.")
            values[option.field] = option.sets
        else:
            word = _value(line, end if attached is None else attached, option, flag)
            value, end = option.read(flag, word.text), word.end
            if option.field == "params":
                value = {**values.get("params", {}), value[0]: value[1]}
            values[option.field] = value
        position = skip_space(line, end)
    return values, line[position:]


def _option(line: str, starts: re.Match[str], one_line: bool) -> tuple[Option, str, int | None]:
    """Return the option that stands here, how it is written, and where a value attached to it begins."""
    text, end = starts.group(), starts.end()
    if text in OPTION_OF:
        return OPTION_OF[text], text, end + 1 if line.startswith("=", end) else None
    # `-model x` is a slip for `--model x`, not the model "odel".
    slip = len(text) > 2 and any(long.startswith(f"-{text}") for long in OPTION_OF)
    if text[:2] in OPTION_OF and not slip:
        return OPTION_OF[text[:2]], text[:2], starts.start() + 2
    hint = near(f"-{text}" if slip else text, tuple(OPTION_OF)) or " %cbai help lists them all."
    dashes = " If the prompt begins with a dash, put -- before it." if one_line else ""
    raise UsageError(f"There is no option {shortened(text)}.{hint}{dashes}")


def _value(line: str, position: int, option: Option, flag: str) -> Word:
    position = skip_space(line, position)
    word = _param_word(line, position) if option.field == "params" else read_word(line, position)
    absent = position == len(line) or word.text == "--" or word.text in OPTION_OF
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


# Commands ------------------------------------------------------------------------------------------


def _command(text: str) -> Command | None:
    """Return the command that the whole of `text` is, or ``None``: then it is a prompt."""
    name, _, rest = text.partition(" ")
    form = next((form for form in COMMANDS if form.name == name), None)
    if form is None:
        return None
    rest = rest.strip()
    if not rest:
        return Command(form.name)
    if rest in ("-h", "--help"):
        return Command("help")
    if rest.startswith("-") and (len(rest) > 1 and not rest[1].isspace()):
        return Command(form.name, _conversation(form, rest))
    if form.name in ("models", "reset") and (argument := only_word(rest)):
        return Command(form.name, argument)
    return None


def _conversation(form: CommandForm, rest: str) -> str:
    """Read the ``-c NAME`` that may follow a command about a conversation."""
    values: dict[str, Any] = {}
    if form.name in ("history", "panel", "reset") and rest.startswith(CONVERSATION_FLAGS):
        values, left = _read_options(rest, one_line=True)
        if not left and set(values) == {"conversation"}:
            return str(values["conversation"])
    usage = f"%cbai {form.name} {form.argument}".rstrip()
    raise UsageError(
        f"The command is {usage}; to ask about it instead, write %cbai -- {form.name} …"
    )


# Messages ------------------------------------------------------------------------------------------


def _refuse_leftover(rest: str) -> NoReturn:
    word = rest.split()[0]
    if word in {form.name for form in COMMANDS}:
        raise UsageError(f"{word} is a command of its own: write %cbai {word}, with one %.")
    raise UsageError(
        f"Left over after the options: {shortened(rest)!r}. The prompt goes on the lines below; "
        "a model is chosen with -m, and a value with spaces needs quotes."
    )
