"""The table of options of ``%%cbai`` and ``%cbai``, and how the text of each value is converted."""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS, Word, read_word
from cbai_notebook.text import near_match, shortened

FORMATS = ("markdown", "text", "code", "json")

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""File name endings of pictures."""

RESERVED_PARAMS: Mapping[str, str] = {
    "model": "choose the model with -m",
    "messages": "the prompt and the conversation are the messages",
    "stream": "use --no-stream for one whole answer",
    "tools": "name functions of yours with --tool",
    "data": "give each parameter by its own name",
}
"""Parameters that ``-P`` may not set, each with the advice for the error message."""


@dataclass(frozen=True)
class Option:
    """One row of the table of options.

    Attributes:
        flags: The ways to write it, the short form first.
        field: The attribute of :class:`PromptOptions` that it sets.
        help: Its description in the help, a few words.
        metavar: The name of its value in the help; ``""`` when it takes no value.
        convert: Convert the text of a value; called with the flag (for error messages) and the text.
        sets: The value that an option without a metavar sets.
        collect: Combine all values of an option that may be repeated. ``None``: the last one counts.
        read_word: Find the text of a value; called with the line and a position.
        suggests: The kind of names that completion offers for its value.
    """

    flags: tuple[str, ...]
    field: str
    help: str
    metavar: str = ""
    convert: Callable[[str, str], Any] = lambda flag, text: text
    sets: bool = True
    collect: Callable[[Iterable[Any]], Any] | None = None
    read_word: Callable[[str, int], Word] = read_word
    suggests: str = ""


def _temperature(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise UsageError(f"{flag} takes a number, 0 or more, such as 0.7; not {text!r}.")
    return number


def _positive_number(flag: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise UsageError(f"{flag} takes a whole number above 0, such as 500; not {text!r}.")
    return number


def variable(flag: str, text: str) -> str:
    """Read the name of a variable."""
    if not text.isidentifier() or keyword.iskeyword(text):
        raise UsageError(f"{flag} takes the name of a variable, such as answer; not {text!r}.")
    return text


def _target(flag: str, text: str) -> str:
    """Read the name of a variable, or of the file for a picture."""
    return text if text.lower().endswith(PICTURES) else variable(flag, text)


def _format(flag: str, text: str) -> str:
    if text not in FORMATS:
        raise UsageError(
            f"{flag} takes {_listed(FORMATS)}; not {text!r}.{did_you_mean(text, FORMATS)}"
        )
    return text


def nonblank(what: str = "a name") -> Callable[[str, str], str]:
    """Return the reader of a text that is not blank.

    Args:
        what: What the text is, for the error message: ``"a name"``.
    """

    def read(flag: str, text: str) -> str:
        if not text.strip():
            raise UsageError(f"{flag} needs {what}; its value is empty.")
        return text.strip()

    return read


def _param(flag: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{flag} takes name=value, such as top_p=0.9; not {text!r}.")
    if not re.fullmatch(r"[^\W\d][\w-]*", name):
        whole = f"-P {name.partition('.')[0]}={{…}}"
        advice = f" Give the whole object as JSON: {whole}." if "." in name else ""
        raise UsageError(f"{flag} cannot set a parameter called {name!r}.{advice}")
    if name in RESERVED_PARAMS:
        raise UsageError(f"{flag} cannot set {name!r}: {RESERVED_PARAMS[name]}.")
    return name, _json_or_text(value)


def _json_or_text(text: str) -> Any:
    """Read JSON, or Python's ``True``, ``False``, ``None`` and ``.9``; anything else is text."""
    if text in _PYTHON_WORDS:
        return _PYTHON_WORDS[text]
    if re.fullmatch(r"[+-]?\.\d+", text):
        return float(text)
    try:
        return _JSON.decode(text)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_PYTHON_WORDS = {"True": True, "False": False, "None": None}
_JSON = json.JSONDecoder(parse_constant=_no_constant)


