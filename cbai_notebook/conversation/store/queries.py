"""Looks over all conversations in the file: messages that fit a filter, what was used, what there is."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cbai_notebook.conversation.store import rows, search
from cbai_notebook.conversation.store.database import Database
from cbai_notebook.conversation.turn import COMPLETE, STREAMING

BATCH = 500
"""Turns that are fetched at once."""

NOT_SUCCESSFUL = "status NOT IN ('complete', 'streaming')"
"""Which turns have an index of their own. SQLite uses it only where the index is worded so as well."""

USAGE_KEYS = (
    "day",
    "provider",
    "model",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "duration_s",
)


@dataclass(frozen=True)
class Filter:
    """Which messages are wanted; what is ``None`` does not matter.

    Attributes:
        conversation: The name of their conversation.
        model: The model that answered, with or without ``PROVIDER/``.
        since, until: When they were asked: from, and before, this moment.
        status: How their turn ended, such as ``"complete"`` or ``"partial"``.
        role: Whose they are, such as ``"user"``.
        search: Words that a prompt or an answer holds; a phrase in double quotes.
        limit: How many, the newest.
        versions: With those that a cell has replaced and those on other branches.
    """

    conversation: str | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: str | None = None
    role: str | None = None
    search: str | None = None
    limit: int | None = None
    versions: bool = False


@dataclass(frozen=True)
class Summary:
    """What one conversation holds.

    Attributes:
        name: Its name.
        turns: How many turns are on show: without branches and older versions.
        last: When it was last asked something, on whatever branch.
        notebook: The path of the notebook whose own conversation it is.
        forked_from: The name of the conversation that it was copied from.
    """

    name: str
    turns: int
    last: datetime | None
    notebook: str | None
    forked_from: str | None


def messages(database: Database, wanted: Filter) -> list[dict[str, Any]]:
    """Return the records of the messages that fit, oldest first.

    Raises:
        HistoryError: The file cannot be read.
    """
    where, values = _conditions(wanted)
    if where is None:
        return []
    found: list[dict[str, Any]] = []
    with database.reading() as connection:
        numbers = _TurnNumbers(connection)
        for row in _newest_first(connection, where, values):
            number = numbers.number_of(row)
            if number is None and not wanted.versions:
                continue
            records = rows.turn_of(row).records(row["name"], -1 if number is None else number)
            found += [record for record in reversed(records) if _matches(record, wanted)]
            if wanted.limit is not None and len(found) >= wanted.limit:
                del found[wanted.limit :]
                break
    found.reverse()
    return found


def usage(
    database: Database, *, conversation: str | None = None, since: datetime | None = None
) -> list[dict[str, Any]]:
    """Return requests, tokens and seconds by day, provider and model; keys as :data:`USAGE_KEYS`.

    Every request that was sent counts, those of older versions as well; copies and answers out of the
    history do not. Days are those of this machine's time zone.

    Raises:
        HistoryError: The file cannot be read.
    """
    conditions, values = ["origin IS NULL", "provider IS NOT NULL"], list[Any]()
    if conversation is not None:
        conditions.append("conversation = (SELECT id FROM conversations WHERE name = ?)")
        values.append(conversation)
    if since is not None:
        conditions.append("created_at >= ?")
        values.append(rows.microseconds(since))
    with database.reading() as connection:
        found = connection.execute(
            "SELECT date(created_at / 1000000, 'unixepoch', 'localtime') AS day, provider, model, "
            "count(*) AS requests, coalesce(sum(prompt_tokens), 0) AS prompt_tokens, "
            "coalesce(sum(completion_tokens), 0) AS completion_tokens, "
            "coalesce(sum(total_tokens), 0) AS total_tokens, "
            "coalesce(sum(duration_s), 0.0) AS duration_s FROM turns "
            f"WHERE {' AND '.join(conditions)} GROUP BY day, provider, model "
            "ORDER BY day, provider, model",
            values,
        ).fetchall()
    return [{key: row[key] for key in USAGE_KEYS} for row in found]


def summaries(database: Database) -> list[Summary]:
    """Return what the conversations hold, the one that was last talked in last.

    Raises:
        HistoryError: The file cannot be read.
    """
    with database.reading() as connection:
        numbers = _TurnNumbers(connection)
        found = connection.execute(
            "SELECT c.id, c.name, c.notebook, f.name AS forked_from, "
            "(SELECT count(*) FROM slots WHERE conversation = c.id) AS slots, "
            "c.id IN (SELECT conversation FROM slots WHERE NOT chosen) AS branched, "
            "(SELECT created_at FROM turns WHERE id = "
            "(SELECT max(id) FROM turns WHERE conversation = c.id)) AS last "
            "FROM conversations c LEFT JOIN conversations f ON f.id = c.forked_from "
            "ORDER BY last, c.id"
        ).fetchall()
        return [
            Summary(
                row["name"],
                # Where every slot is chosen, all of them are on the path.
                numbers.count(row["id"]) if row["branched"] else row["slots"],
                None if row["last"] is None else rows.moment(row["last"]),
                row["notebook"],
                row["forked_from"],
            )
            for row in found
        ]


def _conditions(wanted: Filter) -> tuple[str | None, list[Any]]:
    conditions, values = ["1"], list[Any]()

    def require(condition: str, *params: Any) -> None:
        conditions.append(condition)
        values.extend(params)

    if wanted.conversation is not None:
        require(
            "turns.conversation = (SELECT id FROM conversations WHERE name = ?)",
            wanted.conversation,
        )
    if wanted.model is not None:
        require("(model = ? OR provider || '/' || model = ?)", wanted.model, wanted.model)
    if wanted.since is not None:
        require("turns.created_at >= ?", rows.microseconds(wanted.since))
    if wanted.until is not None:
        require("turns.created_at < ?", rows.microseconds(wanted.until))
    if wanted.status is not None:
        require("status = ?", wanted.status)
        if wanted.status not in (COMPLETE, STREAMING):
            require(NOT_SUCCESSFUL)
    if wanted.role == "system":
        require("system IS NOT NULL")
    if wanted.role == "tool":
        require("steps IS NOT NULL")
    if wanted.search is not None:
        found = search.expression(wanted.search)
        if not found:
            return None, []
        column = {"user": "prompt", "assistant": "answer"}.get(wanted.role or "")
        query = f"{{{column}}} : ({found})" if column else found
        require("words MATCH ?", query)
        if wanted.conversation is not None:
            # The index need not be looked through beyond the conversation's first and last turn.
            of = "FROM turns JOIN conversations c ON c.id = conversation WHERE c.name = ?"
            require(f"words.rowid >= (SELECT min(turns.id) {of})", wanted.conversation)
            require(f"words.rowid <= (SELECT max(turns.id) {of})", wanted.conversation)
    return " AND ".join(conditions), values


def _matches(record: dict[str, Any], wanted: Filter) -> bool:
    if wanted.role is not None and record["role"] != wanted.role:
        return False
    return wanted.search is None or search.record_matches(record, wanted.search)


def _newest_first(
    connection: sqlite3.Connection, where: str, values: list[Any]
) -> Iterator[sqlite3.Row]:
    columns = ", ".join(
        f"turns.{name}" for name in ("id", "slot", "conversation", *rows.TAILS, *rows.COLUMNS)
    )
    # The index gives what it finds newest first, one by one, so that a word which is everywhere costs
    # no more than a rare one; CROSS JOIN keeps it in front.
    searched = "words MATCH" in where
    source, order = (
        ("words CROSS JOIN turns ON turns.id = words.rowid", "words.rowid")
        if searched
        else ("turns", "turns.id")
    )
    cursor = connection.execute(
        f"SELECT {columns}, conversations.name FROM {source} "
        "CROSS JOIN conversations ON conversations.id = turns.conversation "
        f"WHERE {where} ORDER BY {order} DESC",
        values,
    )
    return itertools.chain.from_iterable(iter(lambda: cursor.fetchmany(BATCH), []))


class _TurnNumbers:
    """Where turns stand in their conversations; each conversation is looked at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, dict[int, int]] = {}

    def number_of(self, row: sqlite3.Row) -> int | None:
        """Return a turn's number on the path that is on show; ``None`` when it is not on it."""
        conversation = row["conversation"]
        if conversation not in self._known:
            self._known[conversation] = self._path(conversation)
        return self._known[conversation].get(row["id"])

    def count(self, conversation: int) -> int:
        """Return how many turns of a conversation are on show."""
        return len(self._path(conversation))

    def _path(self, conversation: int) -> dict[int, int]:
        following = {
            found["parent"]: (found["id"], found["active"])
            for found in self._connection.execute(
                "SELECT id, parent, active FROM slots WHERE conversation = ? AND chosen",
                (conversation,),
            )
        }
        path: dict[int, int] = {}
        slot = None
        while slot in following:
            slot, turn = following.pop(slot)
            path[turn] = len(path)
        return path
