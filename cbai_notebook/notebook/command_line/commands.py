"""The table of commands of ``%cbai``, used by the reader, the help and completion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS
from cbai_notebook.notebook.command_line.options import (
    CONVERSATION_FLAGS,
    OPTIONS,
    Option,
    nonblank,
    variable,
)
from cbai_notebook.text import is_one_slip_away, shortened

NAME, TURN, PATH, PROVIDER, SERVER = "NAME", "TURN", "PATH", "PROVIDER", "SERVER"
"""Kinds of words after the name of a command: a conversation, the number of a turn, a file, a provider,
a server that the user has named."""

DELETE, BATCH = "delete", "N"
"""What `%cbai batches` can do with a batch, and which it is: its number, or all."""

ACTION, TOOL_SERVER = "ACTION", "TOOLS"
"""What `%cbai mcp` can do with a server of tools, one of `ACTIONS`, and which it is."""

ACTIONS = ("confirm", "stop")

ANSWER = "ANSWER"
"""One of the answers to a prompt: its number, or its model."""

EVALUATION = "EVAL"
"""The kind of a word that is the name of a stored evaluation."""

COMMAND = "COMMAND"
"""The kind of a word that is the name of a command, as the first word of a line is."""


@dataclass(frozen=True)
class CommandSyntax:
    """The syntax of one command: a row of the table.

    Attributes:
        name: The first word of the command.
        words: The kinds of the words that may follow the name, in this order; all are optional.
        options: The options that it takes.
        aliases: Other names of the command, which the help does not list.
    """

    name: str
    words: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()

    @cached_property
    def option_of(self) -> Mapping[str, Option]:
        """The options by flag, short and long."""
        return {flag: option for option in self.options for flag in option.flags}

    @property
    def help(self) -> str:
        """Its description in the help, a few words."""
        return say(f"help.command_{self.name}")

    @property
    def usage(self) -> str:
        """How the command is written, such as ``%cbai use [NAME]``."""
        options = (f"[{option.flags[0]} {option.metavar}".rstrip() + "]" for option in self.options)
        return " ".join((f"%cbai {self.name}", *(f"[{word}]" for word in self.words), *options))


TURN_NUMBER = re.compile(r"-?\d+")
"""The number of a turn; a negative one counts from the last turn."""


def _count(flag: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(say("option.no_whole_number", flag=flag, example="20", text=text))
    return int(text)


def _turn(flag: str, text: str) -> int:
    if not TURN_NUMBER.fullmatch(text):
        raise UsageError(say("option.no_turn", flag=flag, text=text))
    return int(text)


def _turns(flag: str, text: str) -> tuple[int, ...]:
    return tuple(_turn(flag, part.strip()) for part in text.split(","))


def _day(flag: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(say("option.no_day", flag=flag, text=text)) from None


_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _age(flag: str, text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if match is None:
        raise UsageError(say("option.no_age", flag=flag, text=shortened(text, QUOTED_CHARS)))
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_TALK_IN = next(option for option in OPTIONS if option.flags == CONVERSATION_FLAGS)
_CONVERSATION = replace(_TALK_IN, described="this_conversation")
_MAX_TOKENS = next(option for option in OPTIONS if option.field == "max_tokens")
_PANDAS = Option(("--pandas",), "pandas", "VAR", variable, suggests="variable")
_SINCE = Option(("--since",), "since", "DAY", _day)
_HISTORY = (
    _CONVERSATION,
    Option(("--search",), "search", "TEXT", nonblank("words")),
    Option(("--all",), "all", described="all_messages"),
    _SINCE,
    Option(("--model",), "model", "MODEL", nonblank(), suggests="model", described="of_model"),
    Option(("--role",), "role", "ROLE", nonblank("role")),
    Option(("--status",), "status", "STATUS", nonblank("status")),
    Option(("--limit",), "limit", "NUMBER", _count),
    Option(("--versions",), "versions"),
    _PANDAS,
)
_USAGE = (
    replace(_TALK_IN, described="usage_of_conversation"),
    _SINCE,
    replace(_PANDAS, described="pandas_usage"),
)
_READ_INTO = replace(_TALK_IN, described="read_into")
_LIST_ALL = Option(("--all",), "all", described="list_all")
_YES = Option(("--yes", "-y"), "yes")
_DELETE = (
    _CONVERSATION,
    Option(("--older",), "older", "AGE", _age),
    Option(("--all",), "all", described="all_conversations"),
    _YES,
)
_AT = Option(("--at",), "at", "TURN", _turn)
_ANSWERS = Option(("--answers",), "answers")
_EXPORT = (
    Option(("--to",), "to", "FORM", nonblank("form"), suggests="form"),
    Option(("-o", "--output"), "output", "PATH", nonblank("path"), described="to_path"),
    Option(("--examples",), "examples", "TURNS", _turns),
    Option(("--every-turn",), "every_turn"),
    Option(("--all",), "all", described="all_into_folder"),
    Option(("--force",), "force"),
    _CONVERSATION,
)

COMMANDS: tuple[CommandSyntax, ...] = (
    CommandSyntax("config"),
    CommandSyntax("login", (SERVER,)),
    CommandSyntax("logout", (SERVER,)),
    CommandSyntax("models", (PROVIDER,)),
    CommandSyntax("panel", options=(_TALK_IN,)),
    CommandSyntax("history", options=_HISTORY),
    CommandSyntax("continue", options=(_CONVERSATION, _MAX_TOKENS)),
    CommandSyntax("use", (NAME,), (_LIST_ALL,)),
    CommandSyntax("fork", (NAME,), (_CONVERSATION, _AT)),
    CommandSyntax("rename", (NAME,), (_CONVERSATION,)),
    CommandSyntax("undo", options=(_CONVERSATION,)),
    CommandSyntax("reset", (NAME,), (_CONVERSATION,)),
    CommandSyntax("delete", (NAME,), _DELETE),
    CommandSyntax("pick", (ANSWER,), (_CONVERSATION,)),
    CommandSyntax("diff", (TURN, TURN), (_ANSWERS, _CONVERSATION)),
    CommandSyntax("usage", options=_USAGE, aliases=("stats",)),
    CommandSyntax("batches", (DELETE, BATCH), (_YES,)),
    CommandSyntax("evaluations", (EVALUATION,)),
    CommandSyntax("mcp", (ACTION, TOOL_SERVER), (_YES,)),
    CommandSyntax("export", options=_EXPORT),
    CommandSyntax("import", (PATH,), (_READ_INTO,)),
    CommandSyntax("version"),
    CommandSyntax("help", (COMMAND,)),
)

SYNTAX_OF: Mapping[str, CommandSyntax] = {
    name: syntax for syntax in COMMANDS for name in (syntax.name, *syntax.aliases)
}
"""The commands by name, other names included."""

SHORTEST_MISTYPED = 5
"""The fewest letters of a word that is taken for a mistyped command: shorter ones are often words."""


# English words that are one slip away from a command. Followed by other words, they begin a prompt.
# fmt: off
_ENGLISH = frozenset((
    "bathes", "batched", "batcher", "beset", "botches", "catches", "delate", "deleted", "deleter", "deletes", "evaluation", "forks", "hatches", "helps", "impart", "imports", "impost", "latches",
    "logia", "logic", "logins", "logit", "logon", "logouts", "matches", "modals", "model", "modems", "modes",
    "morels", "motels", "patches", "picky", "preset", "prick", "renamed", "renames", "resat", "reseat", "resent", "resets", "resit",
    "watches", "yodels",
))
# fmt: on


def mistyped(word: str, *, alone: bool = True) -> CommandSyntax | None:
    """Return the command that a word is one slip away from, or ``None``.

    One slip is a letter too many, a letter missing, a wrong letter, two letters swapped, or capital
    letters.

    Args:
        word: The first word of a line.
        alone: Whether nothing or an option follows. When only words follow, a capital letter and an
            English word are no slips: ``Reset yourself`` and ``model theory`` are prompts.
    """
    if len(word) < SHORTEST_MISTYPED or not word.isalnum():
        return None
    lower = word.lower()
    if not alone and (word != lower or word in _ENGLISH):
        return None
    # Not near another name of a command: `status`, `states` and `starts` are words.
    near = (command for command in COMMANDS if is_one_slip_away(lower, command.name))
    return SYNTAX_OF.get(lower) or next(near, None)


def help_text() -> str:
    """Return the help on ``%%cbai`` and ``%cbai``, as plain text."""
    options = _option_rows(OPTIONS)
    commands = [
        (" ".join((f"%cbai {syntax.name}", *map("[{}]".format, syntax.words))), syntax.help)
        for syntax in COMMANDS
    ]
    width = _width(options + commands)
    return "\n".join(
        [
            f"%%cbai [options]         {say('help.of_cell')}",
            f"%cbai [options] PROMPT   {say('help.of_line')}",
            "",
            say("help.options"),
            *_lines(options, width),
            "",
            say("help.commands"),
            *_lines(commands, width),
            "",
            say("help.of_prompt"),
        ]
    )


def help_of(syntax: CommandSyntax) -> str:
    """Return the help on one command, as plain text."""
    rows = _option_rows(syntax.options)
    words = "".join(f" [{word}]" for word in syntax.words)
    return "\n".join([f"%cbai {syntax.name}{words}   {syntax.help}", *_lines(rows, _width(rows))])


_Rows = list[tuple[str, str]]


def _option_rows(options: tuple[Option, ...]) -> _Rows:
    return [
        (", ".join(option.flags) + f" {option.metavar}".rstrip(), option.help) for option in options
    ]


def _width(rows: _Rows) -> int:
    return max((len(left) for left, _ in rows), default=0) + 2


def _lines(rows: _Rows, width: int) -> list[str]:
    return [f"  {left:<{width}}{right}" for left, right in rows]
