"""The store: creates, finds, loads, saves and deletes conversations in one SQLite database."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from cbai_notebook.conversation.cell_ids import is_cell_id
from cbai_notebook.conversation.secrets import Masker, masker
from cbai_notebook.conversation.store import rows, search
from cbai_notebook.conversation.store.database import PATIENCE_S, QUICK_S, Database, MalformedError
from cbai_notebook.conversation.store.file_database import FileDatabase
from cbai_notebook.conversation.store.memory_database import MemoryDatabase
from cbai_notebook.conversation.store.processes import LiveProcesses, OnlyThisProcess
from cbai_notebook.conversation.store.rows import LARGEST
from cbai_notebook.conversation.store.schema import HISTORY
from cbai_notebook.conversation.store.writer import Transaction, Writer
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import PARTIAL, STREAMING, Turn
from cbai_notebook.errors import HistoryError, UsageError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import Words, say
from cbai_notebook.text import without_surrogates

MOST_CELLS = 1000
"""The most ids of cells that are stored for a notebook."""

_IDS_AT_ONCE = 500  # SQLite's limit of placeholders was 999 in older versions

_ALL_COLUMNS = ", ".join(("id", "conversation", "slot", *rows.TAILS, *rows.COLUMNS))


@dataclass(frozen=True)
class Stored:
    """A row of the table of conversations.

    Attributes:
        id: The id of the conversation.
        name: The name, which is unique.
        notebook: The path of the notebook whose default conversation this is.
        kernel: The id of the kernel that used it last as its default conversation.
        forked_from: The id of the conversation that it was copied from.
        revision: A number that grows with every change.
        listed: Whether pickers and lists show it; a run without a notebook leaves no entry there.
    """

    id: int
    name: str
    notebook: str | None
    kernel: str | None
    forked_from: int | None
    revision: int
    listed: bool = True


@dataclass(frozen=True)
class Owner:
    """Whose default conversation it is: what is stored about a kernel and its notebook.

    Attributes:
        path: The path of the notebook; ``None`` for a kernel without one.
        kernel: The id of the kernel; ``None`` if it is not known.
        cells: Ids of cells in the notebook's file.
    """

    path: str | None = None
    kernel: str | None = None
    cells: frozenset[str] = frozenset()

    @property
    def stored_cells(self) -> str | None:
        """The ids as JSON, at most :data:`MOST_CELLS`; ``None`` if no cell of a notebook is known."""
        return json.dumps(sorted(self.cells)[:MOST_CELLS]) if self.path and self.cells else None


@dataclass(frozen=True)
class CellsInCommon:
    """A notebook's default conversation that has cells in common with a file.

    Attributes:
        conversation: The conversation.
        common: Number of the cells that both have.
        known: Number of all cells that are known of the conversation.
        kept: Number of the common cells among those that :attr:`saved` counts.
        saved: Number of the cells that the notebook's file had when a kernel last started.
    """

    conversation: Stored
    common: int
    known: int
    kept: int
    saved: int


@dataclass(frozen=True)
class PlacedSlot:
    """A slot as it stood in its tree when its changes were collected.

    Attributes:
        slot: The slot, which gets its id when it is written.
        parent: The slot before it; ``None`` at the root.
        versions: Its turns, oldest first; at least one.
        active: The active one of them.
        chosen: Whether it is on the path of its parent.
        after_reset: Whether it was begun after a reset.
    """

    slot: Slot
    parent: Slot | None
    versions: tuple[Turn, ...]
    active: Turn
    chosen: bool
    after_reset: bool

    @classmethod
    def of(cls, slot: Slot) -> PlacedSlot:
        """Return a slot with its present place."""
        return cls(
            slot,
            slot.parent,
            tuple(slot.versions),
            slot.turn,
            slot.is_chosen,
            slot.after_reset,
        )


@dataclass(frozen=True)
class Changes:
    """Changes of a conversation that are to be written.

    Attributes:
        turns: Turns that are new or changed, each with the masker for its secrets.
        slots: Slots that are new or changed; a new slot comes after its parent.
        removed: Ids of turns to delete.
    """

    turns: Mapping[Turn, Masker]
    slots: Sequence[PlacedSlot] = ()
    removed: Sequence[int] = ()


class Store:
    """The history in one SQLite database, safe to use from several threads and processes.

    Args:
        file: The path of the file; ``None`` for a private database in memory.
        masks: Returns the masker for secrets; its argument says whether the user allows secrets.
        notice: Why the history is in memory, if the user has not asked for that.

    Attributes:
        database: The database; replaced by one in memory when the file cannot be used any more.
        writer: The thread that writes to it.
        lost: Why the file cannot be used any more; ``None`` while it can.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        masks: Callable[[bool], Masker] = masker,
        notice: str = "",
    ) -> None:
        self.file = file
        self.notice = notice
        self.writer = Writer(HISTORY)
        self.lost: HistoryError | None = None
        self._lock = fork_safe_lock(self)
        self._masks = masks
        self._removed_ended = False
        self.database: Database
        self._processes: LiveProcesses | OnlyThisProcess
        if file is None:
            self._use_memory()
        else:
            self.database = FileDatabase(file, HISTORY)
            self._processes = LiveProcesses(file.parent / f"{file.stem}-kernels")

    def __repr__(self) -> str:
        return f"<Store {str(self.file or 'in memory')!r}>"

    def _use_memory(self) -> None:
        self.database, self._processes = MemoryDatabase(HISTORY), OnlyThisProcess()

    @property
    def may_have_past(self) -> bool:
        """Whether there is a file that may hold turns of earlier kernels."""
        try:
            return self.file is not None and self.file.stat().st_size > 0
        except OSError:
            return False

    def check(self) -> None:
        """Open the database if it is not open yet, and check that it holds the whole history.

        Raises:
            HistoryError: The file cannot be opened, or cannot be used any more: then the store holds
                only what was written to memory since.
        """
        if self.lost is not None:
            raise self.lost
        with self.database.glancing():
            pass

    def leave_lost_file(self) -> bool:
        """Go on in memory if the file cannot be used until this process ends.

        Returns:
            Whether the store has just been emptied: write again what it should hold.
        """
        with self._lock:
            if self.database.lost is None:
                return False
            self.lost = self.database.lost
            self.database.close()
            self._processes.close()
            self._use_memory()
            return True

    # Conversations

    def find(
        self, *, name: str | None = None, notebook: str | None = None, kernel: str | None = None
    ) -> Stored | None:
        """Return the conversation with a name, or the default one of a notebook's path or a kernel."""
        column, value = "kernel", kernel
        if (text := name if notebook is None else notebook) is not None:
            column, value = "name" if notebook is None else "notebook", self._masked_name(text)
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT * FROM conversations WHERE {column} = ? ORDER BY id DESC", (value,)
            ).fetchone()
            return _stored_of(row) if row else None

    def find_new(self, name: str, notebook: str | None) -> Stored | None:
        """Return the conversation of a notebook's path, or else of a name; waits hardly for it."""
        column, value = ("notebook", notebook) if notebook is not None else ("name", name)
        with self.database.glancing() as connection:
            found = connection.execute(
                f"SELECT * FROM conversations WHERE {column} = ? ORDER BY id DESC LIMIT 1",
                (self._masked_name(value),),
            ).fetchall()
            return _stored_of(found[0]) if found else None

    def with_cells(self, cells: Iterable[str]) -> list[CellsInCommon]:
        """Return the default conversations of notebooks that have cells in common with these.

        Cells of the turns count, and those that the notebook's file had.

        Returns:
            The conversation with the most common cells comes first; among equal ones the newest.
        """
        wanted = sorted(set(cells))
        found: list[CellsInCommon] = []
        common: dict[int, set[str]] = {}
        with self.database.reading() as connection:
            own = {
                row["id"]: row
                for row in connection.execute(
                    "SELECT * FROM conversations WHERE notebook IS NOT NULL OR cells IS NOT NULL"
                )
            }
            for start in range(0, len(wanted), _IDS_AT_ONCE):
                some = wanted[start : start + _IDS_AT_ONCE]
                for row in connection.execute(
                    "SELECT DISTINCT conversation, cell_id FROM turns WHERE cell_id IN "
                    f"({', '.join('?' * len(some))})",
                    some,
                ):
                    common.setdefault(row["conversation"], set()).add(row["cell_id"])
            for id, row in own.items():
                saved = _ids_of(row["cells"])
                kept = saved.intersection(wanted)
                if both := common.get(id, set()) | kept:
                    known = saved | _cells_of_turns(connection, id)
                    found.append(
                        CellsInCommon(_stored_of(row), len(both), len(known), len(kept), len(saved))
                    )
        return sorted(found, key=lambda each: (each.common, each.conversation.id), reverse=True)

    def claim(self, conversation: int, owner: Owner) -> None:
        """Store, soon, that a conversation is the default one of a kernel and its notebook.

        A conversation that had the notebook's path before gives it up.
        """
        path = self._masked_name(owner.path) if owner.path else None

        def claim(connection: sqlite3.Connection) -> None:
            if path:
                _release(connection, path, except_for=conversation)
            connection.execute(
                "UPDATE conversations SET notebook = coalesce(?, notebook), kernel = ?, "
                "cells = coalesce(?, cells) WHERE id = ?",
                (path, owner.kernel, owner.stored_cells, conversation),
            )

        self.writer.request(Transaction(self.database, claim))

    def release(self, path: str) -> None:
        """Store, soon, that no conversation is the default one of a notebook's path any more."""
        name = self._masked_name(path)
        self.writer.request(Transaction(self.database, lambda each: _release(each, name)))

    def conversations(self) -> list[Stored]:
        """Return all conversations, the most recently used one last."""
        with self.database.reading() as connection:
            found = connection.execute(
                "SELECT * FROM conversations ORDER BY "
                "(SELECT max(id) FROM turns WHERE conversation = conversations.id), id"
            ).fetchall()
            return [_stored_of(row) for row in found]

    def revision(self, conversation: int) -> int:
        """Return the revision of a conversation; -1 when it was deleted."""
        with self.database.glancing() as connection:
            found = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchall()
            revision: int = found[0]["revision"] if found else -1
            return revision

    def create(
        self,
        name: str,
        *,
        owner: Owner | None = None,
        forked_from: int | None = None,
        listed: bool = True,
    ) -> Stored:
        """Create a conversation, or return the one that another process has just created.

        Args:
            name: Its name.
            owner: The kernel and the notebook whose default conversation it is.
            forked_from: The id of the conversation that it is a copy of.
        """
        owner = owner or Owner()
        name = self._masked_name(name)
        notebook = self._masked_name(owner.path) if owner.path else None
        with self.database.writing() as connection:

            def find(column: str, value: str) -> sqlite3.Row | None:
                found: sqlite3.Row | None = connection.execute(
                    f"SELECT * FROM conversations WHERE {column} = ?", (value,)
                ).fetchone()
                return found

            row = find("notebook", notebook) if notebook else find("name", name)
            if row is not None and notebook and row["kernel"] != owner.kernel:
                _release(connection, notebook)
                row = None
            if row is None:
                # Another kernel may have taken the name since it was chosen for this notebook.
                names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
                free = next(each for each in names if not find("name", each))
                now = rows.microseconds(datetime.now(timezone.utc))
                connection.execute(
                    "INSERT INTO conversations "
                    "(name, notebook, kernel, cells, forked_from, created_at, unlisted) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        free,
                        notebook,
                        owner.kernel,
                        owner.stored_cells,
                        forked_from,
                        now,
                        int(not listed),
                    ),
                )
                row = find("name", free)
            assert row is not None
            return _stored_of(row)

    def show_in_lists(self, conversation: int) -> None:
        """Show a conversation in pickers and lists from now on."""
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE conversations SET unlisted = 0 WHERE id = ?", (conversation,)
            )

    def rename(self, conversation: int, name: str) -> None:
        """Rename a conversation.

        Raises:
            UsageError: Another conversation has the name.
        """
        name = self._masked_name(name)

        def rename() -> None:
            with self.database.writing() as connection:
                taken = connection.execute(
                    "SELECT 1 FROM conversations WHERE name = ? AND id <> ?", (name, conversation)
                ).fetchone()
                if taken:
                    raise UsageError(say("history.name_taken", name=name))
                connection.execute(
                    "UPDATE conversations SET name = ? WHERE id = ?", (name, conversation)
                )

        self.writer.call(rename)

    def delete(self, *conversations: int) -> None:
        """Delete conversations with all their turns, so that none of their text is left in any file.

        Raises:
            HistoryError: Nothing, or not everything, was deleted; call again to delete the rest.
        """

        def delete() -> None:
            with self.database.writing() as connection:
                for conversation in conversations:
                    _unindex(connection, "conversation = ?", (conversation,))
                    for table, column in (
                        ("turns", "conversation"),
                        ("slots", "conversation"),
                        ("conversations", "id"),
                    ):
                        connection.execute(
                            f"DELETE FROM {table} WHERE {column} = ?", (conversation,)
                        )
                search.purge_removed(connection)
            self.database.truncate_log()

        self.writer.call(delete)

    # Turns

    def load(self, conversation: int, known: Iterable[Turn] = ()) -> tuple[TurnTree, int]:
        """Return the stored turns of a conversation and its revision; -1 when it was deleted.

        Args:
            conversation: The id of the conversation.
            known: Turn objects that exist already; they are reused for the rows with their ids.
        """
        self.close_orphaned_turns()
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchone()
            versions = self._versions(connection, conversation, known)
            slot_rows = connection.execute(
                "SELECT * FROM slots WHERE conversation = ? ORDER BY id", (conversation,)
            ).fetchall()
            return _tree(slot_rows, versions), rows.number(row["revision"]) if row else -1

    def _versions(
        self, connection: sqlite3.Connection, conversation: int, known: Iterable[Turn]
    ) -> dict[int, list[Turn]]:
        """Return the versions of each slot, oldest first. Known turns are reused and updated."""
        turns = {turn.id: turn for turn in known}
        found = connection.execute(
            "SELECT id, slot, owner, stale FROM turns WHERE conversation = ? ORDER BY id",
            (conversation,),
        ).fetchall()

        def is_new(row: sqlite3.Row) -> bool:
            turn = turns.get(row["id"])
            return turn is None or (
                turn.status == STREAMING and not self._processes.is_me(row["owner"])
            )

        new = {row["id"] for row in found if is_new(row)}
        for row in connection.execute(
            f"SELECT {_ALL_COLUMNS} FROM turns WHERE conversation = ? AND id >= ?",
            (conversation, min(new, default=LARGEST)),
        ):
            if row["id"] in new:
                turn = rows.turn_of(row)
                turns.setdefault(turn.id, turn).update_from(turn)
        versions: dict[int, list[Turn]] = {}
        for row in found:
            turn = turns[row["id"]]
            turn.stale = bool(row["stale"])
            if (
                turn.status == STREAMING
                and row["owner"]
                and self._processes.has_ended(row["owner"])
            ):
                turn.status, turn.error = PARTIAL, kernel_ended()  # soon in the database too
            versions.setdefault(row["slot"], []).append(turn)
        return versions

    def save(self, conversation: int, changes: Changes, revision: int | None = None) -> int | None:
        """Write changes as one transaction, and give new turns and slots their ids.

        Args:
            conversation: The id of the conversation.
            changes: The changes.
            revision: The revision that the changes are based on; ``None`` for any.

        Returns:
            The new revision; ``None`` when the conversation was deleted or has another revision by
            now, and nothing was written.

        Raises:
            HistoryError: Nothing was written.
        """
        turn_ids: dict[Turn, int] = {}
        slot_ids: dict[Slot, int] = {}
        with self.database.writing() as connection:
            row = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchone()
            if row is None or revision not in (None, row["revision"]):
                return None
            next_id, next_revision = _next_turn_id(connection), rows.number(row["revision"]) + 1
            for turn in changes.turns:
                if turn.id is None:
                    turn_ids[turn] = next_id + len(turn_ids)
            for place in changes.slots:
                if place.slot.id is None:
                    # The id of a slot is the id of its first stored version.
                    slot_ids[place.slot] = next(
                        id
                        for turn in place.versions
                        if (id := turn.id or turn_ids.get(turn)) is not None
                    )
            slot_id_of = {
                turn: place.slot.id or slot_ids[place.slot]
                for place in changes.slots
                for turn in place.versions
            }
            self._insert(connection, conversation, changes.turns, turn_ids, slot_id_of)
            self._update(connection, changes.turns)
            _write_slots(connection, conversation, changes.slots, turn_ids, slot_ids)
            if changes.removed:
                _remove(connection, conversation, changes.removed)
            connection.execute(
                "UPDATE conversations SET revision = revision + 1 WHERE id = ?", (conversation,)
            )
        for turn, id in turn_ids.items():
            turn.id = id
        for slot, id in slot_ids.items():
            slot.id = id
        return next_revision

    def append_text(self, turn: int, text: tuple[str, str], reasoning: tuple[str, str]) -> None:
        """Append new text to an answer that streams.

        Args:
            turn: The id of the turn.
            text, reasoning: Two masked strings each: text to append for good, and the tail after
                it, which the next call replaces.
        """
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE turns SET text = text || ?, tail = ?, reasoning = reasoning || ?, "
                "reasoning_tail = ? WHERE id = ?",
                (*text, *reasoning, turn),
            )

    def _masked_name(self, name: str) -> str:
        """Return a name as it is stored: with secrets masked."""
        return self._masks(False)(without_surrogates(name))

    def masked(self, turns: Iterable[Turn]) -> dict[Turn, Masker]:
        """Return turns, each with the masker for the secrets that are known now."""
        turns = list(turns)
        masks = {
            allowed: self._masks(allowed) for allowed in {each.allow_secrets for each in turns}
        }
        return {turn: masks[turn.allow_secrets] for turn in turns}

    def find_answer(
        self, request: str, conversation: int | None, *, everywhere: bool = True
    ) -> Turn | None:
        """Return the newest complete turn with a request's fingerprint.

        Args:
            request: The fingerprint.
            conversation: The id of the conversation that asks: its turns come first, replays
                included.
            everywhere: Whether to search the other conversations too.
        """
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_ALL_COLUMNS} FROM turns WHERE request = :request "
                "AND status = 'complete' "
                "AND (conversation IS :own OR (:everywhere AND origin IS NULL)) "
                "ORDER BY conversation IS :own DESC, id DESC LIMIT 1",
                {"request": request, "own": conversation, "everywhere": everywhere},
            ).fetchone()
            return rows.turn_of(row) if row else None

    def close(self) -> None:
        """Write what is due, close the database and remove the lock file of this process."""
        self.writer.finish(PATIENCE_S)
        self.database.close()
        self._processes.close()

    def _insert(
        self,
        connection: sqlite3.Connection,
        conversation: int,
        turns: Mapping[Turn, Masker],
        turn_ids: dict[Turn, int],
        slot_id_of: dict[Turn, int],
    ) -> None:
        columns = ("id", "conversation", "slot", "owner", *rows.COLUMNS)
        placeholders = ", ".join("?" * len(columns))
        inserted = [
            (
                id,
                conversation,
                slot_id_of[turn],
                self._owner(turn),
                *rows.values_of(turn, turns[turn]),
            )
            for turn, id in turn_ids.items()
        ]
        connection.executemany(
            f"INSERT INTO turns ({', '.join(columns)}) VALUES ({placeholders})", inserted
        )
        prompt, text = columns.index("prompt"), columns.index("text")
        if ended := [(row[0], row[prompt], row[text]) for row in inserted if row[3] is None]:
            search.add(connection, ended)

    def _update(self, connection: sqlite3.Connection, turns: Mapping[Turn, Masker]) -> None:
        for turn, mask in turns.items():
            if turn.id is None:
                continue
            values = dict(zip(rows.COLUMNS, rows.values_of(turn, mask), strict=True))
            if turn.status == STREAMING:
                del values["text"], values["reasoning"]
            else:
                values |= dict.fromkeys(rows.TAILS, "")
                _reindex(connection, turn.id or 0, values["prompt"], values["text"])
            values["owner"] = self._owner(turn)
            assignments = ", ".join(f"{name} = ?" for name in values)
            connection.execute(
                f"UPDATE turns SET {assignments} WHERE id = ?", (*values.values(), turn.id)
            )

    def _owner(self, turn: Turn) -> str | None:
        return self._processes.name if turn.status == STREAMING else None

    def close_orphaned_turns(self) -> None:
        """Mark turns as partial whose processes ended while the answers streamed.

        Raises:
            HistoryError: The file cannot be used.
        """
        with self.database.reading() as connection:
            if not self._removed_ended:
                self._removed_ended = True
                self._processes.remove_ended()
            open_ = connection.execute(
                "SELECT DISTINCT owner FROM turns WHERE owner IS NOT NULL"
            ).fetchall()
        ended = [row["owner"] for row in open_ if self._processes.has_ended(row["owner"])]
        for owner in ended:
            self.writer.request(Transaction(self.database, partial(_mark_partial, owner=owner)))
        if ended:
            self.writer.finish(QUICK_S)


