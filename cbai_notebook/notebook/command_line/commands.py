"""The table of commands of ``%cbai``, used by the reader, the help and completion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cbai_notebook.errors import UsageError
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

COMMAND = "COMMAND"
"""The kind of a word that is the name of a command, as the first word of a line is."""


@dataclass(frozen=True)
class CommandSyntax:
    """The syntax of one command: a row of the table.

    Attributes:
        name: The first word of the command.
        help: Its description in the help, a few words.
        words: The kinds of the words that may follow the name, in this order; all are optional.
        options: The options that it takes.
        aliases: Other names of the command, which the help does not list.
    """

    name: str
    help: str
    words: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()

    @cached_property
    def option_of(self) -> Mapping[str, Option]:
        """The options by flag, short and long."""
        return {flag: option for option in self.options for flag in option.flags}

    @property
    def usage(self) -> str:
        """How the command is written, such as ``%cbai use [NAME]``."""
        options = (f"[{option.flags[0]} {option.metavar}".rstrip() + "]" for option in self.options)
        return " ".join((f"%cbai {self.name}", *(f"[{word}]" for word in self.words), *options))


TURN_NUMBER = re.compile(r"-?\d+")
"""The number of a turn; a negative one counts from the last turn."""


def _count(flag: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(f"{flag} takes a whole number above 0, such as 20; not {text!r}.")
    return int(text)


def _turn(flag: str, text: str) -> int:
    if not TURN_NUMBER.fullmatch(text):
        raise UsageError(
            f"{flag} takes the number of a turn, such as 3, or -1 for the last; not {text!r}."
        )
    return int(text)


def _turns(flag: str, text: str) -> tuple[int, ...]:
    return tuple(_turn(flag, part.strip()) for part in text.split(","))


def _day(flag: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{flag} takes a day or a time, such as 2026-11-25; not {text!r}."
        ) from None


_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _age(flag: str, text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", text)
    if match is None:
        raise UsageError(
            f"{flag} takes up to 99999 hours, days or weeks, such as 12h, 30d or 2w; "
            f"not {shortened(text, QUOTED_CHARS)!r}."
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_CONVERSATION = next(option for option in OPTIONS if option.flags == CONVERSATION_FLAGS)
_MAX_TOKENS = next(option for option in OPTIONS if option.field == "max_tokens")
_PANDAS = Option(
    ("--pandas",), "pandas", "put the messages into this variable as a DataFrame", "VAR", variable,
    suggests="variable",
)  # fmt: skip
_SINCE = Option(("--since",), "since", "from this day on", "DAY", _day)
_HISTORY = (
    _CONVERSATION,
    Option(("--search",), "search", "messages with these words, of all conversations", "TEXT", nonblank("words to look for")),
    Option(("--all",), "all", "messages of all conversations"),
    _SINCE,
    Option(("--model",), "model", "of this model", "MODEL", nonblank(), suggests="model"),
    Option(("--role",), "role", "of this role", "ROLE", nonblank("a role, such as user")),
    Option(("--status",), "status", "of turns that ended so", "STATUS", nonblank("a status, such as complete")),
    Option(("--limit",), "limit", "so many, the newest", "NUMBER", _count),
    Option(("--versions",), "versions", "with the versions that cells have replaced"),
    _PANDAS,
)  # fmt: skip
_LIST_ALL = Option(("--all",), "all", "list those of scripts and consoles too")
_DELETE = (
    _CONVERSATION,
    Option(("--older",), "older", "all that were not used for so long: 12h, 30d, 2w", "AGE", _age),
    Option(("--all",), "all", "all conversations"),
    Option(("--yes", "-y"), "yes", "do not ask"),
)
_AT = Option(("--at",), "at", "up to this turn; -1 is the last", "TURN", _turn)
_EXPORT = (
    Option(("--to",), "to", "the form: %cbai export lists them", "FORM", nonblank("the name of a form"), suggests="form"),
    Option(("-o", "--output"), "output", "the file or folder", "PATH", nonblank("a path")),
    Option(("--examples",), "examples", "example turns that a Mini Program sends along: 0,2", "TURNS", _turns),
    Option(("--every-turn",), "every_turn", "curl and python: the request of every turn"),
    Option(("--all",), "all", "all conversations, into a folder"),
    Option(("--force",), "force", "write over what is there"),
    _CONVERSATION,
)  # fmt: skip

COMMANDS: tuple[CommandSyntax, ...] = (
    CommandSyntax("config", "what is set, and where it comes from"),
    CommandSyntax("login", "store CloudBase's key, or a server's, on this machine", (SERVER,)),
    CommandSyntax("logout", "forget a key that login has stored", (SERVER,)),
    CommandSyntax("models", "names of models to try, and those of your servers", (PROVIDER,)),
    CommandSyntax("panel", "chat in a panel", options=(_CONVERSATION,)),
    CommandSyntax("history", "show a conversation, or look through all", options=_HISTORY),
    CommandSyntax("continue", "go on with an answer that was cut or stopped", options=(_CONVERSATION, _MAX_TOKENS)),
    CommandSyntax("use", "go on in a conversation; without a name, list them", (NAME,), (_LIST_ALL,)),
    CommandSyntax("fork", "copy a conversation and go on in the copy", (NAME,), (_CONVERSATION, _AT)),
    CommandSyntax("rename", "give the conversation another name", (NAME,), (_CONVERSATION,)),
    CommandSyntax("undo", "take the newest turn back", options=(_CONVERSATION,)),
    CommandSyntax("reset", "begin again with nothing said; the old turns stay as a branch", (NAME,), (_CONVERSATION,)),
    CommandSyntax("delete", "forget a conversation for good, or old ones, or all", (NAME,), _DELETE),
    CommandSyntax("diff", "compare two answers: %cbai diff -2 -1", (TURN, TURN), (_CONVERSATION,)),
    CommandSyntax("usage", "requests, tokens and time by model and day", options=(_CONVERSATION, _SINCE, _PANDAS), aliases=("stats",)),
    CommandSyntax("export", "write a conversation to a file, a notebook, a Mini Program", options=_EXPORT),
    CommandSyntax("import", "read conversations from a file", (PATH,), (_CONVERSATION,)),
    CommandSyntax("version", "which version this is"),
    CommandSyntax("help", "show this help, or that of one command", (COMMAND,)),
)  # fmt: skip

SYNTAX_OF: Mapping[str, CommandSyntax] = {
    name: syntax for syntax in COMMANDS for name in (syntax.name, *syntax.aliases)
}
"""The commands by name, other names included."""

SHORTEST_MISTYPED = 5
"""The fewest letters of a word that is taken for a mistyped command: shorter ones are often words."""


# English words that are one slip away from a command. Followed by other words, they begin a prompt.
# fmt: off
_ENGLISH = frozenset((
    "beset", "delate", "deleted", "deleter", "deletes", "forks", "helps", "impart", "imports", "impost",
    "logia", "logic", "logins", "logit", "logon", "logouts", "modals", "model", "modems", "modes",
    "morels", "motels", "preset", "renamed", "renames", "resat", "reseat", "resent", "resets", "resit",
    "yodels",
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
            "%%cbai [options]         the lines below are the prompt",
            "%cbai [options] PROMPT   ask in one line",
            "",
            "Options",
            *_lines(options, width),
            "",
            "Commands (a command with --help shows its options)",
            *_lines(commands, width),
            "",
            'In a prompt {name}, {name.attr}, {name["key"]} and {name[0]} are filled in when they name',
            "something of yours; everything else is sent as it is written. A prompt that begins like an",
            "option or a command goes behind two dashes: %cbai -- reset my mind",
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
