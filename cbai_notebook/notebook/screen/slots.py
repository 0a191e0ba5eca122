"""Which part of an answer stands in which output, so that there are never too many outputs."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.notebook.screen.bodies import Part

FREE = 3 / 4
"""The share of the outputs that go to one part each, however small it is."""

SHARE = 4
"""Of the others, the last one is filled up until it holds this part of the answer: a fourth."""


class Slots:
    """Sealed parts, spread over outputs.

    Args:
        most: Outputs for sealed parts at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = int(most * FREE)
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
        if len(self._starts) < self._free:
            return True
        return len(self._starts) < self._most and self._last_chars >= self._total / SHARE
