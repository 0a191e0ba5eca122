"""Words and quotes of an option line.

They are read the way a shell would, with two differences that prompts and Windows need:

- a quote groups only where a value begins, so an apostrophe inside a word is an apostrophe;
- a backslash is a backslash (``C:\\models``), except in ``\\"`` inside double quotes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cbai_notebook.errors import UsageError

_PARTNER = {'"': '"', "'": "'", "“": "”"}

# Where `\"` leaves no other quote to close with, as in "C:\models\", it closes.
_INSIDE = {
    '"': re.compile(r'((?:[^"\\]|\\"|\\)*?)"(?=\s|$)'),
    "'": re.compile(r"([^']*)'(?=\s|$)"),
    "“": re.compile(r"([^”]*)”(?=\s|$)"),
}


class Word(NamedTuple):
    """A word, where it ends in its line, and whether it stood in quotes."""

    text: str
    end: int
    quoted: bool = False


def read_word(line: str, position: int) -> Word:
    """Read up to the next space, or what stands between quotes.

    Args:
        line: The whole line.
        position: Where the word begins.

    Raises:
        UsageError: A quote is opened and not closed.
    """
    if position < len(line) and line[position] in _PARTNER:
        return _quoted(line, position)
    end = position
    while end < len(line) and not line[end].isspace():
        end += 1
    return Word(line[position:end], end)


def skip_space(line: str, position: int) -> int:
    """Return where the next word begins, or the line's length."""
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def only_word(text: str) -> str | None:
    """Return the one name, bare or in quotes, that the whole of `text` is; ``None`` if it is not one."""
    if text[:1] in _PARTNER:
        match = _INSIDE[text[0]].fullmatch(text, 1)
        return match.group(1) if match and match.group(1).strip() else None
    return text if re.fullmatch(r"\w[\w.-]*", text) else None


def shortened(text: str) -> str:
    """Return the beginning of `text`, so that a message stays one readable line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def _quoted(line: str, opening: int) -> Word:
    quote = line[opening]
    match = _INSIDE[quote].match(line, opening + 1)
    if not match:
        raise UsageError(
            f"A quote is opened and not closed: {shortened(line[opening:])} — "
            f"put {_PARTNER[quote]} at the end of the value."
        )
    text = match.group(1)
    return Word(text.replace('\\"', '"') if quote == '"' else text, match.end(), quoted=True)
