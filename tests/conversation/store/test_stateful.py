"""A conversation behaves like a simple model, and the disk has the same turns as memory."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store
from tests.conversation.store.registry import open_registry

START = datetime(2026, 11, 25, tzinfo=timezone.utc)
ENDS = ("complete", "complete", "partial", "cancelled", "failed")
words = st.text(
    st.one_of(st.sampled_from("ab 你\0\ud83d\ude00é\n"), st.characters(codec=None)), max_size=6
)
picks = st.integers(0, 1000)


def utf8(text: str) -> str:
    """Return the text as it can be encoded as UTF-8."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(eq=False)
class Said:
    """A turn in the model, identified by the time of its prompt."""

    at: datetime
    prompt: str
    text: str
    status: str
    cell: str | None
    stale: bool = False

    def facts(self) -> tuple[Any, ...]:
        return self.at, utf8(self.prompt), utf8(self.text), self.status, self.cell, self.stale


@dataclass(eq=False)
class Place:
    """A slot in the model: its versions, the active one, and its children."""

    parent: Place | None
    versions: list[Said]
    active: int = 0
    following: list[Place] = field(default_factory=list)
    chosen: Place | None = None
    after_reset: bool = False

    @property
    def said(self) -> Said:
        return self.versions[self.active]

    def put_last(self, said: Said) -> None:
        self.versions.append(said)
        self.active = len(self.versions) - 1

    def make_later_stale(self) -> None:
        for each in self.following:
            each.said.stale = True
            each.make_later_stale()

    def beside(self) -> list[Place]:
        assert self.parent is not None
        return self.parent.following


WAIT_S = 30
PAUSE_S = 0.01


