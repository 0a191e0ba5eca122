"""What every form of an answer has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cbai_notebook.notebook.screen.surfaces import Bundle

SEAL_CHARS = 1500
SEAL_SHARE = 3 / 8
"""Text is sealed once the open tail has ``max(SEAL_CHARS, total / (max_outputs * SEAL_SHARE))`` characters."""


@dataclass(frozen=True)
class Part:
    """A stretch of the answer: its source and what it looks like."""

    source: str
    html: str


@dataclass(frozen=True)
class Ending:
    """How an answer ends.

    Attributes:
        parts: The last parts, not given off before.
        changed: Parts given off before that look different now, by their number.
        note: A sentence for the reader about the form of the answer.
    """

    parts: Sequence[Part]
    changed: Mapping[int, Part] = field(default_factory=dict)
    note: str = ""


class Body(Protocol):
    """An answer in one form."""

    def feed(self, text: str) -> None:
        """Take more of the answer."""

    def take_sealed(self) -> Sequence[Part]:
        """Return the parts that can no longer change, each once; call between paints."""

    @property
    def open_chars(self) -> int:
        """Characters that :meth:`tail_html` stands for."""

    def tail_html(self) -> str:
        """Return what follows the sealed parts, or an empty string when there is nothing to see."""

    def finish(self, complete: bool) -> Ending:
        """Return the rest of the answer; call once.

        Args:
            complete: Whether the whole answer came, so that a wrong form is worth a word.
        """

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output, and a sentence about its form or an empty string.

        Called once, instead of :meth:`finish`.
        """

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return parts that follow each other as one output in all its forms."""


class LineSealer:
    """Text that is sealed in whole lines.

    Args:
        max_outputs: How many outputs its parts may have.
    """

    def __init__(self, max_outputs: int) -> None:
        self._share = max_outputs * SEAL_SHARE
        self.tail = ""
        self._total = 0

    def feed(self, text: str) -> None:
        """Take more text."""
        self.tail += text
        self._total += len(text)

    def take(self) -> str:
        """Return the lines to seal now, or an empty string."""
        if len(self.tail) < max(SEAL_CHARS, self._total / self._share):
            return ""
        end = self.tail.rfind("\n") + 1
        sealed, self.tail = self.tail[:end], self.tail[end:]
        return sealed


def joined_source(parts: Sequence[Part]) -> str:
    """Return the source of parts that follow each other."""
    return "".join(part.source for part in parts)


def joined_html(parts: Sequence[Part]) -> str:
    """Return the markup of parts that follow each other."""
    return "".join(part.html for part in parts)