def _read_param(line: str, position: int) -> Word:
    """Read ``name=value``; the value may be quoted, or a JSON object or array with spaces."""
    name = re.compile(r"[^\s=\"']+=").match(line, position)
    if not name:
        return read_word(line, position)
    if line.startswith(("{", "["), name.end()):
        try:
            _, end = _JSON.raw_decode(line, name.end())
        except (ValueError, RecursionError):
            text = shortened(line[name.end() :], QUOTED_CHARS)
            problem = UsageError(
                f"The value of {name.group()[:-1]} is not JSON: {text} — JSON has its names and "
                "texts in double quotes. For plain text, put quotes around the value."
            )
            return Word(line[position:], position, len(line), problem=problem)
        if end == len(line) or line[end].isspace():
            return Word(line[position:end], position, end)
    value = read_word(line, name.end())
    return value._replace(text=name.group() + value.text, start=position)


CONVERSATION_FLAGS = ("-c", "--conversation")
HELP_FLAGS = ("-h", "--help")

OPTIONS: tuple[Option, ...] = (
    Option(
        ("-m", "--model"),
        "model",
        "MODEL, PROVIDER/MODEL, SERVER or SERVER/MODEL; local is offline, demo scripted",
        "MODEL",
        nonblank(),
        suggests="model",
    ),
    Option(("-s", "--system"), "system", 'system prompt, in quotes: -s "Be brief."', "TEXT"),
    Option(("-t", "--temperature"), "temperature", "0 or more", "NUMBER", _temperature),
    Option(
        ("--max-tokens",), "max_tokens", "longest answer, in tokens", "NUMBER", _positive_number
    ),
    Option(
        ("-P", "--param"),
        "params",
        "any other parameter, JSON or text: -P top_p=0.9",
        "NAME=VALUE",
        _param,
        collect=dict,
        read_word=_read_param,
    ),
    Option(
        CONVERSATION_FLAGS,
        "conversation",
        "talk in the conversation of this name",
        "NAME",
        nonblank(),
        suggests="conversation",
    ),
    Option(("--no-history",), "history", "neither send nor keep the conversation", sets=False),
    Option(("--cached",), "cached", "answer from the history if the same was asked before"),
    Option(("--no-cached",), "cached", "ask, whatever the setting `cached` says", sets=False),
    Option(
        ("-o", "--output"),
        "output",
        "put the answer object into this variable",
        "VAR",
        _target,
        suggests="variable",
    ),
    Option(
        ("-f", "--format"),
        "format",
        f"show the answer as {' | '.join(FORMATS)}",
        "FORMAT",
        _format,
        suggests="format",
    ),
    Option(("--insert",), "insert", "put the answer's code into a new cell below"),
    Option(
        ("--into",),
        "into",
        "stream into this ipywidgets.Output",
        "VAR",
        variable,
        suggests="output",
    ),
    Option(("--no-stream",), "stream", "show the answer once it is whole", sets=False),
    Option(
        ("--tool",),
        "tools",
        "a function that the model may call; repeat it for more",
        "NAME",
        variable,
        collect=tuple,
        suggests="tool",
    ),
    Option(
        ("--max-steps",), "max_steps", "requests that tools may lead to", "NUMBER", _positive_number
    ),
    Option(
        ("--schema",),
        "schema",
        "answer as an object of this type",
        "VAR",
        variable,
        suggests="type",
    ),
    Option(
        ("--image",),
        "images",
        "send this image along: file, https address or variable",
        "IMAGE",
        nonblank("a file, an address or a variable"),
        collect=tuple,
        suggests="image",
    ),
    Option(("--draw",), "draw", "draw a picture of the prompt; -o cat.png saves it"),
    Option(("--think",), "think", "let the model think first"),
    Option(("--no-think",), "think", "do not let it think", sets=False),
    Option(
        ("--agent",),
        "agent",
        "ask this agent of CloudBase",
        "BOT_ID",
        nonblank("the id of an agent"),
    ),
    Option(("--raw",), "raw", "show what the server sent, as JSON"),
    Option(("--dry-run",), "dry_run", "show what would be sent, and send nothing"),
    Option(("--allow-secrets",), "allow_secrets", "send the prompt even though it holds a secret"),
    Option(HELP_FLAGS, "help", "show this help"),
)

OPTION_OF: Mapping[str, Option] = {flag: option for option in OPTIONS for flag in option.flags}
"""The options by flag, short and long."""


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean …?"`` with the most similar known word, or ``""`` when none is similar."""
    match = near_match(text, known, beginning=True)
    return f" Did you mean {match}?" if match else ""


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
