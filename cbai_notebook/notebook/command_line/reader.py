"""The one reader of the line after ``%cbai`` and ``%%cbai``, for the parser and for completion.

It reads options and the words of a command, finds the prompt, and stops at the first problem. An
unfinished line is a normal result: the parser raises its problem, completion offers what is expected
at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import joined, say
from cbai_notebook.notebook.command_line.commands import (
    ACTION,
    ACTIONS,
    ANSWER,
    BATCH,
    COMMAND,
    DELETE,
    PATH,
    SYNTAX_OF,
    TURN,
    TURN_NUMBER,
    CommandSyntax,
    mistyped,
)
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS, Word, read_word, skip_space
from cbai_notebook.notebook.command_line.options import (
    HELP_FLAGS,
    OPTION_OF,
    Option,
    did_you_mean,
)
from cbai_notebook.text import shortened

# A single dash and a negative number are no options: a prompt may begin with them.
_OPTION = re.compile(r"--?[^\W\d][^\s=]*|--\S+")
_ANY_OPTION = re.compile(r"\s--?\w")
_END_OF_OPTIONS = re.compile(r"--(?=\s|$)")
_DASHES_AT_END = re.compile(r"--?\Z")
_COMMAND_NAME = re.compile(r"\S+")
_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class GivenOption:
    """An option of a line, such as ``-m hy3``.

    Attributes:
        option: The option's row of the table.
        flag: The flag in the line, short or long.
        text: The text of the value; ``""`` for an option without a value.
    """

    option: Option
    flag: str
    text: str = ""

    def value(self) -> Any:
        """Return the value of the option.

        Raises:
            UsageError: The text is not a valid value.
        """
        option = self.option
        return option.convert(self.flag, self.text) if option.metavar else option.sets


@dataclass(frozen=True)
class Expected:
    """What the user may type at the end of a line, or is typing already.

    Attributes:
        start: The position where it begins; the line's length when none of it is typed yet.
        value_of: The option whose value can come.
        word: The kind of word that can come: ``COMMAND`` for the name of a command, or the kind of
            a word after the name; ``""`` for none.
        options: The options that can come.
        prompt: Whether the text of a prompt can come.
    """

    start: int
    value_of: Option | None = None
    word: str = ""
    options: tuple[Option, ...] = ()
    prompt: bool = False


@dataclass(frozen=True)
class Reading:
    """The result of reading a line.

    Attributes:
        expected: What can come at the end of the line.
        prompt_start: The position where the prompt begins.
        given: The options, in the order of the line.
        command: The command; ``None`` for a prompt.
        words: The words of the command.
        problem: The error that stopped the reader, or ``None``.
    """

    expected: Expected
    prompt_start: int
    given: tuple[GivenOption, ...] = ()
    command: CommandSyntax | None = None
    words: tuple[str, ...] = ()
    problem: UsageError | None = None

    def values(self) -> dict[str, Any]:
        """Return the values of the options, by field.

        Raises:
            UsageError: A value is not valid, or the reader stopped at a problem.
        """
        values: dict[str, list[Any]] = {}
        collect: dict[str, Callable[[Iterable[Any]], Any] | None] = {}
        for given in self.given:
            values.setdefault(given.option.field, []).append(given.value())
            collect[given.option.field] = given.option.collect
        if self.problem:
            raise self.problem
        return {
            field: combine(values[field]) if combine else values[field][-1]
            for field, combine in collect.items()
        }


def read_cell(line: str, position: int = 0) -> Reading:
    """Read what follows ``%%cbai`` on its line: options.

    Args:
        line: The line.
        position: The position after ``%%cbai``.
    """
    return _read_options(line, position, one_line=False)


def read_line(line: str, position: int = 0) -> Reading:
    """Read what follows ``%cbai``: a command, or options and then the prompt.

    A line is a command only in the exact form of the command: ``history of Rome`` is a prompt. In the
    same form, the mistyped name of a command is a problem: nobody means to ask a model ``histroy``.

    Args:
        line: The line.
        position: The position after ``%cbai``.
    """
    start = skip_space(line, position)
    name = _COMMAND_NAME.match(line, start)
    if name is None:
        return _read_options(line, start, one_line=True)
    command = SYNTAX_OF.get(name.group())
    if command is None:
        reading = _read_options(line, start, one_line=True)
        rest = line[name.end() :]
        meant = mistyped(name.group(), alone=not rest.strip() or bool(_ANY_OPTION.search(rest)))
        if meant is None or _read_command(line, start, name.end(), meant).command is None:
            return reading
        return replace(reading, problem=_mistyped_error(line[start:], name.group(), meant))
    reading = _read_command(line, start, name.end(), command)
    # At the end of the name, the next key may make it a longer name, or a word of a prompt.
    if name.end() == len(line):
        return replace(reading, expected=Expected(start, word=COMMAND, prompt=True))
    return reading


def _read_options(line: str, position: int, *, one_line: bool) -> Reading:
    reader = _Reader(line, position, may_be_prompt=one_line)
    while not reader.done and reader.read_option():
        pass
    options_ended = reader.skip_dashes()
    rest = line[reader.position :]
    expected = Expected(len(line), prompt=one_line)
    if not reader.problem and not options_ended:
        # One word, alone on the line, may become the name of a command.
        only_word = one_line and not reader.given and not re.search(r"\s", rest)
        expected = Expected(
            reader.position,
            word=COMMAND if only_word else "",
            options=() if rest else reader.unused(),
            prompt=one_line,
        )
    return reader.result(reader.position, expected)


def _read_command(line: str, start: int, position: int, command: CommandSyntax) -> Reading:
    """Read a command, or a prompt that begins with the name of a command.

    Args:
        line: The line.
        start: The position of the name.
        position: The position after the name.
        command: The command.
    """
    after_name = line[position:]
    if after_name.strip() in HELP_FLAGS:
        words = (command.name,) if command.options or command.words else ()
        return Reading(Expected(len(line)), start, command=SYNTAX_OF["help"], words=words)
    # A line with an option is surely a command: a word that does not fit is then an error.
    # Without an option, such a word makes the line a prompt, as in `history of Rome`.
    surely_command = bool(re.match(r"\s*-[-\w]", after_name)) or any(
        word.partition("=")[0] in command.option_of for word in after_name.split()
    )
    reader = _Reader(line, position, command, may_be_prompt=not surely_command)
    while not reader.done:
        if not (reader.read_option() or reader.skip_dashes() or reader.read_command_word()):
            if not surely_command and not line.startswith("-", reader.position):
                return Reading(reader.expected or Expected(len(line), prompt=True), start)
            reader.problem = reader.usage_error()
    if reader.problem:
        return reader.result(start, Expected(len(line)))
    kind = reader.next_kind
    options = reader.unused() if not kind and (surely_command or not command.words) else ()
    return reader.result(start, Expected(len(line), word=kind, options=options))


def _mistyped_error(line: str, word: str, meant: CommandSyntax) -> UsageError:
    line = shortened(line, QUOTED_CHARS)
    return UsageError(say("option.mistyped_command", word=word, name=meant.name, line=line))


class _Reader:
    """Reads options and words one by one, up to the first problem.

    Attributes:
        position: The position of the next option or word.
        given: The options so far.
        words: The words so far.
        problem: The error that stopped the reader, or ``None``.
        expected: What can come at the end of the line, when an option or a word ends there without
            a space; else ``None``.
    """

    def __init__(
        self, line: str, position: int, command: CommandSyntax | None = None, *, may_be_prompt: bool
    ) -> None:
        self.position = skip_space(line, position) if position < len(line) else position
        self.given: list[GivenOption] = []
        self.words: list[str] = []
        self.problem: UsageError | None = None
        self.expected: Expected | None = None
        self._line = line
        self._command = command
        self._known = command.option_of if command else OPTION_OF
        self._may_be_prompt = may_be_prompt

    @property
    def done(self) -> bool:
        """Whether the line is read to its end or to a problem."""
        return self.problem is not None or self.position == len(self._line)

    @property
    def next_kind(self) -> str:
        """The kind of the command's next word; ``""`` for none."""
        kinds = self._command.words if self._command else ()
        return kinds[len(self.words)] if len(self.words) < len(kinds) else ""

    def unused(self) -> tuple[Option, ...]:
        """Return the options that can still be given."""
        used = {given.option.field for given in self.given}
        options = dict.fromkeys(self._known.values())
        return tuple(option for option in options if option.collect or option.field not in used)

    def result(self, prompt_start: int, expected: Expected) -> Reading:
        """Return the result.

        Args:
            prompt_start: The position where the prompt begins.
            expected: What can come at the end of the line when the reader noted nothing else.
        """
        return Reading(
            self.expected or expected,
            prompt_start,
            tuple(self.given),
            self._command,
            tuple(self.words),
            self.problem,
        )

    def skip_dashes(self) -> bool:
        """Skip ``--``, the end of the options; return whether there is one."""
        dashes = _END_OF_OPTIONS.match(self._line, self.position)
        if dashes:
            self.position = skip_space(self._line, dashes.end())
        return dashes is not None

    def read_command_word(self) -> bool:
        """Read the next word of the command; return whether it is of the right kind."""
        word, kind = read_word(self._line, self.position), self.next_kind
        fits = _fits(word, kind)
        if word.end == len(self._line) and kind and (fits or word.problem):
            prompt = self._may_be_prompt and not fits
            self.expected = Expected(word.start, word=kind, prompt=prompt)
        if fits:
            self.words.append(word.text)
            self.position = skip_space(self._line, word.end)
        return fits

    def read_option(self) -> bool:
        """Read an option with its value; return whether there is an option."""
        line = self._line
        name = _OPTION.match(line, self.position)
        if not name:
            if _DASHES_AT_END.match(line, self.position):
                self.expected = Expected(self.position, options=self.unused())
            return False
        flag, end = name.group(), name.end()
        option = self._known.get(flag)
        attached = end + 1 if line.startswith("=", end) else None
        if option is None:
            # `-model x` is a typo of `--model x`, not the model "odel".
            typo = len(flag) > 2 and any(long.startswith(f"-{flag}") for long in self._known)
            option = self._known.get(flag[:2])
            if typo or not option:
                self.problem = self._unknown_option(flag, typo)
            if option:
                flag, attached = flag[:2], name.start() + 2
        if end == len(line) and attached is None:
            self.expected = Expected(name.start(), options=self.unused())
        if option:
            self._read_value(option, flag, end, attached)
        return True

    def _read_value(self, option: Option, flag: str, end: int, attached: int | None) -> None:
        """Read the value of an option, if it takes one.

        Args:
            option: The option.
            flag: The flag in the line.
            end: The position after the flag.
            attached: The position of the value in ``-mhy3`` and ``--model=hy3``; else ``None``.
        """
        text, problem = "", None
        if option.metavar:
            position = skip_space(self._line, end if attached is None else attached)
            word = option.read_word(self._line, position)
            text, end, problem = word.text, word.end, word.problem
            if end == len(self._line) and not self.expected:
                self.expected = Expected(position, value_of=option)
            # In `-m -s x`, the value of `-m` is missing: a flag is no value, unless it is quoted.
            absent = position == end or text == "--" or text in self._known
            if absent and not word.quoted:
                problem = UsageError(say("option.needs_a_value", flag=flag, metavar=option.metavar))
        elif attached is not None:
            problem = UsageError(say("option.takes_no_value", flag=flag))
        self.problem = self.problem or problem
        if not self.problem:
            self.given.append(GivenOption(option, flag, text))
            self.position = skip_space(self._line, end)

    def _unknown_option(self, flag: str, typo: bool) -> UsageError:
        if self._command:
            return self.usage_error()
        near = did_you_mean(f"-{flag}" if typo else flag, self._known)
        return UsageError(
            joined(
                say("option.no_option", flag=shortened(flag, QUOTED_CHARS)),
                near or say("option.help_lists_options"),
                say("option.put_dashes") if self._may_be_prompt else "",
            )
        )

    def usage_error(self) -> UsageError:
        """Return the error of a command whose words or options do not fit."""
        assert self._command
        command = self._command
        return UsageError(say("option.usage", usage=command.usage, name=command.name))


def _fits(word: Word, kind: str) -> bool:
    """Return whether a word is of a kind; no word is of the kind ``""``."""
    if not kind or word.problem:
        return False
    if kind == COMMAND:
        return not word.quoted and word.text in SYNTAX_OF
    if kind == TURN:
        return not word.quoted and TURN_NUMBER.fullmatch(word.text) is not None
    if kind == ACTION:
        return not word.quoted and word.text in ACTIONS
    if kind in (DELETE, BATCH):
        number = kind == BATCH and (word.text == "all" or word.text.isdecimal())
        return not word.quoted and (word.text == kind or number)
    if word.quoted:
        return bool(word.text.strip())
    if kind == ANSWER:
        return not word.text.startswith("-")
    return not word.text.startswith("-") if kind == PATH else _NAME.fullmatch(word.text) is not None
