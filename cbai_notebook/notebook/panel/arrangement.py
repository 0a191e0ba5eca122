"""Which turns stand in which output of the transcript, so that a new turn changes few of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cbai_notebook.conversation import Turn
from cbai_notebook.notebook.panel.transcript import MAX_TURNS, Part

PART_TURNS = 20
"""The most turns of a part that may still grow."""

PART_BYTES = 24_000
"""A part of this size does not grow any more."""

RECENT_TURNS = 5
"""Turns of a long conversation that stand in a part of their own, so that this part can grow."""

FEW_TURNS = 9
"""Full parts with no more turns, as long answers make them, are joined."""

JOINED_TURNS = 10
"""Parts are joined when they have so many turns together."""

GAP = 5
"""So many empty outputs, which turns have left that are too old, let the part below them move up."""

YOUNG_TURNS = 3
"""While the last part has no more turns, it is small, and another part may move."""


class Arrangement:
    """Divides the newest turns of a conversation among a limited number of outputs.

    Turns are added to the last part until it is full; then another part begins. Where old turns have
    left empty outputs, one part a time moves up, so that there is always another output at the end.

    Args:
        outputs: The number of outputs.
        size: Returns the bytes of a part.
        shown_size: Returns the bytes that an output has now.

    Attributes:
        parts: The parts by the numbers of their outputs, in order. Other outputs are empty.
    """

    def __init__(
        self, outputs: int, size: Callable[[Part], int], shown_size: Callable[[int], int]
    ) -> None:
        self._outputs = outputs
        self._size = size
        self._shown_size = shown_size
        self.parts: dict[int, Part] = {}

    @property
    def first(self) -> int:
        """The number of turns before the first part."""
        return next(iter(self.parts.values())).first if self.parts else 0

    @property
    def last_output(self) -> int:
        """The number of the last output with a part; -1 if there is none."""
        return max(self.parts, default=-1)

    def update(self, turns: Sequence[Turn]) -> None:
        """Divide the turns of the conversation, with as few changes as possible."""
        kept: dict[int, Part] = {}
        for output, part in self.parts.items():
            if tuple(turns[part.first : part.end]) != part.turns:
                break
            kept[output] = part
        last = max(kept, default=-1)
        if last < 0 or not kept[last].turns:
            self._begin(turns)
            return
        start = kept[last].end
        if len(kept[last].turns) < PART_TURNS and self._shown_size(last) <= PART_BYTES:
            start = kept.pop(last).first
            last -= 1
        rest = tuple(turns[start:])
        if len(rest) > PART_TURNS or last + 1 >= self._outputs:
            self._begin(turns)
            return
        if rest:
            kept[last + 1] = Part(start, rest)
        self.parts = kept
        self._leave_out_old_turns(len(turns))
        self._join_short_parts()
        if len(rest) <= YOUNG_TURNS:
            self._move_a_part()

    def _begin(self, turns: Sequence[Turn]) -> None:
        first = max(0, len(turns) - MAX_TURNS)
        whole = Part(first, tuple(turns[first:]))
        if len(whole.turns) <= PART_TURNS and self._size(whole) <= PART_BYTES:
            self.parts = {0: whole}
            return
        recent = RECENT_TURNS
        while recent > 1 and self._size(Part(0, tuple(turns[-recent:]))) > PART_BYTES:
            recent -= 1
        end = len(turns) - recent
        parts = (Part(first, tuple(turns[first:end])), Part(end, tuple(turns[end:])))
        self.parts = dict(enumerate(part for part in parts if part.turns))

    def _leave_out_old_turns(self, count: int) -> None:
        while len(self.parts) > 1:
            oldest, second = list(self.parts)[:2]
            if count - self.parts[second].first < MAX_TURNS:
                return
            del self.parts[oldest]

    def _join_short_parts(self) -> None:
        *full, last = self.parts
        turns: tuple[Turn, ...] = ()
        for output in reversed(full):
            part = self.parts[output]
            if len(part.turns) > FEW_TURNS:
                return
            turns = part.turns + turns
            if len(turns) >= JOINED_TURNS:
                kept = {above: self.parts[above] for above in full if above < output}
                joined = Part(part.first, turns)
                self.parts = {**kept, output: joined, output + 1: self.parts[last]}
                return

    def _move_a_part(self) -> None:
        """Move the part below a large gap up; the last such part, so that all parts get their turn."""
        above = -1
        moved = None
        for output in self.parts:
            if output - above > GAP:
                moved = (output, above + 1)
            above = output
        if moved:
            output, to = moved
            self.parts[to] = self.parts.pop(output)
            self.parts = dict(sorted(self.parts.items()))
