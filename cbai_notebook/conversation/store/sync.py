"""Writes one conversation to the store while it changes; a failed write is retried later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store.store import ENDED, Changes, Owner, Store, Stored
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import COMPLETE, PARTIAL, STREAMING, Turn
from cbai_notebook.errors import HistoryError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.text import without_surrogates


@dataclass(frozen=True)
class _Checkpoint:
    """State of an answer that streams: masker, position written so far, and the tails after it."""

    mask: Masker
    position: tuple[int, int] = (0, 0)
    text_tail: str = ""
    reasoning_tail: str = ""


class DetachedSync:
    """Takes the place of :class:`StoreSync` for a conversation that is in no history."""

    name = ""
    id: int | None = None
    problem = ""

    def load(self, known: Iterable[Turn] = ()) -> TurnTree | None:
        """Return ``None``: nothing is stored."""
        return None

    def changed_elsewhere(self) -> bool:
        """Return False: no other process has the conversation."""
        return False

    def save(
        self,
        tree: TurnTree,
        *,
        turns: Iterable[Turn] = (),
        slots: Iterable[Slot] = (),
        removed: Iterable[Turn] = (),
        as_loaded: bool = False,
    ) -> bool:
        """Return True: nothing has to be written."""
        return True

    def find_answer(self, request: str, *, everywhere: bool = True) -> Turn | None:
        """Return ``None``: there is no history to search."""
        return None

    def delete(self) -> None:
        """Do nothing."""

    def checkpoint(self, tree: TurnTree, turn: Turn) -> None:
        """Do nothing."""

    def close_turn(self, tree: TurnTree, turn: Turn) -> None:
        """Do nothing."""

    def stop_checkpoints(self, turn: Turn) -> None:
        """Do nothing."""


class StoreSync:
    """Keeps one conversation and its rows in the store in sync.

    Only :meth:`delete` raises errors of the disk. Otherwise :attr:`problem` says why changes are
    not stored, and each later change tries again. Where the store has lost everything, as in a
    forked child, the next change writes the whole conversation.

    Args:
        store: The store.
        name: The name under which the conversation is created on disk.
        owner: The kernel and the notebook whose default conversation it is, if any.
        stored: The conversation's row, if it is on disk already.
        listed: Returns whether a conversation that is written now appears in pickers and lists.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        owner: Owner | None = None,
        stored: Stored | None = None,
        listed: Callable[[], bool] = lambda: True,
    ) -> None:
        self.store = store
        self.name = name
        self._owner = owner
        self._stored = stored
        self._listed = listed
        self._forked_from: int | None = None
        self._revision = -1 if stored is None else stored.revision
        self._data_version: int | None = None
        self._contents = store.database.contents
        self._lock = fork_safe_lock(self)
        self._process = os.getpid()
        self._turns: dict[Turn, None] = {}
        self._slots: dict[Slot, None] = {}
        self._removed: list[int] = []
        self._checkpoints: dict[Turn, _Checkpoint] = {}
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why changes are not stored, or not in the file; ``""`` if they are."""
        return self._problem or str(self.store.lost or self.store.notice)

    @property
    def id(self) -> int | None:
        """The conversation's id in the store; ``None`` before it is first written."""
        return self._stored.id if self._stored and not self._is_void() else None

    def _is_void(self) -> bool:
        """Return whether the store has lost all that this conversation had written to it."""
        return self._contents is not self.store.database.contents

    def set_forked_from(self, conversation: int | None) -> None:
        """Set the id of the conversation that this one was copied from, before the first write."""
        self._forked_from = conversation

    def load(self, known: Iterable[Turn] = ()) -> TurnTree | None:
        """Return the turns on disk; ``None`` when there are none or they cannot be read."""
        if self._stored is None:
            return None
        try:
            # Taken before the read: a write during the read is then noticed the next time.
            self._data_version = self.store.database.data_version()
            tree, self._revision = self.store.load(self._stored.id, known)
        except HistoryError as error:
            self._problem = str(error)
            return None
        if self._revision < 0:
            self._stored = None  # deleted by another kernel; created again at the next write
        return tree

    def changed_elsewhere(self) -> bool:
        """Return whether another process has changed the conversation since it was loaded.

        Always ``False`` while changes of this process are not written yet: a reload would lose them.
        """
        self._leave_to_parent()
        if self._turns or self._slots or self._removed or self._is_void():
            return False
        try:
            now = self.store.database.data_version()
            if now == self._data_version:
                return False
            self._data_version = now
            if self._stored is None:
                self._stored = self._find()
                return self._stored is not None
            return self.store.revision(self._stored.id) != self._revision
        except HistoryError as error:
            self._problem = str(error)
            return False

    def save(
        self,
        tree: TurnTree,
        *,
        turns: Iterable[Turn] = (),
        slots: Iterable[Slot] = (),
        removed: Iterable[Turn] = (),
        as_loaded: bool = False,
    ) -> bool:
        """Write changes, together with those that could not be written before.

        Args:
            tree: All turns of the conversation, changes included.
            turns: Turns that are new or have changed.
            slots: Slots that are new or have changed.
            removed: Turns to delete.
            as_loaded: Write only if no other process has changed or deleted the conversation since
                it was loaded.

        Returns:
            False when another process has changed or deleted it: then these changes are dropped.
            Else True, also when they could not be written and wait for the next call.
        """
        turns, removed = list(turns), list(removed)
        with self._lock:
            if self._is_void():
                self._begin_again(tree, turns, removed)
            self._leave_to_parent()
            has_pending = bool(self._turns or self._slots or self._removed)
            before = dict(self._turns), dict(self._slots), list(self._removed)
            self._turns.update(dict.fromkeys(turns))
            self._slots.update(dict.fromkeys(slots))
            for turn in removed:
                self._turns.pop(turn, None)
                self._checkpoints.pop(turn, None)
                if turn.id is not None:
                    self._removed.append(turn.id)
            try:
                done = self._write(None if has_pending or not as_loaded else self._revision)
                if not done and has_pending:
                    done = self._write_as_new()
            except HistoryError as error:
                self._problem = str(error)
                return not self.store.leave_lost_file() or self.save(tree)
            if not done:
                self._turns, self._slots, self._removed = before
                return False
            self._turns, self._slots, self._removed = {}, {}, []
            self._problem = ""
            return True

    def _write(self, revision: int | None) -> bool:
        """Write pending changes; ``False`` if another process changed or deleted the conversation."""
        if self._stored is None:
            self._stored = self.store.create(
                self.name,
                owner=self._owner,
                forked_from=self._forked_from,
                listed=self._listed(),
            )
            self._revision = 0
            # Another process may have created the conversation and written turns by now.
            revision = None if revision is None else 0
        elif not self._stored.listed and self._listed():
            # A notebook goes on with what a run has begun.
            self.store.show_in_lists(self._stored.id)
            self._stored = replace(self._stored, listed=True)
        slots = [slot for slot in self._slots if slot.versions]
        # Ids follow the order in which turns were added, as if nothing had been pending.
        changes = Changes(list(self._turns), slots, self._removed)
        saved = self.store.save(self._stored.id, changes, revision)
        if saved is not None and saved == self._revision + 1:
            # Otherwise another process has changed something that is not loaded yet.
            self._revision = saved
        return saved is not None

    def _find(self) -> Stored | None:
        if self._owner is None or self._owner.path is None:
            return self.store.find(name=self.name)
        # A conversation of another kernel, or of the same name, is that of another notebook.
        found = self.store.find(notebook=self._owner.path)
        return found if found and found.kernel == self._owner.kernel else None

    def _write_as_new(self) -> bool:
        """Write pending changes as a new conversation: another process has deleted the old one."""
        self._stored, self._removed, self._checkpoints = None, [], {}
        for turn in self._turns:
            turn.id = None
        for slot in self._slots:
            slot.id = None
        return self._write(None)

    def _leave_to_parent(self) -> None:
        """In a forked child, leave changes that are not written yet to the parent, and load anew."""
        if self._process == os.getpid() or self._is_void():
            return
        self._process = os.getpid()
        self._turns, self._slots, self._removed, self._checkpoints = {}, {}, [], {}
        self._revision, self._data_version = -1, None

    def _begin_again(self, tree: TurnTree, saved: list[Turn], removed: list[Turn]) -> None:
        """Mark the whole conversation as not written yet; the ids of its rows are void.

        Args:
            tree: All turns.
            saved: The turns that are about to be saved.
            removed: The turns that have just left the tree.
        """
        in_child, self._process = self._process != os.getpid(), os.getpid()
        for turn in removed:
            turn.id = None
        for turn in tree.turns():
            if in_child and turn.status == STREAMING and turn not in saved:
                turn.status, turn.error = PARTIAL, ENDED  # its answer arrives in the parent
        self._contents = self.store.database.contents
        self._stored, self._forked_from, self._revision, self._data_version = None, None, -1, None
        self._slots = dict.fromkeys(tree.slots())
        self._turns = dict.fromkeys(tree.turns())
        self._removed, self._checkpoints = [], {}
        for slot in self._slots:
            slot.id = None
        for turn in self._turns:
            turn.id = None

    def find_answer(self, request: str, *, everywhere: bool = True) -> Turn | None:
        """Return the newest complete turn with a request's fingerprint, if there is one.

        Turns of this conversation come first, and among them those that wait to be written.

        Args:
            request: The fingerprint.
            everywhere: Whether to search the other conversations of the store too.
        """
        with self._lock:
            waiting = [turn for turn in self._turns if turn.request == request]
        for turn in reversed(waiting):
            if turn.status == COMPLETE:
                return turn
        try:
            return self.store.find_answer(request, self.id, everywhere=everywhere)
        except HistoryError as error:
            self._problem = str(error)
            return None

    def delete(self) -> None:
        """Delete the conversation from the store.

        Raises:
            HistoryError: The file could not be written.
        """
        with self._lock:
            if self.id is not None:
                self.store.delete(self.id)
            self._stored, self._revision = None, -1
            self._turns, self._slots, self._removed, self._checkpoints = {}, {}, [], {}

    def checkpoint(self, tree: TurnTree, turn: Turn) -> None:
        """Append the text that an answer has received since the last checkpoint."""
        with self._lock:
            if turn in self._turns:
                self.save(tree)  # it could not be written before; the disk may have space again
            if turn.id is None or self._is_void():
                return
            last = self._checkpoints.get(turn) or _Checkpoint(self.store.mask_for(turn))
            text, reasoning, position = turn.text_since(last.position)
            text, text_tail = _split_settled(last.mask, last.text_tail + text)
            reasoning, reasoning_tail = _split_settled(last.mask, last.reasoning_tail + reasoning)
            mask = last.mask
            try:
                self.store.append_text(
                    turn.id,
                    (mask(text), mask.tail(text_tail)),
                    (mask(reasoning), mask.tail(reasoning_tail)),
                )
            except HistoryError as error:
                self._problem = str(error)
                return
            self._checkpoints[turn] = _Checkpoint(mask, position, text_tail, reasoning_tail)

    def close_turn(self, tree: TurnTree, turn: Turn) -> None:
        """Write the final state of a turn."""
        self.stop_checkpoints(turn)
        self.save(tree, turns=[turn])

    def stop_checkpoints(self, turn: Turn) -> None:
        """Discard the checkpoint state of a turn that receives no more text."""
        with self._lock:
            self._checkpoints.pop(turn, None)


def _split_settled(mask: Masker, text: str) -> tuple[str, str]:
    """Split a growing text into the part that can be masked for good, and the rest."""
    return mask.split(without_surrogates(text))
