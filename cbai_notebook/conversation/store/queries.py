"""Queries over all conversations in the store: messages by filter, usage, and summaries."""

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
"""Turns that are fetched from SQLite at once."""

NOT_SUCCESSFUL = "status NOT IN ('complete', 'streaming')"
"""Condition of the partial index on status. SQLite uses the index only if a query repeats it."""

_WAS_SENT = "(status != 'failed' OR request IS NOT '')"
"""Condition for turns whose request was sent; see `Turn.request`."""

CONVERSATION = "conversation"
"""The kind of usage that is not of a batch."""

USAGE_KEYS = (
    "day",
    "kind",
    "provider",
    "model",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "duration_s",
    "unanswered_tokens",
)


@dataclass(frozen=True)
class Filter:
    """Filter for messages; a field that is ``None`` does not filter.

    Attributes:
        conversation: The name of the conversation.
        model: The model that answered, with or without ``PROVIDER/``.
        since, until: Time of the prompt: at or after `since`, before `until`.
        status: Status of the turn, such as ``"complete"`` or ``"partial"``.
        role: Role of the message, such as ``"user"``.
        search: Words that a prompt or an answer contains; a phrase in double quotes.
        limit: The most messages to return, the newest ones.
        versions: Whether to include versions that a cell has replaced and turns on other branches.
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
    """Summary of one conversation.

    Attributes:
        name: The name of the conversation.
        turns: Number of turns on the active path: without branches and older versions.
        last: Time of the newest prompt on any branch.
        notebook: The path of the notebook whose default conversation this is.
        forked_from: The name of the conversation that it was copied from.
        listed: Whether pickers and lists show it; see :class:`.store.Stored`.
        id: The id in the store; ``None`` before it is first written.
        used: When a turn was last added, on any branch, or the conversation was created.
    """

    name: str
    turns: int
    last: datetime | None = None
    notebook: str | None = None
    forked_from: str | None = None
    listed: bool = True
    id: int | None = None
    used: datetime | None = None


def messages(database: Database, wanted: Filter) -> list[dict[str, Any]]:
    """Return the records of the messages that match a filter, oldest first.

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
            records = rows.turn_of(row).records(
                rows.text(row["name"]), -1 if number is None else number
            )
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

    Counts every request that was sent, also those of older versions; does not count copies and
    replays. Where the server reported no model, as for an interrupted answer, the row is that of the
    model that was asked for; the provider's name stands for a model without a name. Days are in this
    machine's time zone.

    Raises:
        HistoryError: The file cannot be read.
    """
    conditions, values = ["origin IS NULL", "provider IS NOT NULL", _WAS_SENT], list[Any]()
    if conversation is not None:
        conditions.append("conversation = (SELECT id FROM conversations WHERE name = ?)")
        values.append(conversation)
    if since is not None:
        conditions.append("created_at >= ?")
        values.append(rows.microseconds(since))
    with database.reading() as connection:
        found = connection.execute(
            f"SELECT {rows.day_of('created_at')} AS day, '{CONVERSATION}' AS kind, provider, "
            "coalesce(model, asked_model, provider) AS used_model, "
            f"count(*) AS requests, {rows.sum_of('prompt_tokens')} AS prompt_tokens, "
            f"{rows.sum_of('completion_tokens')} AS completion_tokens, "
            f"{rows.sum_of('total_tokens')} AS total_tokens, "
            f"{rows.sum_of('cached_tokens')} AS cached_tokens, "
            "coalesce(sum(duration_s), 0.0) AS duration_s, 0 AS unanswered_tokens FROM turns "
            f"WHERE {' AND '.join(conditions)} GROUP BY day, provider, used_model "
            "ORDER BY day, provider, used_model",
            values,
        ).fetchall()
    return [
        {key: row["used_model" if key == "model" else key] for key in USAGE_KEYS} for row in found
    ]


def summaries(database: Database) -> list[Summary]:
    """Return a summary of each conversation, the most recently used one last.

    Raises:
        HistoryError: The file cannot be read.
    """
    with database.reading() as connection:
        numbers = _TurnNumbers(connection)
        found = connection.execute(
            "SELECT c.id, c.name, c.notebook, c.unlisted, c.created_at, f.name AS forked_from, "
            "(SELECT count(*) FROM slots WHERE conversation = c.id) AS slots, "
            "c.id IN (SELECT conversation FROM slots WHERE NOT chosen) AS branched, "
            "(SELECT created_at FROM turns WHERE id = "
            "(SELECT max(id) FROM turns WHERE conversation = c.id)) AS last "
            "FROM conversations c LEFT JOIN conversations f ON f.id = c.forked_from "
            "ORDER BY last, c.id"
        ).fetchall()
        return [
            Summary(
                rows.text(row["name"]),
                # Without branches every slot is on the active path; counting them is faster.
                numbers.count(row["id"]) if row["branched"] else row["slots"],
                None if row["last"] is None else rows.moment(rows.number(row["last"])),
                row["notebook"],
                row["forked_from"],
                listed=not row["unlisted"],
                id=row["id"],
                # An imported turn is older than its conversation.
                used=rows.moment(max(row["created_at"], row["last"] or 0)),
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
            # Limits the scan of the index to the range of the conversation's turns.
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
    # The index yields matches one by one, newest first, so that a frequent word costs no more than
    # a rare one. CROSS JOIN makes SQLite read the index first.
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
    """Numbers of turns in their conversations; reads the active path of each conversation once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, dict[int, int]] = {}

    def number_of(self, row: sqlite3.Row) -> int | None:
        """Return a turn's number on the active path; ``None`` when the turn is not on it."""
        conversation = row["conversation"]
        if conversation not in self._known:
            self._known[conversation] = self._path(conversation)
        return self._known[conversation].get(row["id"])

    def count(self, conversation: int) -> int:
        """Return how many turns of a conversation are on the active path."""
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
