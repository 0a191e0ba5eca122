"""The tree of turns with versions and branches. One path in it is the active path.

A slot holds one turn, in one or several versions. A cell that runs again adds a new version to its
slot; the slots after it stay. An edited prompt begins a branch: a sibling slot with its own
children. The active path goes from the root to the chosen child of each slot.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from cbai_notebook.conversation.turn import CANCELLED, FAILED, PARTIAL, Turn


@dataclass(eq=False)
class Slot:
    """A node of the tree: one place for a turn.

    Attributes:
        parent: The slot before this one; ``None`` for the root, which holds no turn.
        versions: The versions of the turn, oldest first.
        active: The index of the active version.
        children: The slots that may come next, oldest first.
        chosen: The child on the path; ``None`` where the path ends.
        after_reset: Whether it began an empty path, beside the turns before a reset. Its removal
            makes the path empty again.
        id: The id of the slot in the store; ``None`` if it is not stored.
    """

    parent: Slot | None
    versions: list[Turn] = field(default_factory=list)
    active: int = 0
    children: list[Slot] = field(default_factory=list)
    chosen: Slot | None = None
    after_reset: bool = False
    id: int | None = None

    @property
    def turn(self) -> Turn:
        """The active version."""
        return self.versions[self.active]

    @property
    def is_chosen(self) -> bool:
        """Whether this slot is the chosen child of its parent."""
        return self.parent is not None and self.parent.chosen is self


class TurnTree:
    """A tree of slots. It has no lock: use it from one thread at a time."""

    def __init__(self) -> None:
        self._root = Slot(None)
        self._slot_of: dict[Turn, Slot] = {}
        self._path: list[Slot] = []
        # The turns of the path; None after a change. They are read much more often than changed.
        self._path_turns: list[Turn] | None = None

    def __contains__(self, turn: Turn) -> bool:
        return turn in self._slot_of

    def slot(self, turn: Turn) -> Slot:
        """Return the slot of a turn, on the active path or not."""
        return self._slot_of[turn]

    def turns(self) -> list[Turn]:
        """Return every turn, on the active path or not, in the order in which they were added."""
        return list(self._slot_of)

    def added_last(self, turns: Container[Turn]) -> Turn | None:
        """Return the one of some turns that was added last; ``None`` if the tree has none of them."""
        return next((turn for turn in reversed(self._slot_of) if turn in turns), None)

    def slots(self) -> Iterator[Slot]:
        """Yield every slot, parents before children."""
        pending = list(reversed(self._root.children))
        while pending:
            slot = pending.pop()
            yield slot
            pending += reversed(slot.children)

    def path(self, before: Turn | None = None) -> list[Turn]:
        """Return the turns on the active path, or those before the slot of `before`."""
        if before is None:
            if self._path_turns is None:
                self._path_turns = [slot.turn for slot in self._path]
            return self._path_turns.copy()
        slot = self._slot_of[before].parent
        turns = []
        while slot is not None and slot is not self._root:
            turns.append(slot.turn)
            slot = slot.parent
        return turns[::-1]

    @property
    def last(self) -> Turn | None:
        """The turn at the end of the active path."""
        return self._path[-1].turn if self._path else None

    def repeated_by(self, turn: Turn, other: Turn | None = None) -> Turn | None:
        """Return the last turn, or `other`, if a new turn repeats it and it has no text of its own."""
        last = other or self.last
        if last is None or last.prompt != turn.prompt or len(last.text) != last.carried:
            return None
        # A continuation that failed: the answer that it continued is another version.
        continued = last.status in (PARTIAL, CANCELLED) and turn.carried >= last.carried
        failed = continued if last.carried else last.status in (FAILED, CANCELLED)
        return last if failed else None

    def append(self, turn: Turn) -> Slot:
        """Append a turn to the active path."""
        parent = self._path[-1] if self._path else self._root
        after_reset = bool(parent.children)  # none of them is on the path
        slot = self._add_slot(parent, turn)
        slot.after_reset = after_reset
        return slot

    def add_branch(self, turn: Turn, other: Turn) -> Slot:
        """Begin a branch next to another turn, and choose the branch."""
        parent = self._slot_of[other].parent
        assert parent is not None
        slot = self._add_slot(parent, turn)
        self._update_path()
        return slot

    def add_version(self, turn: Turn, old: Turn, *, activate: bool = True) -> Slot:
        """Add a turn as a version in the slot of another turn, which is kept.

        Args:
            turn: The new turn.
            old: The other turn.
            activate: Whether the new version becomes the active one.
        """
        slot = self._slot_of[old]
        slot.versions.append(turn)
        if activate:
            slot.active = len(slot.versions) - 1
        self._slot_of[turn] = slot
        self._path_turns = None
        return slot

    def replace(self, old: Turn, new: Turn) -> Slot:
        """Put a turn into the slot of another turn, which is removed."""
        slot = self._slot_of.pop(old)
        slot.versions.remove(old)
        slot.versions.append(new)
        slot.active = len(slot.versions) - 1
        self._slot_of[new] = slot
        self._activate(slot)
        return slot

    def insert(self, slot: Slot, *, chosen: bool) -> None:
        """Insert a slot with its versions under its parent, to build a tree from stored rows."""
        parent = slot.parent or self._root
        slot.parent = parent
        parent.children.append(slot)
        if chosen:
            parent.chosen = slot
        self._slot_of.update(dict.fromkeys(slot.versions, slot))

    def finish_loading(self) -> None:
        """Compute the active path and the order of the turns, after all slots were inserted."""
        # Ids grow. The times of the turns do not tell the order: a clock can be set back.
        in_order = sorted(self._slot_of.items(), key=lambda item: item[0].id or 0)
        self._slot_of = dict(in_order)
        self._update_path()

    def alternatives(self, turn: Turn) -> tuple[Turn, ...]:
        """Return all versions in a turn's slot and in its sibling slots."""
        slot = self._slot_of.get(turn)
        if slot is None or slot.parent is None:
            return (turn,)
        return tuple(version for sibling in slot.parent.children for version in sibling.versions)

    def sibling_slots(self, slot: Slot) -> list[Slot]:
        """Return a slot and its siblings; also works for a slot that was just removed."""
        assert slot.parent is not None
        return list(slot.parent.children)

    def later_turns(self, turn: Turn) -> list[Turn]:
        """Return the active versions in all slots below a turn's slot, on all branches."""
        pending, found = list(self._slot_of[turn].children), []
        while pending:
            slot = pending.pop()
            found.append(slot.turn)
            pending += slot.children
        return found

    def choose(self, turn: Turn) -> None:
        """Put a turn on the active path, with the turns that were last chosen after it."""
        slot = self._slot_of[turn]
        slot.active = slot.versions.index(turn)
        self._activate(slot)

    def _activate(self, slot: Slot) -> None:
        """Let the active path go through a slot."""
        while slot.parent is not None:
            slot.parent.chosen = slot
            slot = slot.parent
        self._update_path()

    def reset(self) -> None:
        """Make the active path empty; its turns become a branch."""
        self._root.chosen = None
        self._update_path()

    def remove(self, turn: Turn) -> list[Turn]:
        """Remove a turn, and return all removed turns.

        One version of several: only this version is removed; if it was active, the version before
        it becomes active. A slot without siblings: its children move up. A branch: its whole
        subtree is removed; if it was chosen, the branch before it is chosen, or none if the removed
        one was begun after a reset.
        """
        slot = self._slot_of[turn]
        parent = slot.parent
        assert parent is not None
        if len(slot.versions) > 1:
            index = slot.versions.index(turn)
            del slot.versions[index], self._slot_of[turn]
            slot.active = max(0, slot.active - (index <= slot.active))
            self._path_turns = None
            return [turn]
        index = parent.children.index(slot)
        if len(parent.children) > 1:
            removed = self._remove_subtree(slot)
            del parent.children[index]
            if parent.chosen is slot:
                before = None if slot.after_reset else parent.children[max(0, index - 1)]
                parent.chosen = before
        else:
            removed, slot.versions = [turn], []
            del self._slot_of[turn]
            parent.children = slot.children
            parent.chosen = slot.chosen if parent.chosen is slot else None
            for child in slot.children:
                child.parent = parent
        self._update_path()
        return removed

    def clear(self) -> list[Turn]:
        """Remove every turn, and return them."""
        removed = self.turns()
        for slot in self._slot_of.values():
            slot.versions = []
        self._root, self._slot_of, self._path = Slot(None), {}, []
        self._path_turns = None
        return removed

    def _add_slot(self, parent: Slot, turn: Turn) -> Slot:
        slot = Slot(parent, [turn])
        parent.children.append(slot)
        parent.chosen = slot
        self._slot_of[turn] = slot
        self._path.append(slot)
        if self._path_turns is not None:
            self._path_turns.append(turn)
        return slot

    def _remove_subtree(self, slot: Slot) -> list[Turn]:
        pending, removed = [slot], []
        while pending:
            slot = pending.pop()
            removed += slot.versions
            pending += slot.children
            slot.versions = []
        for turn in removed:
            del self._slot_of[turn]
        return removed

    def _update_path(self) -> None:
        self._path, self._path_turns = [], None
        slot = self._root.chosen
        while slot is not None:
            self._path.append(slot)
            slot = slot.chosen
