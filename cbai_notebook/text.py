"""Text helpers for the whole package. This module imports nothing of the package."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from typing import Literal

MASK = "••••••"
"""Replaces a secret in a text."""

# Ranges for the character classes of regular expressions, by the blocks of Unicode 15.
IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters."""
KANA = "\u3040-\u30ff"
"""Japanese hiragana and katakana."""
KANA_EXTENSIONS = "\u31f0-\u31ff"
"""Small katakana, for the Ainu language."""
HANGUL = "\uac00-\ud7af"
"""Korean syllables."""
CJK = (
    "\u1100-\u11ff\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\U0001b000-\U0001b2ff\U00020000-\U0003ffff"
)
"""All of Chinese, Japanese and Korean writing, with punctuation and full-width forms."""

# ECMA-48 escape sequences. A match does not cross the end of a line, so that lines can be cleaned
# one by one. The bodies exclude every introducer, so that a run of introducers is scanned in linear
# time.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x90-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, …
    r"|\x1b[ -/]*[0-~]"  # two-character escapes, such as a full reset
)
# C0 and C1 controls except tab and newline, and the characters that change the reading direction
# (UAX #9).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Combining marks are neither letters nor blanks. The last two are letters that become marks in
# compatibility normalisation (NFKC).
_MARKS = re.compile(r"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f])+")

# What is printable for Unicode and yet leaves no mark.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc\U0001d159"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)

MOST_MARKS = 30
"""The most combining marks on one letter (Unicode's stream-safe text format, UAX #15, section 13)."""

# Combining marks and joiners.
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})

# Shorter names are too much alike; in longer ones two slips leave no doubt.
_SHORTEST_NAME, _LONG_NAME, _MOST_SLIPS = 3, 8, 2

_YES = frozenset({"y", "yes", "是", "好"})

# The characters that are read for each character of one line: a long run of blanks may come before
# the words.
_READ_AHEAD = 50
_AROUND_WORDS = " .,:;!?…-–—\"'`*_#>。，：；！？、“”‘’"


