"""Undo takes the turn that was added last, whatever the clock said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cbai_notebook.conversation import Conversation, Turn
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import NOW, conversation, prompts, turn


def turn_at(prompt: str, days: int) -> Turn:
    made = turn(prompt, "yes")
    made.created_at = NOW + timedelta(days=days)
    return made


@pytest.fixture(params=["detached", "in memory", "on disk", "on disk, restarted"])
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Conversation:
    """A conversation whose clock ran ahead and was set back; the second turn was asked again."""
    file = tmp_path / "history.sqlite" if "disk" in request.param else None
    made = conversation() if request.param == "detached" else open_registry(file).get("talk")
    made.open(turn_at("first", 900)).wait(30)
    made.open(second := turn_at("second", 500)).wait(30)
    made.open(turn_at("third", 0)).wait(30)
    made.open(turn_at("second again", -300), replaces=second).wait(30)
    return open_registry(file).get("talk") if "restarted" in request.param else made


def test_the_clock_does_not_matter(talk: Conversation) -> None:
    left = []
    while talk.undo():
        left.append(prompts(talk))
    assert left == [["first", "second", "third"], ["first", "second"], ["first"], []]


@pytest.mark.parametrize("stored", [False, True])
def test_what_was_before_a_reset_does_not_come_back(stored: bool, tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite" if stored else None
    talk = open_registry(file).get("talk")
    talk.open(turn("old", "1")).wait(30)
    talk.reset()
    talk.open(new := turn("new", "2")).wait(30)
    talk.open(turn("new again", "3"), replaces=new).wait(30)
    talk.open(turn("edited", "4"), branch_of=talk.turns[0]).wait(30)
    if stored:
        talk = open_registry(file).get("talk")
    left = []
    while talk.undo():
        left.append(prompts(talk))
    assert left == [["new again"], ["new"], []]
    talk.open(last := turn("last", "5")).wait(30)
    assert [each.prompt for each in talk.alternatives(last)] == ["old", "last"], "it is kept"
    assert talk.undo() is last
    assert prompts(talk) == []


def test_imported_turns_were_added_last(talk: Conversation) -> None:
    talk.extend([turn_at("imported", -9000), turn_at("and this", -9001)])
    assert talk.undo()
    assert prompts(talk) == ["first", "second again", "third", "imported"]


def test_turns_that_wait_for_the_disk_keep_their_order(tmp_path: Path) -> None:
    file, aside = tmp_path / "history.sqlite", tmp_path / "aside"
    talk = open_registry(file).get("talk")
    talk.open(first := turn_at("first", 0)).wait(30)
    file.rename(aside)
    talk.open(turn_at("second", -1)).wait(30)
    talk.open(turn_at("first again", -2), replaces=first).wait(30)
    assert talk.not_stored
    aside.rename(file)
    talk.open(turn_at("third", -3)).wait(30)
    assert not talk.not_stored
    again = open_registry(file).get("talk")
    left = []
    while again.undo():
        left.append(prompts(again))
    assert left == [["first again", "second"], ["first", "second"], ["first"], []]


def test_what_another_kernel_added_counts_too(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    here, there = (open_registry(file).get("talk") for _ in range(2))
    here.open(turn_at("here", 0)).wait(30)
    there.refresh()
    there.open(turn_at("there", -5)).wait(30)
    assert here.undo()
    assert prompts(here) == ["here"]
