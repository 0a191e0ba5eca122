"""The arguments of a tool call, as the user sees them before the call is allowed.

What is shown is what runs: the arguments as the function receives them. A model wrote them, so they
are shown as JSON in which every character is visible, and our own words stand outside the quotes.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from cbai_notebook.client.secret_values import KnownSecrets, known_secrets
from cbai_notebook.client.settings import settings
from cbai_notebook.client.tools.result import plain_value
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.i18n import say
from cbai_notebook.text import is_unseen

ALL_CHARS = 1_600
"""About how many characters of all arguments are shown; with many arguments each gets less."""

MOST_CHARS, FEWEST_CHARS = 800, 200
"""The most and the fewest characters of one argument that are shown before some are left out."""

MOST_ARGUMENTS = 20
"""The most arguments that are shown."""

_MOST_MARKS = 3


@dataclass(frozen=True)
class LeftOut:
    """Our words about what is not shown.

    Args:
        kind: What it is: ``secret`` is a secret value with the name `of`; ``repeats`` is one
            invisible character `of`.
        count: How many.
        of: See `kind`.
    """

    kind: Literal["blanks", "repeats", "characters", "arguments", "secret"]
    count: int
    of: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the words."""
        if self.kind == "secret":
            return {"of": self.of}
        return {"n": self.count, **({"of": self.of} if self.kind == "repeats" else {})}

    def __str__(self) -> str:
        return say(f"answer.left_out_{self.kind}", **self.values)


Piece = str | LeftOut
"""Visible text that is a part of an argument, or our words."""


