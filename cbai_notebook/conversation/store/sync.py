"""Writes one conversation to the store while it changes; what cannot be written is tried again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store.database import QUICK_S, BusyError
from cbai_notebook.conversation.store.pending import Pending, TreeChange, Write
from cbai_notebook.conversation.store.store import Owner, Store, Stored, kernel_ended
from cbai_notebook.conversation.tree import TurnTree
from cbai_notebook.conversation.turn import COMPLETE, PARTIAL, STREAMING, Turn
from cbai_notebook.errors import HistoryError, UsageError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import say
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
    unread = ""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.tree = TurnTree()
        self.tell_adopted: Callable[[], None] = lambda: None
        self.tell_problem: Callable[[], None] = lambda: None

    def reload(self) -> bool:
        """Return False: nothing is stored."""
        return False

    def has_news(self) -> bool:
        """Return False: no other process has the conversation."""
        return False

    def save(self, change: TreeChange, redo: Callable[[], TreeChange] | None = None) -> Write:
        """Do nothing: nothing has to be written."""
        write = Write(change)
        write.end()
        return write

    def find_answer(self, request: str, *, everywhere: bool = True) -> Turn | None:
        """Return ``None``: there is no history to search."""
        return None

    def delete(self) -> None:
        """Do nothing."""

    def checkpoint(self, turn: Turn) -> Write:
        """Do nothing."""
        return self.save(TreeChange())

    def stop_checkpoints(self, turn: Turn) -> None:
        """Do nothing."""


class StoreSync:
    """Keeps one conversation and its rows in the store in sync.

    Changes are collected here, and the store's thread writes them. :attr:`problem` says why changes
    are not stored; they are tried again until they are. Where the store has lost everything, as in a
    forked child, the whole conversation is written again.

    Args:
        store: The store.
        name: The name under which the conversation is created on disk.
        owner: The kernel and the notebook whose default conversation it is, if any.
        stored: The conversation's row, if it is on disk already.
        listed: Returns whether a conversation that is written now appears in pickers and lists.

    Attributes:
        tree: The turns of the conversation; another one after each reload.
        tell_adopted: Called without the lock when changes were made again in a newer tree.
        tell_problem: Called without the lock when :attr:`problem` has changed.
        lock: Guards the tree and what is collected here. It is held for a moment
            only, never while the disk is read or written.
        unread: Why the turns in the store could not be read; ``""`` if they were.
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
        self.lock = fork_safe_lock(self, "lock")
        self.tree = TurnTree()
        self.tell_adopted: Callable[[], None] = lambda: None
        self.tell_problem: Callable[[], None] = lambda: None
        self._owner = owner
        self._stored = stored
        self._listed = listed
        self._forked_from: int | None = None
        self._revision = -1 if stored is None else stored.revision
        self._contents = store.database.contents
        self._process, self._is_forked = os.getpid(), False
        self._pending = Pending()
        self._being_written = Pending()
        self._growing: dict[Turn, None] = {}
        self._checkpoints: dict[Turn, _Checkpoint] = {}
        self._waits_since: float | None = None
        self._problem = ""
        self.unread = ""

    @property
    def problem(self) -> str:
        """Why changes are not stored, or not in the file; ``""`` if they are."""
        with self.lock:
            self._leave_to_parent()
            is_late = self._is_late()
        if not self._problem and is_late:
            return say("history.no_answer_yet", file=self.store.file)
        lost = self.store.lost
        return self._problem or (_text(lost) if lost else self.store.notice)

    def _is_late(self) -> bool:
        """Return whether a change waits for longer than a prompt does; the lock is held."""
        since = self._waits_since
        return since is not None and time.monotonic() - since > QUICK_S

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

    # Reading

    def reload(self) -> bool:
        """Take the turns as they are in the store; return whether this was done.

        It was not when there are none, when they cannot be read, or when there are changes by now.
        """
        if self._stored is None:
            return False
        with self.lock:
            known = self.tree.turns()
        try:
            tree, revision = self.store.load(self._stored.id, known)
        except HistoryError as error:
            self._problem = self.unread = _text(error)
            return False
        with self.lock:
            if self._pending or self._being_written:
                return False
            self._take(tree, revision)
        self._problem = ""
        return True

    def _take(self, tree: TurnTree, revision: int) -> None:
        self.tree, self._revision, self.unread = tree, revision, ""
        if revision < 0:
            self._stored = None  # deleted by another kernel; created again at the next write

    def has_news(self) -> bool:
        """Return whether another process has changed the conversation since it was loaded.

        Always ``False`` while changes of this process are not written yet: a reload would lose them.
        """
        with self.lock:
            self._leave_to_parent()
            if self._pending or self._being_written or self._is_void():
                return False
        try:
            if self._stored is None:
                self._stored = self._find()
                return self._stored is not None
            return self.store.revision(self._stored.id) != self._revision
        except HistoryError as error:
            self._problem = _text(error)
            return False

    def _find(self) -> Stored | None:
        path = None if self._owner is None else self._owner.path
        found = self.store.find_new(self.name, path)
        if found and path and self._owner:
            # A conversation of another kernel is that of another notebook.
            return found if found.kernel == self._owner.kernel else None
        return found

    def find_answer(self, request: str, *, everywhere: bool = True) -> Turn | None:
        """Return the newest complete turn with a request's fingerprint, if there is one.

        Turns of this conversation come first, and among them those that wait to be written.

        Args:
            request: The fingerprint.
            everywhere: Whether to search the other conversations of the store too.
        """
        with self.lock:
            waiting = [*self._being_written.turns, *self._pending.turns]
        for turn in reversed(waiting):
            if turn.request == request and turn.status == COMPLETE:
                return turn
        try:
            return self.store.find_answer(request, self.id, everywhere=everywhere)
        except HistoryError as error:
            self._problem = _text(error)
            return None

    # Collecting changes

    def save(self, change: TreeChange, redo: Callable[[], TreeChange] | None = None) -> Write:
        """Collect a change of the tree for the store's thread; the lock is held.

        Args:
            change: The change, which the tree has already.
            redo: Makes the change again, in the tree that another process has written meanwhile;
                raises a :class:`UsageError` where that is not possible. Without it the change is
                written as it is.
        """
        masked = self.store.masked(change.turns)
        write = Write(change, redo)
        with self.lock:
            self._leave_to_parent()
            self._pending.add(change, masked)
            self._pending.writes.append(write)
            self._waits_since = self._waits_since or time.monotonic()
            for turn in change.removed:
                self._growing.pop(turn, None)
                self._checkpoints.pop(turn, None)
        self.store.writer.request(self)
        return write

    def checkpoint(self, turn: Turn) -> Write:
        """Let the store's thread append the text that an answer has received since the last time."""
        mask = None if turn in self._checkpoints else self.store.masked([turn])[turn]
        write = Write(TreeChange())
        with self.lock:
            if mask is not None:
                self._checkpoints[turn] = _Checkpoint(mask)
            self._growing[turn] = None
            self._pending.writes.append(write)
        self.store.writer.request(self)
        return write

    def stop_checkpoints(self, turn: Turn) -> None:
        """Discard the checkpoint state of a turn that receives no more text."""
        with self.lock:
            self._growing.pop(turn, None)
            self._checkpoints.pop(turn, None)

    def delete(self) -> None:
        """Delete the conversation from the store.

        Raises:
            HistoryError: The file could not be written.
        """
        with self.lock:
            pending, self._pending = self._pending, Pending()
        try:
            if (id := self.id) is not None:
                self.store.delete(id)
        except BaseException:
            with self.lock:
                self._pending.insert(pending)
            self.store.writer.request(self)
            raise
        pending.end()
        with self.lock:
            self._stored, self._revision, self._problem = None, -1, ""
            self._growing, self._checkpoints = {}, {}

    # Writing, on the store's thread

    def write(self) -> None:
        """Write what was collected. What cannot be written is collected again.

        Raises:
            HistoryError: Not everything was written.
        """
        with self.lock:
            self._leave_to_parent()
            if self._is_void():
                self._begin_again()
            pending, self._pending = self._pending, Pending()
            self._being_written = pending
        try:
            if pending:
                self._write(pending)
            while self._growing:
                self._append_text()
        except Exception as error:
            self._set_problem(_text(error))
            with self.lock:
                self._pending.insert(pending)
            if self.store.leave_lost_file():
                self.write()
                pending.end()
                return
            if not isinstance(error, BusyError):
                pending.end()
            if isinstance(error, HistoryError):
                raise
            # A fault of ours must not end the thread: other conversations are written by it too.
            fault = say("history.not_written", reason=f"{type(error).__name__}: {error}")
            self._set_problem(fault)
            raise HistoryError(fault) from error
        else:
            with self.lock:
                self._being_written = Pending()
                was_late = self._is_late()
                self._waits_since = time.monotonic() if self._pending else None
            # Told after the wait has ended, else those who are told still read of it.
            self._set_problem("", was_shown=was_late)
            pending.end()
        finally:
            self._being_written = Pending()

    def _set_problem(self, problem: str, *, was_shown: bool = False) -> None:
        before, self._problem = self._problem, problem
        if problem != before or was_shown:
            self.tell_problem()

    def _write(self, pending: Pending) -> None:
        saved = None
        while saved is None:
            if self._stored is None:
                self._stored = self.store.create(
                    self.name,
                    owner=self._owner,
                    forked_from=self._forked_from,
                    listed=self._listed(),
                )
                # Another process may have created the conversation and written turns by now.
                self._revision = 0
            elif not self._stored.listed and self._listed():
                # A notebook goes on with what a run has begun.
                self.store.show_in_lists(self._stored.id)
                self._stored = replace(self._stored, listed=True)
            with self.lock:
                changes = pending.changes()
            based_on = self._revision if pending.can_be_redone else None
            saved = self.store.save(self._stored.id, changes, based_on)
            if saved is None:
                if pending.can_be_redone:
                    self._redo(pending)
                elif pending.was_tried:
                    self._become_new(pending)
                else:
                    return  # another process has deleted the conversation, and this is news of it
        if saved == self._revision + 1:
            # Otherwise another process has changed something that is not loaded yet.
            self._revision = saved

    def _redo(self, pending: Pending) -> None:
        """Make changes again in the tree that another process has written."""
        assert self._stored is not None
        with self.lock:
            turns = [*self.tree.turns(), *pending.removed]
        tree, revision = self.store.load(self._stored.id, turns)
        with self.lock:
            self._pending.insert(pending)
            again, self._pending = self._pending, Pending()
            self._take(tree, revision)
            pending.slots, pending.removed, pending.writes = {}, [], again.writes
            pending.turns = {turn: mask for turn, mask in again.turns.items() if turn.id}
            for write in again.writes:
                change = self._redone(write, again)
                known = {turn: again.turns[turn] for turn in change.turns if turn in again.turns}
                pending.add(change, {**self.store.masked(change.turns), **known})
        self.tell_adopted()

    def _redone(self, write: Write, again: Pending) -> TreeChange:
        """Make one change again; what cannot be made again is added at the end."""
        tree = self.tree
        new = [turn for turn in write.change.turns if turn.id is None and turn not in tree]
        kept = [turn for turn in new if turn in again.turns]  # others were deleted since
        removed: list[Turn] = []
        if write.redo is None:
            for turn in write.change.removed:
                removed += tree.remove(turn) if turn in tree else []
        elif kept == new:
            try:
                return write.redo()
            except UsageError as error:
                if write.refuse(error):
                    return TreeChange()
        if not kept:
            return TreeChange(removed=removed)
        slots = [tree.append(turn) for turn in kept]
        return TreeChange(kept, tree.sibling_slots(slots[0]) + slots[1:], removed)

    def _become_new(self, pending: Pending) -> None:
        """Let changes be written as a new conversation: another process has deleted the old one."""
        with self.lock:
            self._stored, self._growing, self._checkpoints = None, {}, {}
            pending.removed = []
            for turn in pending.turns:
                turn.id = None
            for slot in pending.slots:
                slot.id = None

    def _append_text(self) -> None:
        """Append the new text of an answer that streams."""
        with self.lock:
            turn = next(iter(self._growing))
            del self._growing[turn]
            last = self._checkpoints.get(turn)
        if last is None or turn.id is None:
            return
        text, reasoning, position = turn.text_since(last.position)
        mask = last.mask
        text, text_tail = _split_settled(mask, last.text_tail + text)
        reasoning, reasoning_tail = _split_settled(mask, last.reasoning_tail + reasoning)
        try:
            self.store.append_text(
                turn.id,
                (mask(text), mask.tail(text_tail)),
                (mask(reasoning), mask.tail(reasoning_tail)),
            )
        except HistoryError:
            with self.lock:
                if turn in self._checkpoints:
                    self._growing[turn] = None
            raise
        with self.lock:
            if turn in self._checkpoints:
                self._checkpoints[turn] = _Checkpoint(mask, position, text_tail, reasoning_tail)

    # Forks, and stores that have lost everything

    def _leave_to_parent(self) -> None:
        """In a forked child, leave changes that are not written yet to the parent, and load anew."""
        if self._process == os.getpid():
            return
        self._process, self._is_forked = os.getpid(), self._is_void()
        self._pending, self._being_written = Pending(), Pending()
        self._growing, self._checkpoints = {}, {}
        self._revision, self._waits_since, self._problem = -1, None, ""

    def _begin_again(self) -> None:
        """Collect the whole conversation, which is not written yet; the ids of its rows are void."""
        tree, pending = self.tree, self._pending
        for turn in tree.turns():
            if self._is_forked and turn.status == STREAMING and turn not in pending.turns:
                turn.status, turn.error = (
                    PARTIAL,
                    kernel_ended(),
                )  # its answer arrives in the parent
        self._is_forked = False
        self._contents = self.store.database.contents
        self._stored, self._forked_from, self._revision = None, None, -1
        self._growing, self._checkpoints = {}, {}
        for turn in (*tree.turns(), *pending.removed):
            turn.id = None
        for slot in tree.slots():
            slot.id = None
        pending.removed = []
        for write in pending.writes:
            write.redo = None
        pending.turns = {**self.store.masked(tree.turns()), **pending.turns}
        pending.slots = dict.fromkeys(tree.slots())


def _text(error: Exception) -> str:
    """Return the text of an error, which can be said in both languages if it is one of ours."""
    return (error.words if isinstance(error, HistoryError) else None) or str(error)


def _split_settled(mask: Masker, text: str) -> tuple[str, str]:
    """Split a growing text into the part that can be masked for good, and the rest."""
    return mask.split(without_surrogates(text))
