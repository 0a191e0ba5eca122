"""Diff of two answers, word by word, in their Markdown source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cbai_notebook.conversation.alignment import pairs
from cbai_notebook.text import IDEOGRAPHS, KANA, KANA_EXTENSIONS

# Chinese and Japanese have no spaces between words: each character is compared as one word.
_UNSPACED = KANA + KANA_EXTENSIONS + IDEOGRAPHS
# U+00C0 to U+1FFF contains letters and their combining marks.
_LETTERS = rf"(?:[\u00c0-\u1fff]|[^\W{_UNSPACED}])+"

_WORD = re.compile(
    rf"\n|[^\S\n]+"
    rf"|\d+(?:[.,:]\d+)+"
    rf"|{_LETTERS}(?:['’]{_LETTERS})*"
    rf"|[{_UNSPACED}]"
    r"|[-+*/%&|^<>=!:]=|[-=]>"
    r"|([^\w\s])\1+"
    # Any other character with its modifiers, such as an emoji's skin tone, and with the characters
    # that zero-width joiners (U+200D) join to it.
    "|.(?:[\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d.)*",
    re.DOTALL,
)


@dataclass(frozen=True)
class Piece:
    """A piece of text that is in both texts, only in the old one, or only in the new one."""

    kind: Literal["kept", "removed", "added"]
    text: str


@dataclass(frozen=True)
class Difference:
    """The difference between two texts.

    Attributes:
        pieces: The pieces in reading order; where text was replaced, the removed piece comes first.
    """

    pieces: tuple[Piece, ...]

    @property
    def old(self) -> str:
        """The text before."""
        return "".join(piece.text for piece in self.pieces if piece.kind != "added")

    @property
    def new(self) -> str:
        """The text after."""
        return "".join(piece.text for piece in self.pieces if piece.kind != "removed")

    def __bool__(self) -> bool:
        """Return whether the texts differ."""
        return any(piece.kind != "kept" for piece in self.pieces)

    def __str__(self) -> str:
        """Return the text with ``[-removed-]`` and ``{+added+}``, as ``git diff --word-diff``."""
        marks = {"kept": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
        return "".join(
            f"{marks[piece.kind][0]}{piece.text}{marks[piece.kind][1]}" for piece in self.pieces
        )


def compare(old: str, new: str) -> Difference:
    """Compare two texts word by word.

    A word is a run of letters and digits, a Chinese or Japanese character, a number with its dots,
    an operator of code, a run of one sign, or white space. Very long texts take a second at most: a
    long stretch with little in common is returned as removed and added as a whole.

    Args:
        old: The text before, as Markdown source.
        new: The text after.
    """
    return Difference(tuple(_pieces(_fold(_stretches(words(old), words(new))))))


def words(text: str) -> list[str]:
    """Split a text into words; the joined words are the text again."""
    return [found[0] for found in _WORD.finditer(text)]


@dataclass
class _Stretch:
    """Text that was replaced, and the common text after it."""

    removed: str
    added: str
    kept: str


def _stretches(old: list[str], new: list[str]) -> Iterator[_Stretch]:
    i = j = 0
    removed = added = ""
    kept: list[str] = []
    for old_place, new_place in [*pairs(old, new), (len(old), len(new))]:
        if (old_place, new_place) != (i, j):
            yield _Stretch(removed, added, "".join(kept))
            removed, added, kept = "".join(old[i:old_place]), "".join(new[j:new_place]), []
        kept += old[old_place : old_place + 1]
        i, j = old_place + 1, new_place + 1
    yield _Stretch(removed, added, "".join(kept))


def _fold(stretches: Iterable[_Stretch]) -> Iterator[_Stretch]:
    """Merge replacements that are separated only by blanks or signs: a reader sees one change."""
    merged = [_Stretch("", "", "")]
    for stretch in stretches:
        last = merged[-1]
        replaced = last.removed and last.added and stretch.removed and stretch.added
        if not replaced or "\n" in last.kept or any(map(str.isalnum, last.kept)):
            yield _joined(merged)
            merged = []
        merged.append(stretch)
    yield _joined(merged)


def _joined(stretches: list[_Stretch]) -> _Stretch:
    """Return stretches as one, with what was kept between them on both sides."""
    kept = [stretch.kept for stretch in stretches[:-1]] + [""]
    removed = "".join(s.removed + between for s, between in zip(stretches, kept, strict=True))
    added = "".join(s.added + between for s, between in zip(stretches, kept, strict=True))
    return _Stretch(removed, added, stretches[-1].kept)


def _pieces(stretches: Iterable[_Stretch]) -> Iterator[Piece]:
    for stretch in stretches:
        if stretch.removed:
            yield Piece("removed", stretch.removed)
        if stretch.added:
            yield Piece("added", stretch.added)
        if stretch.kept:
            yield Piece("kept", stretch.kept)