def kernel_ended() -> Words:
    """Return the error of an answer whose process ended while the answer streamed."""
    return say("history.kernel_ended")


def _stored_of(row: sqlite3.Row) -> Stored:
    return Stored(
        row["id"],
        rows.text(row["name"]),
        row["notebook"] and rows.text(row["notebook"]),
        row["kernel"] and rows.text(row["kernel"]),
        row["forked_from"],
        rows.number(row["revision"]),
        listed=not row["unlisted"],
    )


def _ids_of(cells: str | None) -> set[str]:
    try:
        return set(map(str, json.loads(cells or "[]")))
    except (ValueError, TypeError):  # changed by hand or damaged
        return set()


def _cells_of_turns(connection: sqlite3.Connection, conversation: int) -> set[str]:
    """Return the ids of the cells that have asked, without VS Code's, which are in no file."""
    turns = connection.execute(
        "SELECT DISTINCT cell_id FROM turns WHERE conversation = ?", (conversation,)
    )
    return {turn["cell_id"] for turn in turns if is_cell_id(turn["cell_id"])}


def _release(connection: sqlite3.Connection, path: str, except_for: int | None = None) -> None:
    """Take a notebook's path from its conversation, which is still known to be a notebook's."""
    connection.execute(
        "UPDATE conversations SET notebook = NULL, cells = coalesce(cells, '[]') "
        "WHERE notebook = ? AND id IS NOT ?",
        (path, except_for),
    )


