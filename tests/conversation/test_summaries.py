"""The summary of a conversation is the same on disk and in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbai_notebook.conversation import Turn, chat, keep_history
from cbai_notebook.conversation.history import summaries
from tests.conversation.turns import NOW, turn


def turn_at(minute: int) -> Turn:
    made = turn(f"asked at {minute}", "yes")
    made.created_at = NOW + timedelta(minutes=minute)
    return made


def turns_and_last(name: str) -> tuple[int, datetime | None]:
    (one,) = (each for each in summaries() if each.name == name)
    return one.turns, one.last


@pytest.mark.parametrize("place", ["disk", "memory"])
def test_turns_are_those_on_show(place: str, tmp_path: Path) -> None:
    keep_history(tmp_path / "history.sqlite" if place == "disk" else "off")
    try:
        plain, branched, begun_again = (chat(f"{kind} in {place}") for kind in "pbn")
        for minute in range(3):
            for talk in (plain, branched, begun_again):
                talk.open(turn_at(minute)).wait(30)
        first, second, _ = branched.turns
        branched.open(turn_at(3), branch_of=second).wait(30)
        branched.open(turn_at(4), replaces=first).wait(30)
        begun_again.reset()
        assert turns_and_last(plain.name) == (3, NOW + timedelta(minutes=2))
        assert turns_and_last(branched.name) == (2, NOW + timedelta(minutes=4))
        assert turns_and_last(begun_again.name) == (0, NOW + timedelta(minutes=2))
        branched.choose(second)
        assert turns_and_last(branched.name) == (3, NOW + timedelta(minutes=4))
        for talk in (plain, branched, begun_again):
            assert turns_and_last(talk.name)[0] == len(talk.turns)
            talk.forget()
    finally:
        keep_history(None)
