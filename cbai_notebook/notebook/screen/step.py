"""One step of an answer: what the model thought, what it said, and the tools that it then called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cbai_notebook.notebook.screen.bodies import Part
from cbai_notebook.notebook.screen.calls import Calls
from cbai_notebook.notebook.screen.reasoning import Reasoning
from cbai_notebook.notebook.screen.surfaces import Bundle


class Step:
    """The source of all that is painted of a step.

    An answer that calls no tools is one step. What comes after the calls of a step belongs to the next.
    """

    def __init__(self) -> None:
        self.reasoning = Reasoning()
        self.text: list[str] = []
        self.calls = Calls()

    @property
    def source(self) -> str:
        """The text so far."""
        return "".join(self.text)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to read in the text."""
        return any(text.strip() for text in self.text)

    def end(self, now: float) -> None:
        """Note that nothing more comes, at `now` (seconds)."""
        self.reasoning.end(now)
        self.calls.end()


class Aside(Protocol):
    """What stands beside the text and may be painted again: a fold of reasoning, lines of calls."""

    def __len__(self) -> int:
        """Return 0 when there is nothing to show."""

    @property
    def html(self) -> str:
        """How it looks now, as safe markup."""

    @property
    def plain(self) -> str:
        """What a reader without markup sees of it, which may be nothing."""


class _Asides:
    def bundle(self, parts: Sequence[Part]) -> Bundle:
        bundle = {"text/html": "".join(part.html for part in parts)}
        if plain := "\n".join(part.source for part in parts if part.source):
            bundle["text/plain"] = plain
        return bundle


ASIDE = _Asides()
"""Makes outputs of what stands beside the text, as a body makes them of the text."""
