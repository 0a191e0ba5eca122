"""Turns with their versions and branches: a tree of slots of which one path is on show.

A slot holds one turn, in one or several versions. A cell that is run again puts a new version into its
slot, and what follows stays. A prompt that is asked in other words starts a branch: a slot beside the
first one, with followers of its own. The path runs from the root through the chosen slot of each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cbai_notebook.conversation.turn import Turn


@dataclass(eq=False)
class Slot:
    """A place for a turn.

    Attributes:
        parent: The slot before it; ``None`` for the root, which holds no turn.
        versions: The turn, and those that it has replaced, oldest first.
        active: Which version is on show.
        following: The slots that may come next, oldest first.
        chosen: The one of them that does; ``None`` where the path ends.
        id: The slot's number in the store, where it is stored.
    """

    parent: Slot | None
    versions: list[Turn] = field(default_factory=list)
    active: int = 0
    following: list[Slot] = field(default_factory=list)
    chosen: Slot | None = None
    id: int | None = None

    @property
    def turn(self) -> Turn:
        """The version on show."""
        return self.versions[self.active]

    @property
    def is_chosen(self) -> bool:
        """Whether the slot before it leads here."""
        return self.parent is not None and self.parent.chosen is self


class TurnTree:
    """Slots of turns. Nothing here is safe to use from several threads at once."""

    def __init__(self) -> None:
        self._root = Slot(None)
        self._home: dict[Turn, Slot] = {}
        self._path: list[Slot] = []

    def __contains__(self, turn: Turn) -> bool:
        return turn in self._home

    def slot(self, turn: Turn) -> Slot:
        """Return where a turn stands, on show or not."""
        return self._home[turn]

    def slots(self) -> Iterator[Slot]:
        """Yield every slot, each behind the one before it."""
        waiting = list(reversed(self._root.following))
        while waiting:
            slot = waiting.pop()
            yield slot
            waiting += reversed(slot.following)

    def path(self, before: Turn | None = None) -> list[Turn]:
        """Return the turns on show, up to but without the slot of `before`, which need not be on show."""
        if before is None:
            return [slot.turn for slot in self._path]
        slot = self._home[before].parent
        turns = []
        while slot is not None and slot is not self._root:
            turns.append(slot.turn)
            slot = slot.parent
        return turns[::-1]

    @property
    def last(self) -> Turn | None:
        """The turn at the end of the path."""
        return self._path[-1].turn if self._path else None

    def append(self, turn: Turn) -> Slot:
        """Put a turn at the end of the path."""
        return self._join(self._path[-1] if self._path else self._root, turn)

    def add_branch(self, turn: Turn, other: Turn) -> Slot:
        """Begin a branch beside another turn, and choose it."""
        parent = self._home[other].parent
        assert parent is not None
        slot = self._join(parent, turn)
        self._trace()
        return slot

    def add_version(self, turn: Turn, old: Turn) -> Slot:
        """Put a turn in the place of another one, which is kept as an older version."""
        slot = self._home[old]
        slot.versions.append(turn)
        slot.active = len(slot.versions) - 1
        self._home[turn] = slot
        return slot

    def replace(self, old: Turn, new: Turn) -> Slot:
        """Put a turn in the place of another one, which is forgotten."""
        slot = self._home.pop(old)
        slot.versions.remove(old)
        slot.versions.append(new)
        slot.active = len(slot.versions) - 1
        self._home[new] = slot
        self.reveal(slot)
        return slot

    def insert(self, slot: Slot, *, chosen: bool) -> None:
        """Put a slot with its versions under its parent; for a tree that is built from what was stored."""
        parent = slot.parent or self._root
        slot.parent = parent
        parent.following.append(slot)
        if chosen:
            parent.chosen = slot
        self._home.update(dict.fromkeys(slot.versions, slot))

    def finish_loading(self) -> None:
        """Find the path anew, after slots were inserted."""
        self._trace()

    def siblings(self, turn: Turn) -> tuple[Turn, ...]:
        """Return all that could stand in a turn's place: its versions and those of the slots beside it."""
        slot = self._home.get(turn)
        if slot is None or slot.parent is None:
            return (turn,)
        return tuple(version for each in slot.parent.following for version in each.versions)

    def around(self, slot: Slot) -> list[Slot]:
        """Return the slots of which one is chosen where a slot stands, or stood until it was removed."""
        assert slot.parent is not None
        return list(slot.parent.following)

    def after(self, turn: Turn) -> list[Turn]:
        """Return every turn on show in the slots that come after a turn's, on all branches."""
        waiting, found = list(self._home[turn].following), []
        while waiting:
            slot = waiting.pop()
            found.append(slot.turn)
            waiting += slot.following
        return found

    def choose(self, turn: Turn) -> None:
        """Put a turn on the path, and what last followed it."""
        slot = self._home[turn]
        slot.active = slot.versions.index(turn)
        self.reveal(slot)

    def reveal(self, slot: Slot) -> None:
        """Let the path lead through a slot."""
        while slot.parent is not None:
            slot.parent.chosen = slot
            slot = slot.parent
        self._trace()

    def begin_again(self) -> None:
        """Let the path end at the root; what stood there is a branch."""
        self._root.chosen = None
        self._trace()

    def remove(self, turn: Turn) -> list[Turn]:
        """Forget a turn, and return all that is gone with it.

        An older version shows again. What follows a lone turn moves up. A branch goes with what
        follows it, and the branch before it is chosen.
        """
        slot = self._home[turn]
        parent = slot.parent
        assert parent is not None
        if len(slot.versions) > 1:
            index = slot.versions.index(turn)
            del slot.versions[index], self._home[turn]
            slot.active = max(0, slot.active - (index <= slot.active))
            return [turn]
        index = parent.following.index(slot)
        if len(parent.following) > 1:
            gone = self._forget(slot)
            del parent.following[index]
            if parent.chosen is slot:
                parent.chosen = parent.following[max(0, index - 1)]
        else:
            gone, slot.versions = [turn], []
            del self._home[turn]
            parent.following = slot.following
            parent.chosen = slot.chosen if parent.chosen is slot else None
            for following in slot.following:
                following.parent = parent
        self._trace()
        return gone

    def clear(self) -> list[Turn]:
        """Forget every turn, and return them."""
        gone = list(self._home)
        for slot in self._home.values():
            slot.versions = []
        self._root, self._home, self._path = Slot(None), {}, []
        return gone

    def _join(self, parent: Slot, turn: Turn) -> Slot:
        slot = Slot(parent, [turn])
        parent.following.append(slot)
        parent.chosen = slot
        self._home[turn] = slot
        self._path.append(slot)
        return slot

    def _forget(self, slot: Slot) -> list[Turn]:
        waiting, gone = [slot], []
        while waiting:
            each = waiting.pop()
            gone += each.versions
            waiting += each.following
            each.versions = []
        for turn in gone:
            del self._home[turn]
        return gone

    def _trace(self) -> None:
        self._path = []
        slot = self._root.chosen
        while slot is not None:
            self._path.append(slot)
            slot = slot.chosen
