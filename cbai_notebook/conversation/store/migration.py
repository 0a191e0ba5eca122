"""The tables of one kind of SQLite file, as migration steps, and the check that a file has them.

SQLite's ``user_version`` counts the steps that were applied to a file, so an older file gets the
missing steps. A step and its count commit together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from cbai_notebook.i18n import Words, say

Step = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True)
class Schema:
    """The tables of one kind of SQLite file.

    Attributes:
        name: What the file holds, such as ``"history"``.
        steps: The migration steps with their names. New steps are appended; a released step is never
            changed.
        first_table: A table of the first step: reading from it is what begins a snapshot.
        text: Says a text about such a file in the words of its users, such as ``"moved"``.
        derived_tables: A pattern of SQL's LIKE, with a backslash as its escape, for tables that
            SQLite makes itself for one of these.
    """

    name: str
    steps: tuple[tuple[str, Step], ...]
    first_table: str
    text: Callable[..., Words]
    derived_tables: str = ""

    def problem(self, connection: sqlite3.Connection) -> Words | None:
        """Return how the tables of a file differ from those of its version; None if they do not.

        Args:
            connection: A connection in autocommit mode to a file that is no newer than :attr:`steps`.
        """
        # One transaction: another process may apply a step just now.
        connection.execute("BEGIN")
        try:
            steps, tables = version(connection), self._tables(connection)
            (triggers,) = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
            ).fetchone()
        finally:
            connection.execute("COMMIT")
        if steps == 0 and tables:
            return say("history.of_another_program")
        expected = _tables_after(self, steps) if steps >= 0 else {}
        for name, columns in expected.items():
            if name not in tables:
                return say("history.no_table", name=name)
            if tables[name] != columns:
                return say("history.other_table", name=name)
        if steps < 0:
            return say("history.wrong_version", version=steps)
        return say("history.has_triggers") if triggers else None

    def _tables(self, connection: sqlite3.Connection) -> dict[str, _Columns]:
        """Return name, type, NOT NULL and key of the columns of each table.

        The root page is 0 for a virtual table. SQLite's own tables are left out.
        """
        return {
            name: frozenset(
                (rootpage == 0, *column)
                for column in connection.execute(
                    'SELECT name, upper(type), "notnull", pk FROM pragma_table_info(?)', (name,)
                )
            )
            for name, rootpage in connection.execute(
                "SELECT name, rootpage FROM sqlite_master WHERE type = 'table' "
                r"AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE ? ESCAPE '\'",
                (self.derived_tables,),
            ).fetchall()
        }

    def migrate(self, connection: sqlite3.Connection, steps: int | None = None) -> None:
        """Apply the missing steps to a file.

        Args:
            connection: A connection in autocommit mode.
            steps: The number of steps that the file has afterwards; all steps by default.
        """
        steps = len(self.steps) if steps is None else steps
        while version(connection) < steps:
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Another process may have applied the step while this one waited for the lock.
                done = version(connection)
                if done < steps:
                    self.steps[done][1](connection)
                    connection.execute(f"PRAGMA user_version = {done + 1}")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise


def version(connection: sqlite3.Connection) -> int:
    """Return how many steps were applied to a file."""
    (count,) = connection.execute("PRAGMA user_version").fetchone()
    return int(count)


_Columns = frozenset[tuple[Any, ...]]


@cache
def _tables_after(schema: Schema, steps: int) -> dict[str, _Columns]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection, steps)
        return schema._tables(connection)