def plain(text: str) -> str:
    r"""Remove the characters that control a terminal or change the reading direction.

    Returns:
        The text with line ends as ``\n``, without C0 and C1 controls other than tab and newline,
        without ECMA-48 escape sequences, without the Unicode bidirectional embeddings, overrides and
        isolates (UAX #9), and with lone surrogates replaced.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _SURROGATES.search(text):
        text = without_surrogates(text)
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", _SEQUENCES.sub("", text))
    return text


def without_controls(text: str) -> str:
    """Remove control characters one by one, but keep the rest of an escape sequence.

    For text that is written as it arrives: an escape sequence may be split over two pieces.
    """
    return _CONTROLS.sub("", text)


def is_unseen(char: str) -> bool:
    """Return whether a character leaves no mark of its own, or changes how others are shown."""
    return not char.isprintable() or char in _UNSEEN


def visible(text: str) -> str:
    """Return a text on one line, with a JSON escape in place of each character that is not seen."""
    return "".join(json.dumps(char)[1:-1] if is_unseen(char) else char for char in text)


def without_surrogates(text: str) -> str:
    """Make text that UTF-8 can encode: join surrogate pairs, make lone surrogates U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def normalized(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    """Normalise a text, without the marks beyond the first `MOST_MARKS` on one letter.

    Normalisation sorts the marks on each letter, in time that grows with the square of their
    number, and holds all threads meanwhile.

    Args:
        form: The normalisation form (UAX #15).
        text: Any text.
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _MARKS.sub(_with_few_marks, text))


def _with_few_marks(run: re.Match[str]) -> str:
    signs = run[0]
    if len(signs) <= MOST_MARKS:
        return signs
    kept: list[str] = []
    marks = 0
    for sign in signs:
        is_mark = unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) > 0
        marks = marks + 1 if is_mark else 0
        if marks <= MOST_MARKS:
            kept.append(sign)
    return "".join(kept)


def has_lone_surrogate(text: str) -> bool:
    """Return whether the text has half of a surrogate pair without the other half."""
    whole = without_surrogates(text)
    return whole is not text and whole.count("\ufffd") > text.count("\ufffd")


def split_lines(text: str) -> list[str]:
    r"""Split a text at ``\n`` into lines with their ends; ``str.splitlines`` has ten other ends."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines


def cut(text: str, longest: int) -> str:
    """Return the text, or its beginning and "…", with at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def shortened(text: str, longest: int) -> str:
    """Return the text on one line, each run of white space as one blank, with at most `longest` characters."""
    return cut(" ".join(text[: _READ_AHEAD * longest].split()), longest)


def shortened_inside(text: str, widest: int) -> str:
    """Return a text of at most `widest` columns; "…" stands for the middle of a longer one."""
    if columns(text) <= widest:
        return text
    begins = (widest - 1) // 2
    ends = widest - 1 - begins
    first, last = text[:begins], text[-ends:]
    while columns(first) > begins:
        first = first[:-1]
    while columns(last) > ends:
        last = last[1:]
    return f"{first}…{last}"


def one_line(text: str, longest: int | None = None) -> str:
    """Return the text on one line without any character that is not printable.

    Args:
        text: Any text.
        longest: The most characters, "…" included; all of the text by default.
    """
    read = text if longest is None else text[: _READ_AHEAD * longest]
    line = " ".join("".join(char if char.isprintable() else " " for char in read).split())
    return line if longest is None else cut(line, longest)


def first_words(text: str, widest: int = 36) -> str:
    """Return the first words of a text, for a name: one line without punctuation at its ends.

    Args:
        text: Any text.
        widest: The most columns of a terminal.
    """
    line = one_line(text[: _READ_AHEAD * widest])
    kept = line
    while columns(kept) > widest:
        kept = kept[:-1]
    begun, blank, _ = kept.rpartition(" ")
    if len(kept) < len(line) and line[len(kept)] != " " and blank:  # half a word
        kept = begun
    return kept.strip(_AROUND_WORDS)


def columns(text: str) -> int:
    """Return how many columns of a terminal a line takes: a Chinese character takes two."""
    if text.isascii():
        return len(text)
    seen = [char for char in text if unicodedata.category(char) not in _WITHOUT_WIDTH]
    return len(seen) + sum(unicodedata.east_asian_width(char) in "WF" for char in seen)


def aligned(table: Sequence[Sequence[str]], right: Container[int] = ()) -> list[str]:
    """Return the lines of a table of plain text; each column is as wide as its widest cell.

    Args:
        table: The rows.
        right: The numbers of the columns, from 0, that end at the same place, such as amounts.
    """
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]

    def padded(place: int, cell: str) -> str:
        blanks = " " * (widths[place] - columns(cell))
        return blanks + cell if place in right else cell + blanks

    return ["  ".join(padded(*each) for each in enumerate(row)).rstrip() for row in table]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``"1 turn"``, ``"2 turns"``, ``"1,000 turns"``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def near_match(
    word: str, known: Iterable[str], *, beginning: bool = False, likeness: float = 0.7
) -> str | None:
    """Return the known word that is most similar to a mistyped one, or None.

    Args:
        word: The mistyped word.
        known: The known words.
        beginning: Whether the first known word that begins with `word` is returned, if `word` has
            four letters or more.
        likeness: The lowest similarity ratio, from 0 to 1, as `difflib` computes it.
    """
    from difflib import get_close_matches

    known = list(known)
    if beginning and len(word) > 3:
        for name in known:
            if name.startswith(word):
                return name
    return next(iter(get_close_matches(word, known, n=1, cutoff=likeness)), None)


def is_one_slip_away(word: str, other: str) -> bool:
    """Return whether two words differ by one slip of the fingers.

    That is one letter more, one letter less, one wrong letter, or two neighbours swapped.
    """
    if len(word) == len(other):
        at = [
            place for place, pair in enumerate(zip(word, other, strict=True)) if pair[0] != pair[1]
        ]
        if len(at) == 2:
            first, second = at
            swapped = word[second] + word[first]
            return second == first + 1 and swapped == other[first : second + 1]
        return len(at) == 1
    short, long = sorted((word, other), key=len)
    if len(long) - len(short) != 1:
        return False
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def is_mistyped(word: str, known: str) -> bool:
    """Return whether a word is most likely a known name, with a mistake.

    That is one slip, or about two in a long name. Capitals do not count as different, but digits
    do: ``"qwen3"`` is no ``"qwen2"`` with a mistake.
    """
    word, known = word.lower(), known.lower()
    if word == known:
        return True
    if min(len(word), len(known)) < _SHORTEST_NAME or _digits(word) != _digits(known):
        return False
    if is_one_slip_away(word, known):
        return True
    is_long = min(len(word), len(known)) >= _LONG_NAME
    # A part more, as in "qwen-vl-max" for "qwen-max", is another name.
    may_be_slips = abs(len(word) - len(known)) <= _MOST_SLIPS
    return is_long and may_be_slips and near_match(word, (known,), likeness=0.8) is not None


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def masked(text: str, *secrets: str | None) -> str:
    """Return the text with `MASK` in place of each secret; empty ones are left out."""
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK)
    return text


def is_yes(answer: str) -> bool:
    """Return whether an answer to a yes-or-no question is a yes, in English or in Chinese."""
    return answer.strip().lower() in _YES
