"""Which part of an answer stands in which output, so that there are never too many outputs."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.notebook.screen.bodies import Part

FREE = 30
"""Parts that get an output of their own, however small they are."""

MOST = 40
"""Outputs for sealed parts at most. JupyterLab hides what comes after the fiftieth output of a cell."""

SHARE = 4
"""Between the two, the last output is filled up until it holds this share of the answer."""


class Slots:
    """Sealed parts, spread over outputs."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._starts: list[int] = []
        self._last_chars = 0
        self._total = 0

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def chars(self) -> int:
        """Characters in all parts."""
        return self._total

    def add(self, part: Part) -> int:
        """Place a part; return the number of its output."""
        size = len(part.source)
        if self._has_room_for_another():
            self._starts.append(len(self.parts))
            self._last_chars = 0
        self.parts.append(part)
        self._last_chars += size
        self._total += size
        return len(self._starts) - 1

    def change(self, number: int, part: Part) -> int:
        """Put another part in the place of part `number`; return the number of its output."""
        self.parts[number] = part
        return max(slot for slot, start in enumerate(self._starts) if start <= number)

    def held(self, slot: int) -> Sequence[Part]:
        """Return the parts that stand in an output."""
        ends = [*self._starts[1:], len(self.parts)]
        return self.parts[self._starts[slot] : ends[slot]]

    def _has_room_for_another(self) -> bool:
        if len(self._starts) < FREE:
            return True
        return len(self._starts) < MOST and self._last_chars >= self._total / SHARE
