"""The protocol of a body, and code shared by all formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cbai_notebook.notebook.screen.surfaces import Bundle

SEAL_CHARS = 1500
SEAL_SHARE = 3 / 8
"""A tail of ``max(SEAL_CHARS, total / (max_outputs * SEAL_SHARE))`` characters is sealed."""


@dataclass(frozen=True)
class Part:
    """A part of the answer: its source and its markup."""

    source: str
    html: str


@dataclass(frozen=True)
class Ending:
    """The end of an answer.

    Attributes:
        parts: The last parts, which were not sealed before.
        changed: Sealed parts whose markup is different now, by their number.
        note: A sentence for the reader about the format of the answer.
    """

    parts: Sequence[Part]
    changed: Mapping[int, Part] = field(default_factory=dict)
    note: str = ""


class Body(Protocol):
    """An answer in one format."""

    def feed(self, text: str) -> None:
        """Append text to the answer."""

    def take_sealed(self) -> Sequence[Part]:
        """Seal the parts that can no longer change; return each once. Call it between paints."""

    @property
    def open_chars(self) -> int:
        """Number of characters that :meth:`tail_html` renders."""

    def tail_html(self) -> str:
        """Return the markup after the sealed parts; empty when there is nothing to see."""

    def finish(self, complete: bool) -> Ending:
        """Return the rest of the answer; call once.

        Args:
            complete: Whether the answer is complete, so that a wrong format is worth a note.
        """

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return the answer as one output, and a sentence about its format, which may be empty.

        Call it once, instead of :meth:`finish`.
        """

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return consecutive parts as one output in all its MIME types."""


class LineSealer:
    """Seal text in complete lines.

    Args:
        max_outputs: The maximum number of outputs for the parts.
    """

    def __init__(self, max_outputs: int) -> None:
        self._share = max_outputs * SEAL_SHARE
        self.tail = ""
        self._total = 0

    def feed(self, text: str) -> None:
        """Append text."""
        self.tail += text
        self._total += len(text)

    def take(self) -> str:
        """Remove the lines to seal now from the tail, and return them; may be empty."""
        if len(self.tail) < max(SEAL_CHARS, self._total / self._share):
            return ""
        end = self.tail.rfind("\n") + 1
        sealed, self.tail = self.tail[:end], self.tail[end:]
        return sealed


def joined_source(parts: Sequence[Part]) -> str:
    """Return the source of consecutive parts."""
    return "".join(part.source for part in parts)


def joined_html(parts: Sequence[Part]) -> str:
    """Return the markup of consecutive parts."""
    return "".join(part.html for part in parts)
