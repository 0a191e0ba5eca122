"""Conversations in a file: found, loaded, saved as they change, and looked through."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cbai_notebook.conversation.archive import rows, words
from cbai_notebook.conversation.archive.alive import Alive
from cbai_notebook.conversation.archive.database import Database
from cbai_notebook.conversation.secrets import Masker, masker
from cbai_notebook.conversation.tree import Slot, TurnTree
from cbai_notebook.conversation.turn import PARTIAL, STREAMING, Turn
from cbai_notebook.errors import UsageError

ENDED = "The kernel ended before the answer did."
"""What is said of an answer whose process is gone."""

_ALL = ", ".join(("id", "conversation", "slot", "tail", *rows.COLUMNS))


@dataclass(frozen=True)
class Stored:
    """A conversation in the file.

    Attributes:
        id: Its number.
        name: Its name, which no other has.
        notebook: The path of the notebook whose own conversation it is.
        forked_from: The number of the conversation that it was copied from.
        revision: A number that grows with every change.
    """

    id: int
    name: str
    notebook: str | None
    forked_from: int | None
    revision: int


@dataclass(frozen=True)
class Changes:
    """What of a conversation is to be written.

    Attributes:
        turns: Turns that are new or have other content.
        slots: Slots that are new or lead elsewhere; one that is new behind the slot before it.
        gone: Numbers of turns to forget.
    """

    turns: Sequence[Turn] = ()
    slots: Sequence[Slot] = ()
    gone: Sequence[int] = ()


class Archive:
    """The history in one file, for all threads of this process and beside other processes.

    Args:
        file: Where it is.
        masks: Given whether a turn's secrets are allowed, returns what masks the others.
    """

    def __init__(self, file: Path, *, masks: Callable[[bool], Masker] = masker) -> None:
        self.file = file
        self.database = Database(file)
        self._masks = masks
        self._alive = Alive(file.parent / f"{file.stem}-kernels")

    def __repr__(self) -> str:
        return f"<Archive {str(self.file)!r}>"

    def check(self) -> None:
        """Open the file if it is not open.

        Raises:
            HistoryError: It cannot be opened.
        """
        self.database.data_version()

    # Conversations

    def find(self, *, name: str | None = None, notebook: str | None = None) -> Stored | None:
        """Return the conversation of a name, or of a notebook's path."""
        column, value = ("name", name) if notebook is None else ("notebook", notebook)
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT * FROM conversations WHERE {column} = ?", (value,)
            ).fetchone()
        return _stored(row) if row else None

    def conversations(self) -> list[Stored]:
        """Return every conversation, the one that was last talked in last."""
        with self.database.reading() as connection:
            found = connection.execute(
                "SELECT * FROM conversations ORDER BY "
                "(SELECT max(id) FROM turns WHERE conversation = conversations.id), id"
            ).fetchall()
        return [_stored(row) for row in found]

    def revision(self, conversation: int) -> int:
        """Return a conversation's revision; -1 when it is gone."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchone()
        return int(row["revision"]) if row else -1

    def create(
        self, name: str, *, notebook: str | None = None, forked_from: int | None = None
    ) -> Stored:
        """Make a conversation, or return the one of that name that another process has just made."""
        with self.database.writing() as connection:

            def find(column: str, value: str) -> sqlite3.Row | None:
                found: sqlite3.Row | None = connection.execute(
                    f"SELECT * FROM conversations WHERE {column} = ?", (value,)
                ).fetchone()
                return found

            row = find("notebook", notebook) if notebook else find("name", name)
            if row is None:
                # Another kernel may have taken the name that was free for this notebook.
                names = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
                free = next(each for each in names if not find("name", each))
                now = rows.microseconds(datetime.now(timezone.utc))
                connection.execute(
                    "INSERT INTO conversations (name, notebook, forked_from, created_at) "
                    "VALUES (?, ?, ?, ?)",
                    (free, notebook, forked_from, now),
                )
                row = find("name", free)
        assert row is not None
        return _stored(row)

    def rename(self, conversation: int, name: str) -> None:
        """Give a conversation another name.

        Raises:
            UsageError: Another one has it.
        """
        with self.database.writing() as connection:
            taken = connection.execute(
                "SELECT 1 FROM conversations WHERE name = ? AND id <> ?", (name, conversation)
            ).fetchone()
            if taken:
                raise UsageError(f"There is a conversation {name!r} already. Choose another name.")
            connection.execute(
                "UPDATE conversations SET name = ? WHERE id = ?", (name, conversation)
            )

    def delete(self, conversation: int) -> None:
        """Forget a conversation with all its turns."""
        with self.database.writing() as connection:
            _unindex(connection, "conversation = ?", (conversation,))
            for table, column in (("turns", "conversation"), ("slots", "conversation")):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (conversation,))
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation,))

    # Turns

    def load(self, conversation: int, known: Iterable[Turn] = ()) -> tuple[TurnTree, int]:
        """Return a conversation's turns as they are stored, and its revision.

        Args:
            conversation: Its number.
            known: Turns that exist already; they are used where their numbers stand.
        """
        self._close_what_ended(conversation)
        existing = {turn.id: turn for turn in known}
        tree = TurnTree()
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchone()
            versions: dict[int, list[Turn]] = {}
            for found in connection.execute(
                f"SELECT {_ALL} FROM turns WHERE conversation = ? ORDER BY id", (conversation,)
            ):
                turn = existing.get(found["id"]) or rows.turn_of(found)
                versions.setdefault(found["slot"], []).append(turn)
            slots: dict[int, Slot] = {}
            for found in connection.execute(
                "SELECT * FROM slots WHERE conversation = ? ORDER BY id", (conversation,)
            ):
                held = versions.get(found["id"])
                if not held:
                    continue
                active = next((i for i, one in enumerate(held) if one.id == found["active"]), 0)
                slot = Slot(slots.get(found["parent"]), held, active, id=found["id"])
                slots[found["id"]] = slot
                tree.insert(slot)
                if found["chosen"]:
                    slot.parent.chosen = slot  # type: ignore[union-attr]
        tree.settle()
        return tree, int(row["revision"]) if row else 0

    def save(self, conversation: int, changes: Changes) -> int:
        """Write changes as one transaction, number what is new, and return the new revision.

        Raises:
            HistoryError: Nothing was written.
        """
        numbers: dict[Turn, int] = {}
        places: dict[Slot, int] = {}
        with self.database.writing() as connection:
            following = _next_number(connection)
            for turn in changes.turns:
                if turn.id is None:
                    numbers[turn] = following + len(numbers)
            for slot in changes.slots:
                if slot.id is None:
                    # Its first version that is stored gives it its number.
                    places[slot] = next(
                        number
                        for one in slot.versions
                        if (number := one.id or numbers.get(one)) is not None
                    )
            home = {
                turn: slot.id or places[slot] for slot in changes.slots for turn in slot.versions
            }
            self._insert(connection, conversation, numbers, home)
            self._update(connection, [turn for turn in changes.turns if turn.id is not None])
            _write_slots(connection, conversation, changes.slots, numbers, places)
            _remove(connection, conversation, changes.gone)
            connection.execute(
                "UPDATE conversations SET revision = revision + 1 WHERE id = ?", (conversation,)
            )
            (revision,) = connection.execute(
                "SELECT revision FROM conversations WHERE id = ?", (conversation,)
            ).fetchone() or (0,)
        for turn, number in numbers.items():
            turn.id = number
        for slot, number in places.items():
            slot.id = number
        return int(revision)

    def extend(self, turn: int, text: str, reasoning: str, tail: str) -> None:
        """Add to an answer under way what has come since the last time.

        Args:
            turn: Its number.
            text, reasoning: What is added for good, secrets masked.
            tail: What follows the text so far and is written anew the next time.
        """
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE turns SET text = text || ?, reasoning = reasoning || ?, tail = ? WHERE id = ?",
                (text, reasoning, tail, turn),
            )

    def mask_for(self, turn: Turn) -> Masker:
        """Return what masks the secrets in a turn, as they are known now."""
        return self._masks(turn.allow_secrets)

    def _values(self, turns: Iterable[Turn]) -> Iterator[list[Any]]:
        """Yield the values of turns, with the secrets looked up once for all of them."""
        masks: dict[bool, Masker] = {}
        for turn in turns:
            mask = masks.get(turn.allow_secrets)
            if mask is None:
                mask = masks[turn.allow_secrets] = self.mask_for(turn)
            yield rows.values_of(turn, mask)

    def answered(self, request: str) -> Turn | None:
        """Return the newest complete turn that was asked with a request, by its fingerprint."""
        with self.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_ALL} FROM turns WHERE request = ? AND status = 'complete' "
                "AND origin IS NULL ORDER BY id DESC LIMIT 1",
                (request,),
            ).fetchone()
        return rows.turn_of(row) if row else None

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
        self._alive.close()

    def _insert(
        self,
        connection: sqlite3.Connection,
        conversation: int,
        numbers: dict[Turn, int],
        home: dict[Turn, int],
    ) -> None:
        columns = ("id", "conversation", "slot", "owner", *rows.COLUMNS)
        marks = ", ".join("?" * len(columns))
        inserted = [
            (
                number,
                conversation,
                home[turn],
                self._owner(turn),
                *values,
            )
            for (turn, number), values in zip(numbers.items(), self._values(numbers), strict=True)
        ]
        connection.executemany(
            f"INSERT INTO turns ({', '.join(columns)}) VALUES ({marks})", inserted
        )
        prompt, text = columns.index("prompt"), columns.index("text")
        words.add(
            connection,
            [(row[0], row[prompt], row[text]) for row in inserted if row[3] is None],
        )

    def _update(self, connection: sqlite3.Connection, turns: Sequence[Turn]) -> None:
        for turn in turns:
            values = dict(zip(rows.COLUMNS, rows.values_of(turn, self.mask_for(turn)), strict=True))
            if turn.status == STREAMING:
                del values["text"], values["reasoning"]
            else:
                values["tail"] = ""
                _reindex(connection, turn.id or 0, values["prompt"], values["text"])
            values["owner"] = self._owner(turn)
            assignments = ", ".join(f"{name} = ?" for name in values)
            connection.execute(
                f"UPDATE turns SET {assignments} WHERE id = ?", (*values.values(), turn.id)
            )

    def _owner(self, turn: Turn) -> str | None:
        return self._alive.name if turn.status == STREAMING else None

    def _close_what_ended(self, conversation: int) -> None:
        """Mark as partial what was under way in a process that is gone."""
        with self.database.reading() as connection:
            open_ = connection.execute(
                "SELECT DISTINCT owner FROM turns WHERE owner IS NOT NULL AND conversation = ?",
                (conversation,),
            ).fetchall()
        ended = [row["owner"] for row in open_ if self._alive.has_ended(row["owner"])]
        for owner in ended:
            with self.database.writing() as connection:
                connection.execute(
                    "UPDATE turns SET status = ?, error = ?, owner = NULL, text = text || tail, "
                    "tail = '' WHERE owner = ?",
                    (PARTIAL, ENDED, owner),
                )
                found = connection.execute(
                    "SELECT id, prompt, text FROM turns WHERE indexed = 0 AND owner IS NULL "
                    "AND conversation = ?",
                    (conversation,),
                ).fetchall()
                words.add(connection, [tuple(row) for row in found])


def _stored(row: sqlite3.Row) -> Stored:
    return Stored(row["id"], row["name"], row["notebook"], row["forked_from"], row["revision"])


def _next_number(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
    return int(row["seq"]) + 1 if row else 1


def _write_slots(
    connection: sqlite3.Connection,
    conversation: int,
    slots: Sequence[Slot],
    numbers: dict[Turn, int],
    places: dict[Slot, int],
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO slots (id, conversation, parent, chosen, active) "
        "VALUES (?, ?, ?, ?, ?)",
        [
            (
                slot.id or places[slot],
                conversation,
                (slot.parent.id or places.get(slot.parent)) if slot.parent else None,
                int(slot.is_chosen),
                slot.turn.id or numbers[slot.turn],
            )
            for slot in slots
        ],
    )


def _remove(connection: sqlite3.Connection, conversation: int, gone: Sequence[int]) -> None:
    if not gone:
        return
    for number in gone:
        _unindex(connection, "id = ?", (number,))
        connection.execute("DELETE FROM turns WHERE id = ?", (number,))
    connection.execute(
        "DELETE FROM slots WHERE conversation = ? AND id NOT IN "
        "(SELECT slot FROM turns WHERE conversation = ?)",
        (conversation, conversation),
    )


def _unindex(connection: sqlite3.Connection, where: str, values: tuple[int, ...]) -> None:
    found = connection.execute(
        f"SELECT id, prompt, text FROM turns WHERE indexed = 1 AND {where}", values
    ).fetchall()
    words.remove(connection, [tuple(row) for row in found])


def _reindex(connection: sqlite3.Connection, number: int, prompt: str, text: str) -> None:
    row = connection.execute(
        "SELECT prompt, text, indexed FROM turns WHERE id = ?", (number,)
    ).fetchone()
    if row is None or (row["indexed"] and (row["prompt"], row["text"]) == (prompt, text)):
        return
    if row["indexed"]:
        words.remove(connection, [(number, row["prompt"], row["text"])])
    words.add(connection, [(number, prompt, text)])