def _tree(slot_rows: Iterable[sqlite3.Row], versions: dict[int, list[Turn]]) -> TurnTree:
    """Return the tree of slots given as rows; slots without a turn are skipped."""
    slots: dict[int, Slot] = {}
    for row in slot_rows:
        if turns := versions.get(row["id"]):
            active = next((i for i, turn in enumerate(turns) if turn.id == row["active"]), 0)
            after_reset = bool(row["after_reset"])
            slots[row["id"]] = Slot(None, turns, active, after_reset=after_reset, id=row["id"])
    tree = TurnTree()
    for row in slot_rows:
        slot = slots.get(row["id"])
        if slot is not None:
            slot.parent = slots.get(row["parent"])
            tree.insert(slot, chosen=bool(row["chosen"]))
    tree.finish_loading()
    return tree


def _mark_partial(connection: sqlite3.Connection, owner: str) -> None:
    found = connection.execute(
        "SELECT id, conversation, prompt, text || tail FROM turns WHERE owner = ?", (owner,)
    ).fetchall()
    error = kernel_ended()
    connection.execute(
        "UPDATE turns SET status = ?, error = ?, said = ?, owner = NULL, text = text || tail, tail = '', "
        "reasoning = reasoning || reasoning_tail, reasoning_tail = '' WHERE owner = ?",
        (PARTIAL, error, rows.said(error=error), owner),
    )
    search.add(connection, [(id, rows.text(prompt), text) for id, _, prompt, text in found])
    connection.executemany(
        "UPDATE conversations SET revision = revision + 1 WHERE id = ?",
        {(conversation,) for _, conversation, _, _ in found},
    )


