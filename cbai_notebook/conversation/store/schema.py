"""The tables of the history, as migration steps. New steps are appended; a released step is never changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from cbai_notebook.conversation.store import search
from cbai_notebook.conversation.store.migration import Schema, Step
from cbai_notebook.i18n import Words, say


def _conversations_and_turns(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            notebook TEXT UNIQUE,
            forked_from INTEGER,
            created_at INTEGER NOT NULL,
            revision INTEGER NOT NULL DEFAULT 0
        )
        """
    )
    # The id of a slot is the id of its first stored turn.
    connection.execute(
        """
        CREATE TABLE slots (
            id INTEGER PRIMARY KEY,
            conversation INTEGER NOT NULL,
            parent INTEGER,
            chosen INTEGER NOT NULL,
            active INTEGER NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX slots_of ON slots (conversation)")
    # Times are microseconds since 1970 in UTC. `text` and `reasoning` grow while an answer streams;
    # `tail` holds the last word of the text, which may be the beginning of a secret.
    connection.execute(
        """
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation INTEGER NOT NULL,
            slot INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            prompt TEXT NOT NULL,
            system TEXT,
            provider TEXT,
            model TEXT,
            finish_reason TEXT,
            error TEXT,
            error_details TEXT,
            duration_s REAL,
            first_token_s REAL,
            prompt_tokens INTEGER,
            completion_tokens INTEGER,
            total_tokens INTEGER,
            cell_id TEXT,
            cell_turn INTEGER NOT NULL,
            left_out INTEGER NOT NULL,
            stale INTEGER NOT NULL,
            origin INTEGER,
            params TEXT,
            images TEXT,
            steps TEXT,
            owner TEXT,
            text TEXT NOT NULL,
            reasoning TEXT NOT NULL,
            tail TEXT NOT NULL DEFAULT ''
        )
        """
    )
    connection.execute("CREATE INDEX turns_of ON turns (conversation)")
    connection.execute("CREATE INDEX turns_by_time ON turns (created_at)")
    connection.execute("CREATE INDEX turns_under_way ON turns (owner) WHERE owner IS NOT NULL")


def _full_text_search(connection: sqlite3.Connection) -> None:
    # Contentless: the index stores words only; the text is stored once, in `turns`.
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5 (prompt, answer, content='', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    connection.execute("ALTER TABLE turns ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0")
    rows = connection.execute("SELECT id, prompt, text FROM turns WHERE owner IS NULL").fetchall()
    search.add(connection, rows)


def _answers_by_request(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN request TEXT")
    connection.execute("CREATE INDEX turns_by_request ON turns (request) WHERE request IS NOT NULL")


def _numbers_that_are_given_once(connection: sqlite3.Connection) -> None:
    # AUTOINCREMENT never reuses an id: another kernel may still hold the id of a deleted
    # conversation.
    connection.execute("ALTER TABLE conversations RENAME TO earlier")
    connection.execute(
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            notebook TEXT UNIQUE,
            forked_from INTEGER,
            created_at INTEGER NOT NULL,
            revision INTEGER NOT NULL DEFAULT 0
        )
        """
    )
    connection.execute(
        "INSERT INTO conversations (id, name, notebook, forked_from, created_at, revision) "
        "SELECT id, name, notebook, forked_from, created_at, revision FROM earlier"
    )
    connection.execute("DROP TABLE earlier")


def _last_word_of_the_reasoning(connection: sqlite3.Connection) -> None:
    # For `reasoning` what `tail` is for `text`.
    connection.execute("ALTER TABLE turns ADD COLUMN reasoning_tail TEXT NOT NULL DEFAULT ''")


def _records_of_agents(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN record_id TEXT")


def _sources_of_agents(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN sources TEXT")


def _drawings(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN drawn INTEGER NOT NULL DEFAULT 0")


def _models_as_they_were_asked_for(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN asked_model TEXT")


def _turns_that_did_not_end_well(connection: sqlite3.Connection) -> None:
    # A partial index: few turns are in it, so a query is fast and complete turns cost no space.
    connection.execute(
        "CREATE INDEX turns_by_end ON turns (status) WHERE status NOT IN ('complete', 'streaming')"
    )


def _cached_tokens_and_replies(connection: sqlite3.Connection) -> None:
    # These columns may be empty: a kernel with an older version does not write them.
    connection.execute("ALTER TABLE turns ADD COLUMN cached_tokens INTEGER")
    connection.execute("ALTER TABLE turns ADD COLUMN reply TEXT")


def _cells_that_continued_answers(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN continued_by TEXT")


def _conversations_that_are_not_listed(connection: sqlite3.Connection) -> None:
    # Those of runs without a notebook. A kernel with an older version lists what it creates.
    connection.execute("ALTER TABLE conversations ADD COLUMN unlisted INTEGER NOT NULL DEFAULT 0")
    # Earlier runs: their names were made for them, and no cell has asked in them.
    connection.execute(
        "UPDATE conversations SET unlisted = 1 WHERE notebook IS NULL "
        "AND name GLOB 'session-[0-9]*-[0-9]*-*' AND NOT EXISTS (SELECT 1 FROM turns "
        "WHERE conversation = conversations.id AND cell_id IS NOT NULL)"
    )


def _notebooks_of_kernels(connection: sqlite3.Connection) -> None:
    # The id of the kernel that used a conversation as its own last, and as JSON the ids of the cells
    # that its notebook's file had then. `cells` stays when another notebook takes over the path.
    connection.execute("ALTER TABLE conversations ADD COLUMN kernel TEXT")
    connection.execute("ALTER TABLE conversations ADD COLUMN cells TEXT")
    connection.execute(
        "CREATE INDEX turns_by_cell ON turns (cell_id, conversation) WHERE cell_id IS NOT NULL"
    )


def _texts_of_the_tables(connection: sqlite3.Connection) -> None:
    # As JSON, by the name of a column that holds a text of ours: its key and its values, from which
    # it is said again in the reader's language. Empty for rows of older versions.
    connection.execute("ALTER TABLE turns ADD COLUMN said TEXT")


def _turns_after_a_reset(connection: sqlite3.Connection) -> None:
    # Where an undo stops. What older versions began after a reset looks like any other branch.
    connection.execute("ALTER TABLE slots ADD COLUMN after_reset INTEGER NOT NULL DEFAULT 0")


STEPS: tuple[tuple[str, Step], ...] = (
    ("conversations and turns", _conversations_and_turns),
    ("full-text search", _full_text_search),
    ("answers by request", _answers_by_request),
    ("numbers that are given once", _numbers_that_are_given_once),
    ("last word of the reasoning", _last_word_of_the_reasoning),
    ("records of agents", _records_of_agents),
    ("sources of agents", _sources_of_agents),
    ("drawings", _drawings),
    ("models as they were asked for", _models_as_they_were_asked_for),
    ("turns that did not end well", _turns_that_did_not_end_well),
    ("cached tokens and replies", _cached_tokens_and_replies),
    ("cells that continued answers", _cells_that_continued_answers),
    ("conversations that are not listed", _conversations_that_are_not_listed),
    ("notebooks of kernels", _notebooks_of_kernels),
    ("texts of the tables", _texts_of_the_tables),
    ("turns after a reset", _turns_after_a_reset),
)


def _text(name: str, **values: Any) -> Words:
    return say(f"history_file.{name}", **values)


HISTORY = Schema("history", STEPS, "conversations", _text, derived_tables=r"words\_%")
"""What a history is, in a file or in memory; ``words`` is the table of the full-text search."""
