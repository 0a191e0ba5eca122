"""A conversation: a tree of turns, shown as a list of messages; builds the context of a prompt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from cbai_notebook.conversation.context import Context, ContextLimits, context_of_turns, system_of
from cbai_notebook.conversation.frames.turns import read, turns_of
from cbai_notebook.conversation.records import Messages, Records
from cbai_notebook.conversation.store.database import CHANGE_S
from cbai_notebook.conversation.store.pending import TreeChange, Write
from cbai_notebook.conversation.store.sync import DetachedSync, StoreSync
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import (
    ASKED,
    PARTIAL,
    STREAMING,
    EarlierTurns,
    Turn,
)
from cbai_notebook.conversation.watching import Change, Watcher, Watchers
from cbai_notebook.errors import UsageError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import say
from cbai_notebook.session import is_app

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Message = dict[str, Any]


class Conversation:
    """A named list of turns.

    An edited prompt begins a branch next to the original turn. A cell that runs again adds a new
    version of its turn. All methods work on the active path, except where they say otherwise.

    ``messages`` is a list of flat dicts with the same keys in every record, so that
    ``pd.DataFrame(conversation.messages)`` works directly. ``len``, iteration and indexing of the
    conversation refer to these messages.

    Args:
        name: The name of the conversation.
        sync: Writes the conversation to a history; without it the conversation is in none.
    """

    def __init__(self, name: str, *, sync: StoreSync | None = None) -> None:
        self._name = name
        self._sync = sync or DetachedSync()
        self._watchers = Watchers()
        self._changing = fork_safe_lock(self, "_changing")  # for changes in several steps
        self._sync.tell_adopted = lambda: self._watchers.notify(Change("arranged"))
        self._sync.tell_problem = lambda: self._watchers.notify(Change("stored"))
        self._sync.reload()
        self._earlier: frozenset[Turn] = frozenset()
        self.begin_session()

    def __repr__(self) -> str:
        return f"<Conversation {self.name!r}: {len(self.turns)} turns>"

    @property
    def _tree(self) -> TurnTree:
        return self._sync.tree

    @property
    def name(self) -> str:
        """The name of the conversation."""
        return self._name

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns on the active path, oldest first."""
        with self._sync.lock:
            return tuple(self._tree.path())

    @property
    def messages(self) -> Messages:
        """A snapshot of the messages as flat dicts, oldest first.

        Keys: ``conversation, turn, role, content, reasoning, provider, model, status,
        finish_reason, error, created_at`` (UTC)``, duration_s, first_token_s, prompt_tokens,
        completion_tokens, total_tokens, cached_tokens, cell_id, stale, params, images, tool_calls,
        tool_call_id, extra``: other fields of a message that go back to the model.
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
            UsageError: The message cannot follow the last one; nothing was added.
        """
        self._add_messages([message])

    def _add_messages(self, messages: list[Mapping[str, Any]]) -> list[Message]:
        """Add messages, and return all messages of the conversation."""
        with self._changing:
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
                with self._sync.lock:
                    slot = self._tree.replace(unanswered, answered)
                    write = self._sync.save(TreeChange([answered], [slot], [unanswered]))
                write.wait(CHANGE_S)
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
        """Create a conversation from our message records, or from messages of the OpenAI API.

        The conversation is in no history. To store its turns, add them to a stored conversation:
        ``cbai.chat(name).extend(conversation.turns)``.

        Args:
            messages: A list of dicts, or a DataFrame of pandas, polars or Arrow.
            name: The conversation's name; the one in the messages by default.

        Raises:
            UsageError: The messages are not a conversation; the error says which row is wrong.
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
        """The current system prompt, or ``None``."""
        return system_of(self.turns)

    @property
    def not_stored(self) -> str:
        """Why the newest changes are not stored, or not in the file; ``""`` if they are."""
        return self._sync.problem

    @property
    def unread(self) -> str:
        """Why the turns of earlier sessions could not be read, if the user is to be told; else ``""``."""
        return self._sync.unread

    @property
    def id(self) -> int | None:
        """The id of the conversation in the store; ``None`` before it is first written."""
        return self._sync.id

    def begin_session(self) -> None:
        """Take all turns so far as those of an earlier session."""
        with self._sync.lock:
            self._earlier = frozenset(self._tree.turns())

    def earlier_turns(self, context: Context) -> EarlierTurns | None:
        """Return which turns of an earlier session are in a context.

        Returns:
            ``None`` if there are none, or after :meth:`end_earlier_session`.
        """
        sent = [turn.created_at for turn in context.turns if turn in self._earlier]
        return EarlierTurns(len(sent), min(sent)) if sent else None

    def end_earlier_session(self) -> None:
        """Note that the user is told of the turns of an earlier session, read or not."""
        self._earlier = frozenset()
        self._sync.unread = ""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` on every change, immediately and on the thread that makes the change.

        Args:
            watcher: Called with a :class:`Change`; must be quick and must not raise.

        Returns:
            A function that removes the watcher.
        """
        return self._watchers.add(watcher)

    def refresh(self) -> None:
        """Load changes that another kernel has written; not on an event loop."""
        if self._sync.has_news() and self._sync.reload():
            self._watchers.notify(Change("arranged"))

    # One turn, from its prompt to its end

    def open(
        self,
        turn: Turn,
        branch_of: Turn | None = None,
        replaces: Turn | None = None,
        *,
        beside: Turn | None = None,
    ) -> Write:
        """Add a turn whose request is about to be sent.

        If the last prompt failed or was cancelled without an answer, and the new turn has the same
        prompt, the new turn replaces it, so that the user's message does not occur twice in a row.

        Args:
            turn: The new turn.
            branch_of: Begin a branch next to this turn; by default the turn is added at the end.
            replaces: Add the turn as a new version of this turn; later turns are marked as stale.
            beside: Add the turn as one more version of this turn, and leave the active one.

        Returns:
            The write of the turn, to wait for. It raises a :class:`UsageError` if another kernel has
            removed the other turn meanwhile.

        Raises:
            UsageError: The other turn is not in this conversation.
        """

        def place() -> TreeChange:
            if beside is not None:
                self._check_contains(beside)
                return TreeChange([turn], [self._tree.add_version(turn, beside, activate=False)])
            return self._place(turn, branch_of, replaces)

        with self._sync.lock:
            write = self._sync.save(place(), redo=place)
        self._watchers.notify(Change("opened", turn))
        return write

    def _place(self, turn: Turn, branch_of: Turn | None, replaces: Turn | None) -> TreeChange:
        for other in (branch_of, replaces):
            if other is not None:
                self._check_contains(other)
        tree = self._sync.tree
        repeated = tree.repeated_by(turn, branch_of or replaces)
        if repeated is not None:
            return TreeChange([turn], [tree.replace(repeated, turn)], [repeated])
        if branch_of:
            slot = tree.add_branch(turn, branch_of)
        elif replaces:
            slot = tree.add_version(turn, replaces)
            return TreeChange([turn, *self._mark_stale_after(turn)], [slot])
        else:
            slot = tree.append(turn)
        return TreeChange([turn], tree.sibling_slots(slot))

    def grow(self, turn: Turn, text: str, reasoning: str) -> None:
        """Append new text and reasoning to a turn."""
        turn.add(text, reasoning)
        self._watchers.notify(Change("grown", turn))

    def checkpoint(self, turn: Turn) -> Write:
        """Store the text that a streaming turn has received so far; return the write."""
        return self._sync.checkpoint(turn)

    def close(self, turn: Turn, status: str) -> Write:
        """Set the final status of a turn, and store it; set all its other attributes before.

        Returns:
            The write of the turn, to wait for.
        """
        turn.status = status
        self._sync.stop_checkpoints(turn)
        with self._sync.lock:
            # A turn that was deleted meanwhile does not come back.
            write = self._sync.save(TreeChange([turn] if turn in self._tree else []))
        self._watchers.notify(Change("closed", turn))
        return write

    def keep(self, turn: Turn) -> Write:
        """Store a turn whose attributes have changed; return the write."""
        with self._sync.lock:
            self._check_contains(turn)
            write = self._sync.save(TreeChange([turn]))
        self._watchers.notify(Change("closed", turn))
        return write

    def extend(self, turns: Iterable[Turn]) -> None:
        """Append turns that are complete already, as one change.

        A turn that is stored in a conversation already stays there, and a copy is appended.
        """
        added = [turn if turn.id is None else turn.copy() for turn in turns]
        for turn in added:
            if turn.status == STREAMING:  # no request in this process will complete it
                turn.status = PARTIAL

        def append() -> TreeChange:
            slots = [self._tree.append(turn) for turn in added]
            return TreeChange(added, [*self._tree.sibling_slots(slots[0]), *slots[1:]])

        self.refresh()
        if added:
            with self._sync.lock:
                write = self._sync.save(append(), redo=append)
            write.wait(CHANGE_S)
        self._watchers.notify(Change("arranged"))

    # Changes of the active path, and lookups in the tree

    def alternatives(self, turn: Turn) -> tuple[Turn, ...]:
        """Return all versions and branches at a turn's place, itself included, oldest first."""
        with self._sync.lock:
            return self._tree.alternatives(turn)

    def versions(self) -> list[tuple[int, Turn, bool]]:
        """Return every version on the active path: number, turn, and whether it is active."""
        with self._sync.lock:
            return [
                (number, version, version is turn)
                for number, turn in enumerate(self._tree.path())
                for version in self._tree.slot(turn).versions
            ]

    def added_last(self, turns: Collection[Turn]) -> Turn | None:
        """Return the one of some turns that was added last; ``None`` if none of them is in here."""
        with self._sync.lock:
            return self._tree.added_last(turns)

    def of_cell(self, cell_id: str | None, cell_turn: int) -> Turn | None:
        """Return the turn on the active path that a cell has made, or ``None``.

        Args:
            cell_id: The frontend's id of the cell.
            cell_turn: Index of the turn within one run of the cell, from 0.
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
        """Return the newest complete turn with a request's fingerprint, or ``None``.

        Searches the whole history; turns of this conversation come first. In an app it searches only
        this conversation: the author's others may be in the same history.
        """
        found = self._sync.find_answer(request, everywhere=not is_app())
        # Without an id in the store, the ids of the turns are those of rows that are lost.
        if found is None or found.id is None or self._sync.id is None:
            return found
        with self._sync.lock:
            # Secrets are masked in the stored copy of a turn, but not in the turn itself.
            return next((turn for turn in self._tree.turns() if turn.id == found.id), found)

    def choose(self, turn: Turn) -> None:
        """Put a turn and the turns after it on the active path, in place of its alternatives.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        self.refresh()
        with self._sync.lock:
            self._check_contains(turn)
            slot = self._tree.slot(turn)
            other_version = slot.turn is not turn
            changed = {*_slots_to_update(slot)}
            self._tree.choose(turn)
            stale = self._mark_stale_after(turn) if other_version else []
            write = self._sync.save(TreeChange(stale, [*changed]))
        write.wait(CHANGE_S)
        self._watchers.notify(Change("arranged"))

    def delete(self, turn: Turn) -> None:
        """Delete a turn.

        If the turn is one of several versions, only this version is deleted. If it is one of several
        branches, the turns after it are deleted too. Otherwise later turns move up.

        The text is overwritten on disk. The words stay in the search index until :meth:`forget`
        rewrites the index: that takes a second with a million messages.

        Raises:
            UsageError: The turn is not in this conversation.
        """
        self.refresh()
        with self._sync.lock:
            self._check_contains(turn)
            slot = self._tree.slot(turn)
            removed = self._tree.remove(turn)
            write = self._sync.save(TreeChange((), self._tree.sibling_slots(slot), removed))
        write.wait(CHANGE_S)
        self._watchers.notify(Change("arranged"))

    def undo(self) -> Turn | None:
        """Delete the turn that was added last, and return it; ``None`` when there is none.

        If the turn has an older version, that version becomes active again.
        """
        with self._changing:
            self.refresh()
            newest = self.added_last(set(self.turns))
            if newest is not None:
                self.delete(newest)
            return newest

    def reset(self) -> None:
        """Start with an empty active path; the turns so far are kept as a branch."""
        self.refresh()
        with self._sync.lock:
            path = self._tree.path()
            first = self._tree.slot(path[0]) if path else None
            self._tree.reset()
            write = self._sync.save(TreeChange((), [first] if first else ()))
        write.wait(CHANGE_S)
        self._watchers.notify(Change("arranged"))

    def clear(self) -> None:
        """Delete every turn, branches and older versions included."""
        self.refresh()
        with self._sync.lock:
            write = self._sync.save(TreeChange(removed=self._tree.clear()))
        write.wait(CHANGE_S)
        self._watchers.notify(Change("arranged"))

    def forget(self) -> None:
        """Delete every turn and the conversation itself; a later use creates it again.

        None of its text is left in any file, unless another kernel is reading at that moment.

        Raises:
            HistoryError: The file could not be written. Call again once the disk has space.
        """
        self._sync.delete()
        with self._sync.lock:
            self._tree.clear()
        self._watchers.notify(Change("arranged"))

    def copy(
        self,
        name: str,
        until: Turn | None = None,
        *,
        cells: Container[str] | None = None,
        sync: StoreSync | None = None,
    ) -> Conversation:
        """Return a new conversation with copies of the turns on the active path.

        Args:
            name: The name of the copy.
            until: The last turn to copy; all by default.
            cells: Copy only the turns of these cells, by their ids.
            sync: Writes the copy to a history.

        Raises:
            UsageError: `until` is not on the active path.
        """
        turns = self.turns
        if until is not None:
            if until not in turns:
                raise UsageError(say("conversation.turn_gone", name=self.name))
            turns = turns[: turns.index(until) + 1]
        copy = Conversation(name, sync=sync)
        copy.extend(turn.copy() for turn in turns if cells is None or turn.cell_id in cells)
        return copy

    def rename(self, name: str) -> None:
        """Set the name of this object; the registry renames the conversation in the store."""
        self._name = name
        self._sync.name = name
        self._watchers.notify(Change("arranged"))

    def _mark_stale_after(self, turn: Turn) -> list[Turn]:
        later = [each for each in self._tree.later_turns(turn) if not each.stale]
        for each in later:
            each.stale = True
        return later

    def _check_contains(self, turn: Turn) -> None:
        if turn not in self._tree:
            raise UsageError(say("conversation.turn_gone", name=self.name))

    # Context of a prompt

    def system_for(self, branch_of: Turn | None = None, replaces: Turn | None = None) -> str | None:
        """Return the system prompt that applies to a new prompt.

        Args:
            branch_of: The turn next to which the prompt begins a branch; a system prompt set by
                this turn counts.
            replaces: The turn that the prompt replaces; a system prompt set by this turn does not
                count.
        """
        if replaces is not None:
            return system_of(self._turns_before(replaces))
        if branch_of is None:
            return self.system
        return system_of((*self._turns_before(branch_of), branch_of))

    def _turns_before(self, turn: Turn | None) -> tuple[Turn, ...]:
        with self._sync.lock:
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
        """Return the context of a prompt: the system prompt and the newest turns that fit.

        Args:
            prompt: The prompt that is about to be asked.
            system: A system prompt that replaces the current one; ``""`` for none.
            limits: The most turns and characters to send.
            branch_of, replaces: The turn next to which the prompt begins a branch, or which it
                replaces; only the turns before it are sent.
        """
        before = self._turns_before(branch_of or replaces)
        if system is None:
            own = (branch_of,) if branch_of is not None and replaces is None else ()
            system = system_of((*before, *own))
        return context_of_turns(before, system, limits)


def _slots_to_update(slot: Slot) -> Iterator[Slot]:
    """Yield the slot, its ancestors and their siblings: choosing the slot may change any."""
    ancestor: Slot | None = slot
    while ancestor is not None and ancestor.parent is not None:
        yield from ancestor.parent.children
        ancestor = ancestor.parent
