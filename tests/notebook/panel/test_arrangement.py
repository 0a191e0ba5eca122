"""The parts of the transcript: all newest turns are there, in order, and a new turn changes little."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cbai_notebook.conversation import Turn
from cbai_notebook.notebook.panel.arrangement import (
    JOINED_TURNS,
    PART_BYTES,
    PART_TURNS,
    Arrangement,
)
from cbai_notebook.notebook.panel.transcript import MAX_TURNS, Part
from tests.conversation.turns import turn

OUTPUTS = 40


@dataclass
class Transcript:
    """A transcript of turns whose answers all have one size."""

    answer_bytes: int

    def __post_init__(self) -> None:
        self.turns: list[Turn] = []
        self._arrangement = Arrangement(
            OUTPUTS, self._size, lambda output: self._size(self.parts[output])
        )

    @property
    def parts(self) -> dict[int, Part]:
        return self._arrangement.parts

    def _size(self, part: Part) -> int:
        return self.answer_bytes * len(part.turns)

    def add(self, count: int = 1) -> int:
        """Add turns; return the bytes of the outputs that this changes."""
        before = dict(self.parts)
        self.turns += [turn(str(len(self.turns) + number), "") for number in range(count)]
        self._arrangement.update(tuple(self.turns))
        changed = [part for output, part in self.parts.items() if part != before.get(output)]
        return sum(map(self._size, changed))

    def shown(self) -> list[Turn]:
        """The turns in the order of the outputs."""
        return [turn for output in sorted(self.parts) for turn in self.parts[output].turns]


@pytest.mark.parametrize("answer_bytes", [300, 2_200, 2_400, 4_000, 9_000, 30_000])
@pytest.mark.parametrize("present", [0, 100, 3_000])
def test_all_of_the_newest_turns_are_there_in_order(answer_bytes: int, present: int) -> None:
    transcript = Transcript(answer_bytes)
    transcript.add(present)
    for _ in range(1_500):
        transcript.add()
        shown = transcript.shown()
        assert shown == transcript.turns[-len(shown) :]
        assert len(shown) >= min(MAX_TURNS, len(transcript.turns))
        assert max(transcript.parts) < OUTPUTS
        assert list(transcript.parts) == sorted(transcript.parts)


@pytest.mark.parametrize("present", [100, 3_000])
def test_a_turn_of_ordinary_length_never_writes_all_again(present: int) -> None:
    transcript = Transcript(2_000)
    transcript.add(present)
    costs = [transcript.add() for _ in range(3_000)]
    assert max(costs) <= PART_BYTES + 5 * transcript.answer_bytes
    # The last part is half full on average; moving adds less than that again.
    assert sum(costs) / len(costs) <= 0.9 * PART_BYTES


def test_long_answers_are_written_only_a_few_times() -> None:
    transcript = Transcript(30_000)
    transcript.add(3_000)
    costs = [transcript.add() for _ in range(3_000)]
    assert max(costs) <= 2.2 * JOINED_TURNS * transcript.answer_bytes
    assert sum(costs) / len(costs) <= 10 * transcript.answer_bytes


def test_turns_that_are_taken_away_leave_no_part_behind() -> None:
    transcript = Transcript(2_000)
    transcript.add(100)
    for _ in range(50):
        transcript.add()
    del transcript.turns[120:]
    transcript.add()
    assert transcript.shown() == transcript.turns
    del transcript.turns[:]
    transcript.add(0)
    assert transcript.shown() == []
    transcript.add(PART_TURNS)
    assert transcript.shown() == transcript.turns
