"""The table of options of ``%%cbai`` and ``%cbai``, and how the text of each value is converted."""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import joined, listed, say
from cbai_notebook.notebook.command_line.lexer import QUOTED_CHARS, Word, read_word
from cbai_notebook.text import near_match, shortened

FORMATS = ("markdown", "text", "code", "json")

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""File name endings of pictures."""

TABLE_FILES = (".csv", ".parquet")
"""File name endings of tables."""

_RESERVED_PARAMS = ("model", "messages", "stream", "tools", "data")
"""Parameters that ``-P`` may not set."""


@dataclass(frozen=True)
class Option:
    """One row of the table of options.

    Attributes:
        flags: The ways to write it, the short form first.
        field: The attribute of :class:`PromptOptions` that it sets.
        metavar: The name of its value in the help; ``""`` when it takes no value.
        convert: Convert the text of a value; called with the flag (for error messages) and the text.
        sets: The value that an option without a metavar sets.
        collect: Combine all values of an option that may be repeated. ``None``: the last one counts.
        read_word: Find the text of a value; called with the line and a position.
        suggests: The kind of names that completion offers for its value.
        described: The name of its description; empty: that of its long flag.
    """

    flags: tuple[str, ...]
    field: str
    metavar: str = ""
    convert: Callable[[str, str], Any] = lambda flag, text: text
    sets: bool = True
    collect: Callable[[Iterable[Any]], Any] | None = None
    read_word: Callable[[str, int], Word] = read_word
    suggests: str = ""
    described: str = ""

    @property
    def help(self) -> str:
        """Its description in the help, a few words."""
        return say(f"help.option_{self.described or _name(max(self.flags, key=len))}")


def _temperature(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise UsageError(say("option.no_temperature", flag=flag, text=text))
    return number


def _parts(flag: str, text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise UsageError(say("option.empty_part", flag=flag, text=text))
    return found


def _temperatures(flag: str, text: str) -> tuple[float, ...]:
    return tuple(_temperature(flag, part) for part in _parts(flag, text))


def _flattened(groups: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(groups))


def _positive_number(flag: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number <= 0:
        raise UsageError(say("option.no_whole_number", flag=flag, example="500", text=text))
    return number


def _amount(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise UsageError(say("option.no_amount", flag=flag, text=text))
    return number


def variable(flag: str, text: str) -> str:
    """Read the name of a variable."""
    if not text.isidentifier() or keyword.iskeyword(text):
        raise UsageError(say("option.no_variable", flag=flag, text=text))
    return text


def _tool(flag: str, text: str) -> str:
    """Read the name of a variable, or of one tool of a server: ``server.search``."""
    name, dot, tool = text.partition(".")
    variable(flag, name)
    if dot and not tool:
        raise UsageError(say("option.no_variable", flag=flag, text=text))
    return text


def _target(flag: str, text: str) -> str:
    """Read the name of a variable, or of the file for a picture."""
    return text if text.lower().endswith(PICTURES) else variable(flag, text)


def _format(flag: str, text: str) -> str:
    if text not in FORMATS:
        problem = say("option.no_format", flag=flag, known=listed(FORMATS, "or"), text=text)
        raise UsageError(joined(problem, did_you_mean(text, FORMATS)))
    return text


def nonblank(what: str = "name") -> Callable[[str, str], str]:
    """Return the reader of a text that is not blank.

    Args:
        what: What the text is, for the error message: the end of the name of a text.
    """

    def read(flag: str, text: str) -> str:
        if not text.strip():
            raise UsageError(say(f"option.empty_{what}", flag=flag))
        return text.strip()

    return read


def _param(flag: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(say("option.no_param", flag=flag, text=text))
    if not re.fullmatch(r"[^\W\d][\w-]*", name):
        whole = f"-P {name.partition('.')[0]}={{…}}"
        advice = say("option.give_the_whole_object", whole=whole) if "." in name else ""
        raise UsageError(joined(say("option.no_name_of_a_param", flag=flag, name=name), advice))
    if name in _RESERVED_PARAMS:
        raise UsageError(say(f"option.reserved_{name}", flag=flag))
    return name, _json_or_text(value)


def _varied(flag: str, text: str) -> tuple[str, tuple[Any, ...]]:
    """Read ``name=value,value``, or ``name=[value, value]`` where a value is a list or has a comma."""
    name, value = _param(flag, text)
    if isinstance(value, list):
        values = tuple(value)
    elif isinstance(value, str):
        values = tuple(_json_or_text(part) for part in _parts(flag, value))
    else:
        values = (value,)
    if not values:
        raise UsageError(say("option.no_values", flag=flag, name=name))
    return name, values


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
            problem = UsageError(say("option.no_json", name=name.group()[:-1], text=text))
            return Word(line[position:], position, len(line), problem=problem)
        if end == len(line) or line[end].isspace():
            return Word(line[position:end], position, end)
    value = read_word(line, name.end())
    return value._replace(text=name.group() + value.text, start=position)


CONVERSATION_FLAGS = ("-c", "--conversation")
HELP_FLAGS = ("-h", "--help")

OPTIONS: tuple[Option, ...] = (
    Option(("-m", "--model"), "model", "MODEL", nonblank(), suggests="model"),
    Option(("-s", "--system"), "system", "TEXT"),
    Option(("--prompt",), "prompt_file", "FILE", nonblank("path")),
    Option(("-t", "--temperature"), "temperature", "NUMBER", _temperature),
    Option(("--max-tokens",), "max_tokens", "NUMBER", _positive_number),
    Option(("-P", "--param"), "params", "NAME=VALUE", _param, collect=dict, read_word=_read_param),
    Option(CONVERSATION_FLAGS, "conversation", "NAME", nonblank(), suggests="conversation"),
    Option(("--no-history",), "history", sets=False),
    Option(("--cached",), "cached"),
    Option(("--no-cached",), "cached", sets=False),
    Option(("-o", "--output"), "output", "VAR", _target, suggests="variable"),
    Option(("-f", "--format"), "format", "FORMAT", _format, suggests="format"),
    Option(("--insert",), "insert"),
    Option(("--into",), "into", "VAR", variable, suggests="output"),
    Option(("--no-stream",), "stream", sets=False),
    Option(("--tool",), "tools", "NAME", _tool, collect=tuple, suggests="tool"),
    Option(("--max-steps",), "max_steps", "NUMBER", _positive_number),
    Option(("--schema",), "schema", "VAR", variable, suggests="type"),
    Option(("--image",), "images", "IMAGE", nonblank("image"), collect=tuple, suggests="image"),
    Option(("--draw",), "draw"),
    Option(("--think",), "think"),
    Option(("--no-think",), "think", sets=False),
    Option(("--agent",), "agent", "BOT_ID", nonblank("agent")),
    Option(("--raw",), "raw"),
    Option(("--each",), "each", "ROWS", nonblank("rows"), suggests="rows"),
    Option(("--rows",), "rows", "NUMBER", _positive_number),
    Option(("--column",), "column", "NAME", nonblank()),
    Option(("--prefix",), "prefix", "TEXT", nonblank("prefix")),
    Option(("--details",), "details"),
    Option(("--to",), "to_file", "FILE", nonblank("path"), described="to_file"),
    Option(("--samples",), "samples", "NUMBER", _positive_number),
    Option(("--missing",), "missing", "WHAT", nonblank("missing"), suggests="missing"),
    Option(("--concurrency",), "concurrency", "NUMBER", _positive_number),
    Option(("--max-total-tokens",), "max_total_tokens", "NUMBER", _positive_number),
    Option(("--max-cost",), "max_cost", "AMOUNT", _amount),
    Option(("--models",), "models", "MODELS", _parts, collect=_flattened, suggests="models"),
    Option(("--temperatures",), "temperatures", "NUMBERS", _temperatures, collect=_flattened),
    Option(("--systems",), "systems", "VAR", variable, suggests="variable"),
    Option(("--vary",), "vary", "NAME=VALUES", _varied, collect=dict, read_word=_read_param),
    Option(("--yes",), "yes", described="more_than_24"),
    Option(("--dry-run",), "dry_run"),
    Option(("--allow-secrets",), "allow_secrets"),
    Option(HELP_FLAGS, "help"),
)

OPTION_OF: Mapping[str, Option] = {flag: option for option in OPTIONS for flag in option.flags}
"""The options by flag, short and long."""


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return ``"Did you mean …?"`` with the most similar known word, or ``""`` when none is similar."""
    near = near_match(text, known, beginning=True)
    return say("option.did_you_mean", near=near) if near else ""


def _name(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")
