"""Keeps one conversation on disk while it changes. What cannot be written is kept for the next try."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from cbai_notebook.conversation.archive.archive import Archive, Changes, Stored
from cbai_notebook.conversation.frames import utf8
from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import HistoryError


class Keeper:
    """The link between a conversation and its place in an archive.

    Nothing here raises because of the disk: :attr:`trouble` tells what is not stored, and each later
    change tries again.

    Args:
        archive: Where it is kept.
        name: The conversation's name, for when it is made on disk.
        notebook: The path of the notebook that it belongs to, if to one.
        stored: The conversation on disk, where it is there already.
    """

    def __init__(
        self,
        archive: Archive,
        name: str,
        *,
        notebook: str | None = None,
        stored: Stored | None = None,
    ) -> None:
        self.archive = archive
        self.name = name
        self._notebook = notebook
        self._stored = stored
        self._forked_from: int | None = None
        self._revision = -1 if stored is None else stored.revision
        self._seen: int | None = None
        self._lock = threading.RLock()
        self._turns: dict[Turn, None] = {}
        self._slots: dict[Slot, None] = {}
        self._gone: list[int] = []
        # Of each answer under way: up to where it is written, its last word, and what masks it.
        self._marks: dict[Turn, tuple[tuple[int, int], str, Masker]] = {}
        self.trouble = ""

    @property
    def id(self) -> int | None:
        """The conversation's number on disk, once it has one."""
        return self._stored.id if self._stored else None

    def fork_of(self, conversation: int | None) -> None:
        """Say which conversation this one was copied from, before it is first written."""
        self._forked_from = conversation

    def load(self, known: Iterable[Turn] = ()) -> TurnTree | None:
        """Return the turns on disk; ``None`` where there are none, or where they cannot be read."""
        if self._stored is None:
            return None
        try:
            tree, self._revision = self.archive.load(self._stored.id, known)
            self._seen = self.archive.database.data_version()
        except HistoryError as error:
            self.trouble = str(error)
            return None
        return tree

    def changed_elsewhere(self) -> bool:
        """Return whether another process has changed the conversation since it was loaded."""
        if self._stored is None or self._turns or self._gone:
            return False
        try:
            now = self.archive.database.data_version()
            if now == self._seen:
                return False
            self._seen = now
            return self.archive.revision(self._stored.id) != self._revision
        except HistoryError as error:
            self.trouble = str(error)
            return False

    def keep(
        self, *, turns: Iterable[Turn] = (), slots: Iterable[Slot] = (), gone: Iterable[Turn] = ()
    ) -> None:
        """Write what has changed, and what could not be written before."""
        with self._lock:
            self._turns.update(dict.fromkeys(turns))
            self._slots.update(dict.fromkeys(slots))
            for turn in gone:
                self._turns.pop(turn, None)
                self._marks.pop(turn, None)
                if turn.id is not None:
                    self._gone.append(turn.id)
            held = [slot for slot in self._slots if slot.versions]
            try:
                if self._stored is None:
                    self._stored = self.archive.create(
                        self.name, notebook=self._notebook, forked_from=self._forked_from
                    )
                changes = Changes(list(self._turns), held, self._gone)
                self._revision = self.archive.save(self._stored.id, changes)
            except HistoryError as error:
                self.trouble = str(error)
                return
            self._turns, self._slots, self._gone = {}, {}, []
            self.trouble = ""

    def answered(self, request: str) -> Turn | None:
        """Return the newest complete turn on disk that was asked with a request, if there is one."""
        try:
            return self.archive.answered(request)
        except HistoryError as error:
            self.trouble = str(error)
            return None

    def forget(self) -> None:
        """Take the conversation off the disk.

        Raises:
            HistoryError: It could not be written; nothing was forgotten.
        """
        with self._lock:
            if self._stored is not None:
                self.archive.delete(self._stored.id)
            self._stored, self._revision = None, -1
            self._turns, self._slots, self._gone, self._marks = {}, {}, [], {}

    def checkpoint(self, turn: Turn) -> None:
        """Write what has come of an answer since the last time."""
        with self._lock:
            if turn.id is None:
                return
            held = self._marks.get(turn)
            mark, tail, mask = held or ((0, 0), "", self.archive.mask_for(turn))
            text, reasoning, mark = turn.since(mark)
            tail = utf8(tail + text)
            settled = mask.settled(tail)
            try:
                self.archive.extend(
                    turn.id, mask(tail[:settled]), mask(utf8(reasoning)), mask.tail(tail[settled:])
                )
            except HistoryError as error:
                self.trouble = str(error)
                return
            self._marks[turn] = (mark, tail[settled:], mask)

    def closed(self, turn: Turn) -> None:
        """Write how a turn ended."""
        self._marks.pop(turn, None)
        self.keep(turns=[turn])