class Life(RuleBasedStateMachine):
    """Ask, run again, branch, delete, fork and reopen, in any order, also without a disk."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "history.sqlite"
        self.clock = START
        self.root = Place(None, [])
        self.aside = self.file.with_name("aside.sqlite")
        self.forks = 0
        self.has_said = self.is_lost = False
        self.open()

    def open(self) -> None:
        self.store = Store(self.file)
        self.registry = ConversationRegistry(self.store, None)
        self.talk = self.registry.get("talk")

    def teardown(self) -> None:
        if self.is_lost:
            self.find_the_disk()
        # Else its thread makes files while the folder is deleted.
        self.finish_writing()
        self.store.close()
        self.folder.cleanup()

    def finish_writing(self) -> None:
        """Wait until the writer, which tries again now and then, has written everything."""
        for _ in range(int(WAIT_S / PAUSE_S)):
            if self.store.writer.finish(WAIT_S):
                return
            time.sleep(PAUSE_S)

    @property
    def is_stored(self) -> bool:
        return self.talk.not_stored == "" and not self.is_lost

    def path(self) -> list[Place]:
        found, place = [], self.root.chosen
        while place is not None:
            found.append(place)
            place = place.chosen
        return found

    def pick(self, number: int) -> tuple[Place, Turn]:
        path = self.path()
        index = number % len(path)
        return path[index], self.talk.turns[index]

    def say(self, prompt: str, text: str, end: str, cell: str | None = None, **where: Any) -> Said:
        self.clock += timedelta(seconds=1)
        turn = Turn(prompt, self.clock, cell_id=cell)
        self.talk.open(turn, **where)
        self.talk.grow(turn, text, "")
        self.talk.checkpoint(turn)
        self.talk.close(turn, end).wait(30)
        self.has_said = True
        return Said(self.clock, prompt, text, end, cell)

    def asked_again(self, place: Place, said: Said) -> bool:
        """Replace a failed turn when the same prompt is asked again; return whether it was."""
        old = place.said
        again = old.status in ("failed", "cancelled") and not old.text and old.prompt == said.prompt
        if again:
            del place.versions[place.active]
            place.put_last(said)
        return again

    def add(self, parent: Place, said: Said, *, after_reset: bool = False) -> None:
        parent.chosen = Place(parent, [said], after_reset=after_reset)
        parent.following.append(parent.chosen)

    # What can happen

    @rule(prompt=words, text=words, end=st.sampled_from(ENDS))
    def ask(self, prompt: str, text: str, end: str) -> None:
        said, path = self.say(prompt, text, end), self.path()
        if not path or not self.asked_again(path[-1], said):
            parent = path[-1] if path else self.root
            self.add(parent, said, after_reset=bool(parent.following))

    @precondition(lambda self: self.path())
    @rule(number=picks, text=words, end=st.sampled_from(ENDS), other=st.booleans())
    def run_a_cell_again(self, number: int, text: str, end: str, other: bool) -> None:
        place, old = self.pick(number)
        prompt = place.said.prompt + ("!" if other else "")
        said = self.say(prompt, text, end, "cell", replaces=old)
        if not self.asked_again(place, said):
            place.put_last(said)
            place.make_later_stale()

    @precondition(lambda self: self.path())
    @rule(number=picks, prompt=words, text=words)
    def ask_beside(self, number: int, prompt: str, text: str) -> None:
        place, old = self.pick(number)
        said = self.say(prompt, text, "complete", branch_of=old)
        if not self.asked_again(place, said):
            assert place.parent is not None
            self.add(place.parent, said)

    @precondition(lambda self: self.path())
    @rule(number=picks, other=picks)
    def choose(self, number: int, other: int) -> None:
        place, turn = self.pick(number)
        choices = [(each, n) for each in place.beside() for n in range(len(each.versions))]
        chosen, version = choices[other % len(choices)]
        if chosen.active != version:
            chosen.active = version
            chosen.make_later_stale()
        assert place.parent is not None
        place.parent.chosen = chosen
        self.talk.choose(self.talk.alternatives(turn)[other % len(choices)])

    @precondition(lambda self: self.path())
    @rule(number=picks)
    def delete(self, number: int) -> None:
        place, turn = self.pick(number)
        self.forget(place)
        self.talk.delete(turn)

    def forget(self, place: Place) -> None:
        parent, beside = place.parent, place.beside()
        assert parent is not None
        if len(place.versions) > 1:
            del place.versions[place.active]
            place.active = max(0, place.active - 1)
        elif len(beside) > 1:
            index = beside.index(place)
            del beside[index]
            parent.chosen = None if place.after_reset else beside[max(0, index - 1)]
        else:
            parent.following, parent.chosen = place.following, place.chosen
            for each in place.following:
                each.parent = parent

    @rule()
    def undo(self) -> None:
        if path := self.path():
            self.forget(max(path, key=lambda place: place.said.at))
        self.talk.undo()

    @rule()
    def reset(self) -> None:
        self.root.chosen = None
        self.talk.reset()

    # What may follow depends on the model alone: what the writer's thread has done so far would
    # differ when the same life is played again.

    @precondition(lambda self: self.has_said and not self.is_lost)
    @rule()
    def lose_the_disk(self) -> None:
        self.finish_writing()
        self.file.rename(self.aside)
        self.is_lost = True

    @precondition(lambda self: self.is_lost)
    @rule()
    def find_the_disk(self) -> None:
        self.aside.rename(self.file)
        self.is_lost = False

    @precondition(lambda self: not self.is_lost)
    @rule()
    def fork(self) -> None:
        """A fork has the turns on the active path and no others."""
        self.finish_writing()
        self.forks += 1
        made = self.registry.fork(self.talk, f"fork {self.forks}", None)
        again = open_registry(self.file).get(made.name)
        assert facts(again) == facts(made) == facts(self.talk)
        assert all(len(again.alternatives(turn)) == 1 for turn in again.turns)

    @precondition(lambda self: not self.is_lost)
    @rule()
    def restart(self) -> None:
        """Start a new kernel."""
        self.finish_writing()
        self.store.close()
        self.open()

    # What must hold

    @invariant()
    def the_conversation_is_as_the_model_says(self) -> None:
        self.check(self.talk)

    @invariant()
    def what_is_not_stored_is_said(self) -> None:
        assert self.talk.not_stored == "" or "moved or deleted" in self.talk.not_stored

    @precondition(lambda self: self.is_stored)
    @invariant()
    def the_disk_says_the_same(self) -> None:
        store = Store(self.file)
        self.check(ConversationRegistry(store, None).get("talk"))
        store.close()

    def check(self, talk: Conversation) -> None:
        path = self.path()
        assert facts(talk) == [place.said.facts() for place in path]
        for place, turn in zip(path, talk.turns, strict=True):
            beside = [said.at for each in place.beside() for said in each.versions]
            assert [each.created_at for each in talk.alternatives(turn)] == beside


def facts(talk: Conversation) -> list[tuple[Any, ...]]:
    return [
        (each.created_at, utf8(each.prompt), utf8(each.text), each.status, each.cell_id, each.stale)
        for each in talk.turns
    ]


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=100,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
