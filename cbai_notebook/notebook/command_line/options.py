"""The table of options of ``%%cbai`` and ``%cbai``: parsing, help and completion read it."""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError

FORMATS = ("markdown", "text", "code", "json")

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""Endings of files that hold a picture."""

RESERVED_PARAMS: Mapping[str, str] = {
    "model": "choose the model with -m",
    "messages": "the prompt and the conversation are the messages",
    "stream": "use --no-stream for one whole answer",
    "tools": "name functions of yours with --tool",
    "data": "give each parameter by its own name",
}
"""Parameters that ``-P`` may not set, with what to do instead."""


@dataclass(frozen=True)
class Option:
    """One row of the table of options.

    Attributes:
        flags: How it is written, the short form first.
        field: The attribute of :class:`PromptOptions` that it sets.
        help: What it does, in a few words.
        metavar: What its value is called; ``""`` when it takes none.
        read: Makes the attribute's value out of the text; it is given the flag for its message.
        sets: What an option without a value sets.
        repeated: Whether it may stand there several times; the attribute is then a tuple.
        suggests: What completion suggests for its value.
    """

    flags: tuple[str, ...]
    field: str
    help: str
    metavar: str = ""
    read: Callable[[str, str], Any] = lambda flag, text: text
    sets: bool = True
    repeated: bool = False
    suggests: str = ""


def _temperature(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise UsageError(f"{flag} takes a number, 0 or more, such as 0.7; not {text!r}.")
    return number


def _max_tokens(flag: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise UsageError(f"{flag} takes a whole number above 0, such as 500; not {text!r}.")
    return number


def variable(flag: str, text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise UsageError(f"{flag} takes the name of a variable, such as answer; not {text!r}.")
    return text


def _target(flag: str, text: str) -> str:
    """Read a variable, or the file that a picture goes to."""
    return text if text.lower().endswith(PICTURES) else variable(flag, text)


def _format(flag: str, text: str) -> str:
    if text not in FORMATS:
        raise UsageError(f"{flag} takes {_listed(FORMATS)}; not {text!r}.{near(text, FORMATS)}")
    return text


def filled(flag: str, text: str) -> str:
    if not text.strip():
        raise UsageError(f"{flag} needs a name; it was given an empty one.")
    return text.strip()


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
    """Read JSON, and what Python users write in its place; anything else is text."""
    if text in _PYTHON_WORDS:
        return _PYTHON_WORDS[text]
    if re.fullmatch(r"[+-]?\.\d+", text):
        return float(text)
    try:
        return JSON.decode(text)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_PYTHON_WORDS = {"True": True, "False": False, "None": None}
JSON = json.JSONDecoder(parse_constant=_no_constant)

CONVERSATION_FLAGS = ("-c", "--conversation")

OPTIONS: tuple[Option, ...] = (
    Option(
        ("-m", "--model"),
        "model",
        "MODEL, or PROVIDER/MODEL; local is the offline model",
        "MODEL",
        filled,
        suggests="model",
    ),
    Option(("-s", "--system"), "system", 'system prompt, in quotes: -s "Be brief."', "TEXT"),
    Option(("-t", "--temperature"), "temperature", "0 or more", "NUMBER", _temperature),
    Option(("--max-tokens",), "max_tokens", "longest answer, in tokens", "NUMBER", _max_tokens),
    Option(
        ("-P", "--param"),
        "params",
        "any other parameter, JSON or text: -P top_p=0.9",
        "NAME=VALUE",
        _param,
    ),
    Option(
        CONVERSATION_FLAGS,
        "conversation",
        "talk in the conversation of this name",
        "NAME",
        filled,
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
        repeated=True,
        suggests="tool",
    ),
    Option(("--max-steps",), "max_steps", "requests that tools may lead to", "NUMBER", _max_tokens),
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
        filled,
        repeated=True,
        suggests="variable",
    ),
    Option(("--draw",), "draw", "draw a picture of the prompt; -o cat.png saves it"),
    Option(("--think",), "think", "let the model think first"),
    Option(("--no-think",), "think", "do not let it think", sets=False),
    Option(("--agent",), "agent", "ask this agent of CloudBase", "BOT_ID", filled),
    Option(("--raw",), "raw", "show what the server sent, as JSON"),
    Option(("--dry-run",), "dry_run", "show what would be sent, and send nothing"),
    Option(("--allow-secrets",), "allow_secrets", "send the prompt even though it holds a secret"),
    Option(("-h", "--help"), "help", "show this help"),
)

OPTION_OF: Mapping[str, Option] = {flag: option for option in OPTIONS for flag in option.flags}
"""Every way to write an option, with its row of the table."""


def near(text: str, known: tuple[str, ...]) -> str:
    """Return " Did you mean …?" when something known is near, else nothing."""
    from difflib import get_close_matches

    longer = [name for name in known if len(text) > 3 and name.startswith(text)]
    found = longer or get_close_matches(text, known, n=1, cutoff=0.7)
    return f" Did you mean {found[0]}?" if found else ""


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
