"""The words of a text: to count them, and to take names and numbers from a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable

from cbai_notebook.text import CJK

# The characters of a prompt that are searched for names, words and numbers.
_LONGEST = 10_000

# A character of Chinese, Japanese or Korean counts as a word.
_PIECE = re.compile(rf"\s*(?:[{CJK}]|[^\s{CJK}]+)|\s+")
_WORD = re.compile(rf"(?!\W)[{CJK}]|[^\W_]+(?:['’.-][^\W_]+)*")
_QUOTED = re.compile(r"[\"“«「]([^\"“”«»「」\n]{1,200})[\"”»」]")
# With more digits a number is a name, and no float holds it exactly.
_NUMBER = re.compile(r"(?<![\w.,-])-?\d{1,12}(?:,\d{3}){0,3}(?:\.\d{1,6})?(?![\w-])")
_SENTENCE_END = re.compile(r"[.!?\n]\s*$|^\s*$")
# What stands in most prompts and is no name of a thing.
_COMMON = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "do", "does", "for", "from", "give",
    "has", "have", "how", "in", "is", "it", "its", "list", "make", "me", "name", "of", "on",
    "one", "or", "please", "show", "some", "tell", "that", "the", "their", "them", "these",
    "they", "this", "to", "two", "use", "was", "what", "when", "where", "which", "who", "will",
    "with", "write", "you", "your",
})  # fmt: skip


def pieces(text: str) -> list[str]:
    """Return the text in pieces of one word each, with the white space before it."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """Return the number of words."""
    return len(_WORD.findall(text))


class Material:
    """The names, words and numbers of a prompt; each is taken once, in the order of the prompt.

    Names are what stands in quotation marks, and what has a capital letter inside a sentence.
    """

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt = prompt[:_LONGEST]
        self.numbers = [float(each.replace(",", "")) for each in _NUMBER.findall(prompt)]
        quoted = _QUOTED.findall(prompt)
        rest = _QUOTED.sub(" ", prompt)
        names: list[str] = []
        words: list[str] = []
        first: list[str] = []
        end = -1
        for found in _WORD.finditer(rest):
            word = found.group()
            begins = bool(_SENTENCE_END.search(rest[max(0, found.start() - 3) : found.start()]))
            if word.casefold() in _COMMON or word[0].isdigit():
                continue
            if begins:
                first.append(word)
            elif not word[0].isupper():
                words.append(word)
            elif names and end >= 0 and rest[end : found.start()] == " ":
                names[-1] += f" {word}"  # "San Francisco"
                end = found.end()
            else:
                names.append(word)
                end = found.end()
        self.names = [*quoted, *names]
        self.words = [*words, *first]

    def take_text(self, fits: Callable[[str], bool]) -> str | None:
        """Return the next name or, after the last one, the next word that fits."""
        for store in (self.names, self.words):
            for text in store:
                if fits(text):
                    store.remove(text)
                    return text
        return None

    def take_number(self, fits: Callable[[float], bool]) -> float | None:
        """Return the next number that fits."""
        for number in self.numbers:
            if fits(number):
                self.numbers.remove(number)
                return number
        return None
