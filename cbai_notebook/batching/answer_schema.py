"""The tables of the stored answers, as migration steps. New steps are appended; a released step is never changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from cbai_notebook.conversation.store.migration import Schema, Step
from cbai_notebook.i18n import Words, say


def _answers_and_runs(connection: sqlite3.Connection) -> None:
    # In the order of their arrival, with the keys in an index: keys are random, and only the small
    # index is then written at random places. Times are microseconds since 1970 in UTC.
    connection.execute(
        """
        CREATE TABLE answers (
            id INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE,
            run INTEGER NOT NULL,
            text TEXT NOT NULL,
            model TEXT,
            finish_reason TEXT,
            prompt_tokens INTEGER,
            completion_tokens INTEGER,
            total_tokens INTEGER,
            duration_s REAL,
            attempts INTEGER NOT NULL,
            answered_at INTEGER NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX answers_of ON answers (run)")
    # `said` holds the key and the values of `reason`, if it is a text of ours.
    connection.execute(
        """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            process TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            frame TEXT NOT NULL,
            prompt TEXT NOT NULL,
            model TEXT,
            row_count INTEGER,
            answered INTEGER NOT NULL,
            known INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            status TEXT NOT NULL,
            reason TEXT NOT NULL,
            said TEXT
        )
        """
    )
    # Requests that are under way: few rows, which come and go.
    connection.execute(
        "CREATE TABLE leases (key BLOB PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID"
    )
    # How many requests at once an address has taken.
    connection.execute(
        "CREATE TABLE limits (address TEXT PRIMARY KEY, requests INTEGER NOT NULL) WITHOUT ROWID"
    )


def _evaluations(connection: sqlite3.Connection) -> None:
    # `keys` holds a hash of 16 bytes for each case, `scores` a number of 4 bytes for each.
    connection.execute(
        """
        CREATE TABLE evaluations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            ended_at INTEGER NOT NULL,
            keys BLOB NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX evaluations_by_name ON evaluations (name)")
    connection.execute(
        """
        CREATE TABLE evaluation_scores (
            evaluation INTEGER NOT NULL,
            position INTEGER NOT NULL,
            variant TEXT NOT NULL,
            model TEXT NOT NULL,
            check_name TEXT NOT NULL,
            value REAL,
            low REAL,
            high REAL,
            n INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            scores BLOB NOT NULL,
            PRIMARY KEY (evaluation, position)
        ) WITHOUT ROWID
        """
    )


def _usage_of_runs(connection: sqlite3.Connection) -> None:
    # What the answers of a run have cost. It is counted when they are stored, for a later run may
    # replace an answer, and a sum over a million answers takes seconds. `tokens` also has those of
    # rows without an answer.
    for column in (
        "kind TEXT NOT NULL DEFAULT 'batch'",
        "provider TEXT NOT NULL DEFAULT ''",
        "requests INTEGER NOT NULL DEFAULT 0",
        "prompt_tokens INTEGER NOT NULL DEFAULT 0",
        "completion_tokens INTEGER NOT NULL DEFAULT 0",
        "answer_tokens INTEGER NOT NULL DEFAULT 0",
        "duration_s REAL NOT NULL DEFAULT 0.0",
    ):
        connection.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    # Only runs of imported answers have no model.
    connection.execute("UPDATE runs SET kind = 'import' WHERE model IS NULL")
    # Not `sum`, which fails where a server has told numbers that are too large.
    counts = ", ".join(
        f"CAST(min(total({name}), 9223372036854775807) AS INTEGER)"
        for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    connection.execute(
        "UPDATE runs SET (requests, prompt_tokens, completion_tokens, answer_tokens, duration_s) = "
        f"(SELECT count(*), {counts}, total(duration_s) FROM answers WHERE run = runs.id)"
    )


STEPS: tuple[tuple[str, Step], ...] = (
    ("answers and runs", _answers_and_runs),
    ("evaluations", _evaluations),
    ("usage of runs", _usage_of_runs),
)


def _text(name: str, **values: Any) -> Words:
    return say(f"answers_file.{name}", **values)


ANSWERS = Schema("answers", STEPS, "answers", _text)
"""What the stored answers of batches are, in a file or in memory."""
