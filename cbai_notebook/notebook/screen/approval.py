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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cbai_notebook.client.secret_values import KnownSecrets, known_secrets
from cbai_notebook.client.settings import settings
from cbai_notebook.client.tools.result import to_builtins
from cbai_notebook.client.tools.tool_calls import ToolCall

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

    def __str__(self) -> str:
        if self.kind == "secret":
            words = f"the value of {self.of}"
        elif self.kind == "repeats":
            words = f"{self.count:,} times {self.of}"
        else:
            more = "" if self.kind == "blanks" else " left out"
            words = f"{self.count:,} {self.kind}{more}"
        return f"⟨{words}⟩"


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
    return [*_string(name, limit, known), ": ", *_value(value, limit, known)]


_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]{1,40}')


def _value(value: Any, limit: int, known: KnownSecrets) -> list[Piece]:
    if isinstance(value, str):
        return _string(value, limit, known)
    try:
        text = json.dumps(to_builtins(value), ensure_ascii=False)
    except Exception:  # noqa: BLE001 - an argument's type runs the user's code
        text = json.dumps(repr(value), ensure_ascii=False)
    tokens = _TOKENS.findall(text)
    shown = [
        _string(json.loads(token), limit // 4, known) if token[0] == '"' else [token]
        for token in tokens
    ]
    return _cut([(pieces, len(token)) for pieces, token in zip(shown, tokens, strict=True)], limit)


def _cut(parts: Sequence[tuple[list[Piece], int]], limit: int) -> list[Piece]:
    """Return the beginning and the end of parts, each with its number of characters."""
    lengths = [sum(map(len, map(str, pieces))) for pieces, _ in parts]
    if sum(lengths) <= limit:
        return [piece for pieces, _ in parts for piece in pieces]
    first = _fitting(lengths, limit * 2 // 3)
    last = min(_fitting(reversed(lengths), limit // 3), len(parts) - first)
    hidden = sum(count for _, count in parts[first : len(parts) - last])
    found = [piece for pieces, _ in parts[:first] for piece in pieces]
    if hidden:
        found += [" ", LeftOut("characters", hidden), " "]
    return found + [piece for pieces, _ in parts[len(parts) - last :] for piece in pieces]


def _fitting(lengths: Iterable[int], limit: int) -> int:
    """Return how many of the lengths fit into the limit together."""
    return sum(1 for total in itertools.accumulate(lengths) if total <= limit)


# Strings ------------------------------------------------------------------------------------------

# What is printable for Unicode and yet leaves no mark, or looks like our brackets.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0⟨⟩"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
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


def _string(text: str, limit: int, known: KnownSecrets) -> list[Piece]:
    """Return a string as JSON: its beginning and end, with our words outside the quotes."""
    runs = list(_runs(text, known))
    first, used = _beginning(runs, limit)
    if used == len(text):
        return first
    last, end = _beginning(runs, limit // 3, backwards=True)
    first, used = _beginning(runs, limit * 2 // 3)
    hidden = len(text) - used - end
    return [*first, " ", LeftOut("characters", hidden), " ", *last]


def _runs(text: str, known: KnownSecrets) -> Iterator[_Run]:
    for part, secret in known.split(text):
        if secret:
            yield _Run(part, LeftOut("secret", len(part), secret))
            continue
        end = 0
        for match in _BLANK_RUN.finditer(part):
            yield _Run(part[end : match.start()])
            count, char = len(match[0]), match[1]
            same = LeftOut("blanks", count)
            yield _Run(match[0], same if char == " " else LeftOut("repeats", count, visible(char)))
            end = match.end()
        yield _Run(part[end:])


def _beginning(
    runs: Sequence[_Run], limit: int, *, backwards: bool = False
) -> tuple[list[Piece], int]:
    """Return what is shown of the runs, and for how many characters it stands."""
    pieces: list[Piece] = []
    used = length = 0
    for run in reversed(runs) if backwards else runs:
        if run.instead is not None:
            length += len(str(run.instead)) + 2
            if length > limit:
                break
            pieces += [run.instead]
            used += len(run.text)
            continue
        chars = run.text[-limit - 1 :] if backwards else run.text[: limit + 1]
        shown = _visible_chars(chars)
        costs = [len(char) for char in (reversed(shown) if backwards else shown)]
        taken = _fitting(costs, limit - length)
        if taken:
            pieces += ["".join(shown[-taken:] if backwards else shown[:taken])]
        used += taken
        length += sum(costs[:taken])
        if taken < len(run.text):
            break
    return list(_quoted(reversed(pieces) if backwards else pieces)), used


def _quoted(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces of a string with quotes around its own text, and blanks around our words."""
    found = list(pieces) or [""]
    for number, piece in enumerate(found):
        if number:
            yield " "
        yield piece if isinstance(piece, LeftOut) else f'"{piece}"'


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
    if char in '"\\' or not char.isprintable() or char in _UNSEEN:
        return _escaped(char)
    return _escaped(char) if "\U000e0100" <= char <= "\U000e01ef" else char


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]
