"""Words and quotes of an option line, with their positions.

The rules are those of a shell, with two differences that prompts and Windows paths need:

- a quote groups only at the beginning of a value, so an apostrophe inside a word is an apostrophe;
- a backslash is a backslash (``C:\\models``), except in ``\\"`` inside double quotes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import shortened

QUOTED_CHARS = 40
"""The most characters of a line that an error message quotes."""

_CLOSING = {'"': '"', "'": "'", "“": "”"}

# A `\"` also closes the value when no other quote does, as in "C:\models\".
_INSIDE = {
    '"': re.compile(r'((?:[^"\\]|\\"|\\)*?)"(?=\s|$)'),
    "'": re.compile(r"([^']*)'(?=\s|$)"),
    "“": re.compile(r"([^”]*)”(?=\s|$)"),
}


class Word(NamedTuple):
    """A word of a line.

    Attributes:
        text: The word without its quotes.
        start: The position of its first character (of the quote, if it is quoted).
        end: The position after its last character.
        quoted: Whether it begins with a quote.
        problem: The error of an unfinished word, such as an unclosed quote. An unfinished word
            extends to the end of the line.
    """

    text: str
    start: int
    end: int
    quoted: bool = False
    problem: UsageError | None = None


def read_word(line: str, position: int) -> Word:
    """Read a word up to the next space, or up to the closing quote.

    Args:
        line: The whole line.
        position: Where the word begins.
    """
    if position < len(line) and line[position] in _CLOSING:
        return _quoted(line, position)
    end = position
    while end < len(line) and not line[end].isspace():
        end += 1
    return Word(line[position:end], position, end)


def skip_space(line: str, position: int) -> int:
    """Return where the next word begins, or the line's length."""
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _quoted(line: str, start: int) -> Word:
    quote = line[start]
    match = _INSIDE[quote].match(line, start + 1)
    if not match:
        text = shortened(line[start:], QUOTED_CHARS)
        problem = UsageError(say("option.quote_is_open", text=text, quote=_CLOSING[quote]))
        return Word(line[start + 1 :], start, len(line), quoted=True, problem=problem)
    text = match.group(1)
    return Word(text.replace('\\"', '"') if quote == '"' else text, start, match.end(), quoted=True)