def _next_turn_id(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
    last = rows.number(row["seq"]) if row else 0
    if last > LARGEST // 2:  # no kernel has stored so many turns
        raise MalformedError(say("history.malformed_last_turn"))
    return last + 1


def _write_slots(
    connection: sqlite3.Connection,
    conversation: int,
    places: Sequence[PlacedSlot],
    turn_ids: dict[Turn, int],
    slot_ids: dict[Slot, int],
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO slots (id, conversation, parent, chosen, active, after_reset) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                place.slot.id or slot_ids[place.slot],
                conversation,
                (place.parent.id or slot_ids.get(place.parent)) if place.parent else None,
                int(place.chosen),
                place.active.id or turn_ids[place.active],
                int(place.after_reset),
            )
            for place in places
        ],
    )


def _remove(connection: sqlite3.Connection, conversation: int, removed: Sequence[int]) -> None:
    for id in removed:
        _unindex(connection, "id = ? AND conversation = ?", (id, conversation))
        connection.execute(
            "DELETE FROM turns WHERE id = ? AND conversation = ?", (id, conversation)
        )
    connection.execute(
        "DELETE FROM slots WHERE conversation = ? AND id NOT IN "
        "(SELECT slot FROM turns WHERE conversation = ?)",
        (conversation, conversation),
    )


def _unindex(connection: sqlite3.Connection, where: str, values: tuple[int, ...]) -> None:
    found = connection.execute(
        f"SELECT id, prompt, text FROM turns WHERE indexed = 1 AND {where}", values
    ).fetchall()
    search.remove(
        connection, [(row["id"], rows.text(row["prompt"]), rows.text(row["text"])) for row in found]
    )


def _reindex(connection: sqlite3.Connection, id: int, prompt: str, text: str) -> None:
    row = connection.execute(
        "SELECT prompt, text, indexed FROM turns WHERE id = ?", (id,)
    ).fetchone()
    if row is None or (row["indexed"] and (row["prompt"], row["text"]) == (prompt, text)):
        return
    if row["indexed"]:
        search.remove(connection, [(id, rows.text(row["prompt"]), rows.text(row["text"]))])
    search.add(connection, [(id, prompt, text)])
