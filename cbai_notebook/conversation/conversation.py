"""A conversation: turns in order, seen as a list of messages, and what of it goes along with a prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from cbai_notebook.conversation.context import Context, ContextLimits, context_of_turns
from cbai_notebook.conversation.frames.turns import read, turns_of
from cbai_notebook.conversation.records import Messages, Records
from cbai_notebook.conversation.store.sync import StoreSync
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import (
    ASKED,
    CANCELLED,
    COMPLETE,
    FAILED,
    PARTIAL,
    STREAMING,
    Turn,
)
from cbai_notebook.conversation.watching import Change, Watcher, Watchers
from cbai_notebook.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Message = dict[str, Any]


class Conversation:
    """A named list of turns.

    A prompt that is asked in other words begins a branch beside its first turn, and a cell that is run
    again puts a new version in the place of the old one. Everything but :meth:`alternatives` is about
    the turns that are on show.

    ``messages`` is a list of flat dicts with the same keys in every record, so that
    ``pd.DataFrame(conversation.messages)`` needs no help. ``len``, iteration and indexing work on it.

    Args:
        name: Its name.
        sync: What keeps it on disk; without one it lives as long as the process.
    """

    def __init__(self, name: str, *, sync: StoreSync | None = None) -> None:
        self._name = name
        self._sync = sync
        self._tree = TurnTree()
        self._watchers = Watchers()
        # The background loop writes turns while a cell reads them.
        self._lock = threading.RLock()
        if sync is not None and (tree := sync.load()):
            self._tree = tree

    def __repr__(self) -> str:
        return f"<Conversation {self.name!r}: {len(self.turns)} turns>"

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, oldest first."""
        with self._lock:
            return tuple(self._tree.path())

    @property
    def messages(self) -> Messages:
        """The messages as flat dicts, oldest first, as they are now.

        Keys: ``conversation, turn, role, content, reasoning, provider, model, status, finish_reason,
        error, created_at`` (UTC)``, duration_s, first_token_s, prompt_tokens, completion_tokens,
        total_tokens, cell_id, stale, params, images, tool_calls, tool_call_id``.
        """
        return Messages(self._records(), self._add_messages)

    def _records(self) -> list[Message]:
        name = self.name
        return [
            record
            for number, turn in enumerate(self.turns)
            for record in turn.records(name, number)
        ]

    def append(self, message: Mapping[str, Any]) -> None:
        """Add a message; see :meth:`Messages.append`.

        Raises:
            UsageError: It does not fit behind what is there; nothing was added.
        """
        self._add_messages([message])

    def _add_messages(self, messages: list[Mapping[str, Any]]) -> list[Message]:
        """Add messages, and return all that are here then."""
        with self._lock:
            last = self._tree.last
            open_ = last if last is not None and last.status == ASKED else None
            before = open_.records(self.name, 0) if open_ else []
            appended = [dict(message) for message in messages]
            if appended and appended[-1].get("role") == "user":
                appended[-1].setdefault("status", ASKED)  # an answer may follow
            turns = turns_of([*before, *appended])
            if open_ and turns:
                unanswered, answered = open_, turns.pop(0)
                answered.created_at, answered.cell_id = unanswered.created_at, unanswered.cell_id
                slot = self._tree.replace(unanswered, answered)
                self._save(turns=[answered], slots=[slot], removed=[unanswered])
            self.extend(turns)
        return self._records()

    def to_pandas(self) -> pd.DataFrame:
        """Return the messages as a DataFrame with proper types; times are timezone-aware.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        return self.messages.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """Return the messages as a polars DataFrame.

        Raises:
            MissingDependencyError: polars or narwhals is not installed.
        """
        return self.messages.to_polars()

    def to_arrow(self) -> pa.Table:
        """Return the messages as a pyarrow Table.

        Raises:
            MissingDependencyError: pyarrow or narwhals is not installed.
        """
        return self.messages.to_arrow()

    @classmethod
    def from_messages(cls, messages: object, name: str | None = None) -> Conversation:
        """Make a conversation of messages: records of ours, or a chat as the OpenAI API has it.

        It is in memory only; ``cbai.chat(name).extend(made.turns)`` keeps its turns.

        Args:
            messages: A list of dicts, or a DataFrame of pandas, polars or Arrow.
            name: The conversation's name; the one in the messages by default.

        Raises:
            UsageError: The messages are no conversation; the message says which row is wrong.
        """
        found_name, turns = read(messages)
        conversation = cls(name or found_name or "imported")
        conversation.extend(turns)
        return conversation

    def __len__(self) -> int:
        return len(self._records())

    def __iter__(self) -> Iterator[Message]:
        return iter(self._records())

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> Records: ...

    def __getitem__(self, index: int | slice) -> Message | Records:
        return Records(self._records())[index]

    @property
    def system(self) -> str | None:
        """The system prompt in force, or ``None``."""
        return _system(self.turns)

    @property
    def kept(self) -> bool:
        """Whether it is kept on disk."""
        return self._sync is not None

    @property
    def not_stored(self) -> str:
        """Why its newest changes are not on disk although they should be, in one sentence; else ``""``."""
        return self._sync.problem if self._sync else ""

    @property
    def id(self) -> int | None:
        """Its number on disk, once it has one."""
        return self._sync.id if self._sync else None

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell `watcher` of every change, at once and on the thread that makes it.

        Args:
            watcher: Called with a :class:`Change`; must be quick and must not fail.

        Returns:
            What ends the watch.
        """
        return self._watchers.add(watcher)

    def refresh(self) -> None:
        """Take over what another kernel has changed on disk."""
        with self._lock:
            if self._sync is None or not self._sync.changed_elsewhere():
                return
            self._reload(self._all_turns())
        self._watchers.notify(Change("arranged"))

    def _reload(self, known: Iterable[Turn]) -> bool:
        """Take the turns as they stand on disk; return ``False`` where they cannot be read."""
        tree = self._sync.load(known) if self._sync else None
        self._tree = tree or self._tree
        return tree is not None

    def _all_turns(self) -> list[Turn]:
        return [turn for slot in self._tree.slots() for turn in slot.versions]

    # One turn, from its prompt to its end

    def open(self, turn: Turn, branch_of: Turn | None = None, replaces: Turn | None = None) -> None:
        """Add a turn that is about to be asked.

        A prompt that failed without an answer and is asked again takes the place of the failed turn,
        so the user's message stands once, never twice in a row.

        Args:
            turn: The new turn.
            beside: The turn to stand beside as a branch; at the end by default.
            instead: The turn to stand in the place of; it is kept as an older version, and what
                follows is marked as stale.

        Raises:
            UsageError: `beside` or `instead` is not in this conversation.
        """
        self.refresh()
        with self._lock:
            known = self._all_turns()
            while not self._try_open(turn, branch_of, replaces):
                if not self._reload(known):
                    self._save(turns=[turn], slots=[self._tree.slot(turn)])
                    break
        self._watchers.notify(Change("opened", turn))

    def _try_open(self, turn: Turn, branch_of: Turn | None, replaces: Turn | None) -> bool:
        """Add a turn; return ``False`` when another kernel was quicker, and this one must look again."""
        for other in (branch_of, replaces):
            if other is not None:
                self._check_contains(other)
        last = branch_of or replaces or self._tree.last
        changed = [turn]
        if last and _is_retry(last, turn):
            slot = self._tree.replace(last, turn)
            return self._save(turns=changed, slots=[slot], removed=[last], as_loaded=True)
        if branch_of:
            slot = self._tree.add_branch(turn, branch_of)
        elif replaces:
            slot = self._tree.add_version(turn, replaces)
            changed += self._mark_stale_after(turn)
            return self._save(turns=changed, slots=[slot], as_loaded=True)
        else:
            slot = self._tree.append(turn)
        return self._save(turns=changed, slots=self._tree.sibling_slots(slot), as_loaded=True)

    def grow(self, turn: Turn, text: str, reasoning: str) -> None:
        """Add what has just arrived to a turn."""
        turn.add(text, reasoning)
        self._watchers.notify(Change("grown", turn))

    def checkpoint(self, turn: Turn) -> None:
        """Write to disk what has come of a turn that is under way."""
        if self._sync is not None:
            self._sync.checkpoint(turn)

    def close(self, turn: Turn, status: str) -> None:
        """Say how a turn ended; whatever else is known of it must be in it by then."""
        turn.status = status
        if self._sync is not None:
            with self._lock:
                if turn in self._tree:
                    self._sync.close_turn(turn)
                else:
                    self._sync.stop_checkpoints(turn)
        self._watchers.notify(Change("closed", turn))

    def keep(self, turn: Turn) -> None:
        """Write a turn whose facts have changed."""
        with self._lock:
            self._check_contains(turn)
            self._save(turns=[turn])
        self._watchers.notify(Change("closed", turn))

    def extend(self, turns: Iterable[Turn]) -> None:
        """Add turns that have ended already at the end, as one change."""
        added = list(turns)
        if self.kept:
            for turn in added:
                if turn.status == STREAMING:  # nobody goes on with it here
                    turn.status = PARTIAL
        self.refresh()
        with self._lock:
            known = self._all_turns()
            while added:
                slots = [self._tree.append(turn) for turn in added]
                changed = [*self._tree.sibling_slots(slots[0]), *slots[1:]]
                if self._save(turns=added, slots=changed, as_loaded=True):
                    break
                if not self._reload(known):
                    self._save(turns=added, slots=changed)
                    break
        self._watchers.notify(Change("arranged"))

    # Other turns on show

    def alternatives(self, turn: Turn) -> tuple[Turn, ...]:
        """Return a turn and those that were asked in its place, oldest first."""
        with self._lock:
            return self._tree.alternatives(turn)

    def versions(self) -> list[tuple[int, Turn, bool]]:
        """Return every version of the turns on show: the place, the turn, and whether it is on show."""
        with self._lock:
            return [
                (number, version, version is turn)
                for number, turn in enumerate(self._tree.path())
                for version in self._tree.slot(turn).versions
            ]

    def everything(self) -> list[tuple[int, Turn]]:
        """Return every turn, branches and older versions included: its place, -1 off show, and the turn."""
        with self._lock:
            places = {turn: number for number, turn in enumerate(self._tree.path())}
            return [(places.get(turn, -1), turn) for turn in self._all_turns()]

    def of_cell(self, cell_id: str | None, cell_turn: int) -> Turn | None:
        """Return the turn on show that a cell has made.

        Args:
            cell_id: The frontend's id of the cell.
            cell_turn: Which of the turns that the cell makes in one run, from 0.
        """
        if cell_id is None:
            return None
        found = (
            turn
            for turn in reversed(self.turns)
            if turn.cell_id == cell_id and turn.cell_turn == cell_turn
        )
        return next(found, None)

    def answered(self, request: str) -> Turn | None:
        """Return the newest complete turn that was asked with a request, by its fingerprint.

        On disk every conversation is looked through, in memory this one.
        """
        with self._lock:
            turns = self._all_turns()
        found = [turn for turn in turns if turn.request == request and turn.status == COMPLETE]
        if found:
            return max(found, key=lambda turn: turn.created_at)
        return self._sync.find_answer(request) if self._sync else None

    def choose(self, turn: Turn) -> None:
        """Show a turn, and what followed it, in place of its alternatives.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        self.refresh()
        with self._lock:
            self._check_contains(turn)
            slot = self._tree.slot(turn)
            other_version = slot.turn is not turn
            changed = {*_slots_to_update(slot)}
            self._tree.choose(turn)
            stale = self._mark_stale_after(turn) if other_version else []
            self._save(turns=stale, slots=[*changed])
        self._watchers.notify(Change("arranged"))

    def delete(self, turn: Turn) -> None:
        """Forget a turn. What follows moves up; an alternative goes with what follows it.

        Its text is overwritten on disk; the index of words is only written anew by :meth:`forget`, since
        that takes a second where there are a million messages.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        self.refresh()
        with self._lock:
            self._check_contains(turn)
            slot = self._tree.slot(turn)
            removed = self._tree.remove(turn)
            self._save(slots=self._tree.sibling_slots(slot), removed=removed)
        self._watchers.notify(Change("arranged"))

    def undo(self) -> Turn | None:
        """Take the newest turn back and return it; ``None`` when there is none.

        Where it has an older version, that one shows again.
        """
        self.refresh()
        with self._lock:
            path = self._tree.path()
            if not path:
                return None
            newest = max(enumerate(path), key=lambda each: (each[1].created_at, each[0]))[1]
            self.delete(newest)
            return newest

    def reset(self) -> None:
        """Begin again with nothing said; what was said is kept as a branch."""
        self.refresh()
        with self._lock:
            path = self._tree.path()
            first = self._tree.slot(path[0]) if path else None
            self._tree.reset()
            if first:
                self._save(slots=[first])
        self._watchers.notify(Change("arranged"))

    def clear(self) -> None:
        """Forget every turn, branches and older versions included."""
        self.refresh()
        with self._lock:
            removed = self._tree.clear()
            if removed:
                self._save(removed=removed)
        self._watchers.notify(Change("arranged"))

    def forget(self) -> None:
        """Forget every turn and the conversation itself; it begins anew when it is used again.

        Nothing of it is left in any file then, unless another kernel was just reading.

        Raises:
            HistoryError: It could not be written. Forget it again, once there is room.
        """
        with self._lock:
            if self._sync is not None:
                self._sync.delete()
            self._tree.clear()
        self._watchers.notify(Change("arranged"))

    def copy(
        self, name: str, until: Turn | None = None, *, sync: StoreSync | None = None
    ) -> Conversation:
        """Return a new conversation with the same turns.

        Args:
            name: Its name.
            until: The last turn that is copied; all by default.
            sync: What keeps the copy on disk.

        Raises:
            UsageError: `until` is not on show in this conversation.
        """
        turns = self.turns
        if until is not None:
            if until not in turns:
                raise UsageError(f"That turn is no longer in the conversation {self.name!r}.")
            turns = turns[: turns.index(until) + 1]
        copy = Conversation(name, sync=sync)
        copy.extend(turn.copy() for turn in turns)
        return copy

    def rename(self, name: str) -> None:
        """Take another name."""
        self._name = name
        if self._sync is not None:
            self._sync.name = name
        self._watchers.notify(Change("arranged"))

    def _mark_stale_after(self, turn: Turn) -> list[Turn]:
        later = [each for each in self._tree.later_turns(turn) if not each.stale]
        for each in later:
            each.stale = True
        return later

    def _save(
        self,
        *,
        turns: Iterable[Turn] = (),
        slots: Iterable[Slot] = (),
        removed: Iterable[Turn] = (),
        as_loaded: bool = False,
    ) -> bool:
        if self._sync is None:
            return True
        return self._sync.save(turns=turns, slots=slots, removed=removed, as_loaded=as_loaded)

    def _check_contains(self, turn: Turn) -> None:
        if turn not in self._tree:
            raise UsageError(f"That turn is no longer in the conversation {self.name!r}.")

    # What goes along with a prompt

    def system_for(self, branch_of: Turn | None = None, replaces: Turn | None = None) -> str | None:
        """Return the system prompt that a new prompt starts from.

        Args:
            beside: The turn that it is asked beside, whose own change of it counts.
            instead: The turn that it is asked in the place of, whose own change of it does not count.
        """
        if replaces is not None:
            return _system(self._turns_before(replaces))
        if branch_of is None:
            return self.system
        return _system((*self._turns_before(branch_of), branch_of))

    def _turns_before(self, turn: Turn | None) -> tuple[Turn, ...]:
        with self._lock:
            if turn is not None:
                self._check_contains(turn)
            return tuple(self._tree.path(before=turn))

    def context(
        self,
        prompt: str,
        system: str | None,
        limits: ContextLimits,
        branch_of: Turn | None = None,
        replaces: Turn | None = None,
    ) -> Context:
        """Return what goes ahead of a prompt: the system prompt and the newest turns that fit.

        Args:
            prompt: The prompt that is about to be asked.
            system: A system prompt that replaces the one in force; ``""`` for none.
            bounds: How many turns and characters may go along.
            beside, instead: The turn that the prompt is asked beside, or in the place of; only what
                stands before it goes along.
        """
        in_force = self.system_for(branch_of, replaces) if system is None else system
        return context_of_turns(self._turns_before(branch_of or replaces), in_force, limits)


def _slots_to_update(slot: Slot) -> Iterator[Slot]:
    """Yield every slot that is chosen or passed over on the way to one."""
    ancestor: Slot | None = slot
    while ancestor is not None and ancestor.parent is not None:
        yield from ancestor.parent.children
        ancestor = ancestor.parent


def _system(turns: tuple[Turn, ...]) -> str | None:
    return next((turn.system or None for turn in reversed(turns) if turn.system is not None), None)


def _is_retry(last: Turn, turn: Turn) -> bool:
    return last.status in (FAILED, CANCELLED) and not last.text and last.prompt == turn.prompt