def shown_arguments(call: ToolCall) -> list[list[Piece]]:
    """Return the arguments of a call that waits for approval: a line for each, as pieces.

    A line has no line break and no character that is invisible or changes the reading direction.
    """
    arguments = list((call.parsed or {}).items())
    limit = min(MOST_CHARS, max(FEWEST_CHARS, ALL_CHARS // max(1, len(arguments))))
    known = known_secrets(settings().secrets, os.environ)
    hidden = len(arguments) - MOST_ARGUMENTS
    first, last = arguments, list[tuple[str, Any]]()
    if hidden > 0:
        half = MOST_ARGUMENTS // 2
        first, last = arguments[:half], arguments[-half:]
    lines = [_line(name, value, limit, known) for name, value in first]
    if hidden > 0:
        lines.append([LeftOut("arguments", hidden)])
    return lines + [_line(name, value, limit, known) for name, value in last]


def _line(name: str, value: Any, limit: int, known: KnownSecrets) -> list[Piece]:
    return [*_text(name, limit, known), ": ", *_value(value, limit, known)]


def _value(value: Any, limit: int, known: KnownSecrets) -> list[Piece]:
    if isinstance(value, (str, *_BYTES)):
        return _text(value, limit, known)
    try:
        tokens = list(_tokens(_to_builtins(value)))
    except Exception:  # noqa: BLE001 - an argument's type runs the user's code
        return _text(_repr(value), limit, known)
    return _cut([part for token in tokens for part in _parts(token, limit // 4, known)], limit)


_BYTES = (bytes, bytearray, memoryview)


def _to_builtins(value: Any) -> Any:
    """Return a value as lists, dicts, numbers, strings and bytes; raise if it has no such form."""
    plain = msgspec.to_builtins(value, builtin_types=_BYTES, enc_hook=_simpler)
    _refuse_names_of_bytes(plain)
    return msgspec.to_builtins(plain, str_keys=True, builtin_types=_BYTES)


def _refuse_names_of_bytes(value: Any) -> None:
    """Raise if a name in a dict is bytes: as text it would be Base64, which nobody can read."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if any(isinstance(name, _BYTES) for name in value):
                raise TypeError("a name of bytes")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _simpler(value: Any) -> Any:
    try:
        # All fields of a pydantic model, also those that its own dump leaves out or changes.
        return dict(value) if hasattr(value, "model_dump") else plain_value(value)
    except Exception:  # noqa: BLE001 - it runs the user's code
        return _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - it runs the user's code
        return f"<{type(value).__name__}>"


class _Signs(str):
    """Brackets, commas and numbers: what stands outside the quotes in JSON."""


_Token = _Signs | str | bytes | bytearray | memoryview


def _tokens(value: Any) -> Iterator[_Token]:
    """Yield the strings in a value, and all signs between two strings as one."""
    for are_signs, tokens in itertools.groupby(_json(value), lambda one: isinstance(one, _Signs)):
        found = list(tokens)
        yield from [_Signs("".join(map(str, found)))] if are_signs else found


def _json(value: Any) -> Iterator[_Token]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            inner = [part for item in value.items() for part in (_NEXT, item[0], _COLON, item[1])]
            waiting += (_Signs("}"), *reversed(inner[1:]), _Signs("{"))
        elif isinstance(value, list):
            inner = [part for item in value for part in (_NEXT, item)]
            waiting += (_Signs("]"), *reversed(inner[1:]), _Signs("["))
        else:
            yield value if isinstance(value, (str, *_BYTES)) else _Signs(json.dumps(value))


_NEXT, _COLON = _Signs(", "), _Signs(": ")

# Many brackets would take the place of what is inside them.
_SIGNS = re.compile(r"(?P<many>[\[{]{13,}|[\]}]{13,})|.{1,40}")


def _parts(token: _Token, limit: int, known: KnownSecrets) -> Iterator[tuple[list[Piece], int]]:
    """Yield a token as parts that are shown or left out, each with its number of characters."""
    if not isinstance(token, _Signs):
        yield _text(token, limit, known), len(token) + 2
        return
    for match in _SIGNS.finditer(token):
        count = len(match[0])
        left_out: list[Piece] = [" ", LeftOut("characters", count), " "]
        yield (left_out if match["many"] else [match[0]]), count


def _cut(parts: Sequence[tuple[list[Piece], int]], limit: int) -> list[Piece]:
    """Return the beginning and the end of parts, each with its number of characters."""
    lengths = [sum(map(len, map(str, pieces))) for pieces, _ in parts]
    if sum(lengths) <= limit:
        return [piece for pieces, _ in parts for piece in pieces]
    # At least two: a bracket, and something of what is inside it.
    first = max(2, _fitting(lengths, limit // 2))
    last = min(max(2, _fitting(reversed(lengths), limit // 2)), len(parts) - first)
    hidden = sum(count for _, count in parts[first : len(parts) - last])
    found = [piece for pieces, _ in parts[:first] for piece in pieces]
    if hidden:
        found += [" ", LeftOut("characters", hidden), " "]
    return found + [piece for pieces, _ in parts[len(parts) - last :] for piece in pieces]


def _fitting(lengths: Iterable[int], limit: int) -> int:
    """Return how many of the lengths fit into the limit together."""
    return sum(1 for total in itertools.accumulate(lengths) if total <= limit)


# Strings ------------------------------------------------------------------------------------------

# What looks like the brackets around our words, and like the quotes around the model's.
_LIKE_OURS = frozenset(
    "\u27e8\u27e9\u2329\u232a\u276c\u276d\u276e\u276f\u2770\u2771\u2991\u2992\u29fc\u29fd\u3008\u3009\ufe3f\ufe40"
    "\u02ba\u02dd\u02ee\u02f6\u1cd3\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u3003\u301d\u301e\u301f\uff02"
)
# A blank, a control or another invisible character, and then the same one at least eight times.
_BLANK_RUN = re.compile(
    r"([\s\x00-\x20\x7f-\xa0\xad\u115f\u1160\u200b-\u200f\u2028-\u202f\u2060-\u206f\u2800\u3164\ufeff])"
    r"\1{8,}"
)


@dataclass
class _Run:
    """A part of a string: its characters one by one, or our words in place of them."""

    text: str
    instead: LeftOut | None = None


@dataclass(frozen=True)
class _Notation:
    """How strings are written.

    Args:
        quotes: What stands before and behind a string.
        written: Returns each character of a string as it is written.
    """

    quotes: tuple[str, str]
    written: Callable[[str], list[str]]


def _text(
    value: str | bytes | bytearray | memoryview, limit: int, known: KnownSecrets
) -> list[Piece]:
    """Return the beginning and the end of a text, with our words outside the quotes.

    A string is written as JSON, bytes as Python writes them.
    """
    if isinstance(value, str):
        text, notation = value, _JSON
    else:
        text, notation = bytes(value).decode("latin-1"), _PYTHON_BYTES
    runs = list(_runs(text, known, notation))
    first, used = _beginning(runs, limit, notation)
    if used == len(text):
        return first
    last, end = _beginning(runs, limit // 3, notation, backwards=True)
    first, used = _beginning(runs, limit * 2 // 3, notation)
    hidden = len(text) - used - end
    between: list[Piece] = [LeftOut("characters", hidden), " "] if hidden else []
    return [*first, " ", *between, *last]


def _runs(text: str, known: KnownSecrets, notation: _Notation) -> Iterator[_Run]:
    for part, secret in known.split(text):
        if secret:
            yield _Run(part, LeftOut("secret", len(part), secret))
            continue
        end = 0
        for match in _BLANK_RUN.finditer(part):
            yield _Run(part[end : match.start()])
            count, char = len(match[0]), match[1]
            blanks = LeftOut("blanks", count)
            repeats = LeftOut("repeats", count, *notation.written(char))
            yield _Run(match[0], blanks if char == " " else repeats)
            end = match.end()
        yield _Run(part[end:])


def _beginning(
    runs: Sequence[_Run], limit: int, notation: _Notation, *, backwards: bool = False
) -> tuple[list[Piece], int]:
    """Return what is shown of the runs, and for how many characters it stands."""
    pieces: list[Piece] = []
    used = length = 0
    for run in reversed(runs) if backwards else runs:
        if run.instead is not None:
            # With two quotes and two blanks.
            length += len(str(run.instead)) + 4
            if pieces and length > limit:
                break
            pieces += [run.instead]
            used += len(run.text)
            continue
        chars = run.text[-limit - 1 :] if backwards else run.text[: limit + 1]
        shown = notation.written(chars)
        costs = [len(char) for char in (reversed(shown) if backwards else shown)]
        taken = _fitting(costs, limit - length)
        if taken:
            pieces += ["".join(shown[-taken:] if backwards else shown[:taken])]
        used += taken
        length += sum(costs[:taken])
        if taken < len(run.text):
            break
    return list(_quoted(reversed(pieces) if backwards else pieces, notation)), used


def _quoted(pieces: Iterable[Piece], notation: _Notation) -> Iterator[Piece]:
    """Yield the pieces of a string with quotes around its own text, and blanks around our words."""
    found = list(pieces) or [""]
    before, behind = notation.quotes
    for number, piece in enumerate(found):
        if number:
            yield " "
        yield piece if isinstance(piece, LeftOut) else f"{before}{piece}{behind}"


def _visible_chars(text: str) -> list[str]:
    found: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        # Marks on no letter would stand on our quotes, and many of them would cover other lines.
        alone = marks and (not found or marks > _MOST_MARKS)
        found.append(_escaped(char) if alone else visible(char))
    return found


def visible(char: str) -> str:
    """Return one character as it is written in a JSON string, escaped if it could not be seen."""
    return _escaped(char) if char in '"\\' or is_unseen(char) or char in _LIKE_OURS else char


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def _visible_byte(char: str) -> str:
    return "\\'" if char == "'" else repr(char.encode("latin-1"))[2:-1]


_JSON = _Notation(('"', '"'), _visible_chars)
_PYTHON_BYTES = _Notation(("b'", "'"), lambda text: list(map(_visible_byte, text)))


# Plain text ---------------------------------------------------------------------------------------


def left_to_right(text: str) -> str:
    """Return plain text with letters that are written from right to left, as JSON escapes.

    Such a letter changes the order in which the numbers and signs beside it are shown. Plain text has
    no way to keep the order that works in every frontend.
    """
    found: list[str] = []
    escaping = False
    for char in text:
        # A mark belongs to the letter before it.
        if unicodedata.category(char) not in ("Mn", "Me"):
            escaping = unicodedata.bidirectional(char) in ("R", "AL", "AN")
        found.append(_escaped(char) if escaping else char)
    return "".join(found)
