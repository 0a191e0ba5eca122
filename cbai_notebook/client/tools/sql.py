"""``cbai.sql``: a tool with which a model queries a database that it cannot change."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cbai_notebook.client.tools.tool import Tool, tool
from cbai_notebook.errors import UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import say

ROWS = 200
"""The most rows of a result, by default."""

QUERY_S = 30.0
"""Seconds that a query may take, by default."""

MOST_TABLES = 50
"""The most tables that the description of the tool names with their columns."""

MOST_BYTES = 10_000_000
"""The most bytes of a value of a result, and about the most of all its texts and blobs."""

_STEPS = 10_000
"""Steps of the database between two looks at the clock: less than a millisecond."""

# What a statement may do: read. SQLite asks about each part of a statement before it runs.
# https://www.sqlite.org/c3ref/set_authorizer.html
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


def sql(database: Any, /, *, rows: int = ROWS, timeout: float = QUERY_S, name: str = "sql") -> Tool:
    """Return a tool with which a model queries an SQLite database, and cannot change it.

    A file is opened again for reading only, so uncommitted changes are not seen. A database in memory
    is used through the connection, on the thread that made it. Functions that were registered there
    are not called.

    Args:
        database: A ``sqlite3.Connection``, or the path of a file.
        rows: The most rows of a result.
        timeout: Seconds that a query may take.
        name: The name of the tool.

    Raises:
        UsageError: It is neither, there is no such file, or it is no database.
    """
    connection, path = _opened(database)
    try:
        tables = _tables(connection)
    except sqlite3.DatabaseError as error:
        raise UsageError(say("tool.is_no_database", reason=str(error))) from error

    def query(statement: str) -> dict[str, Any]:
        if path is None:
            return _rows_of(connection, statement, rows, timeout)
        reading = _read_only(path)
        try:
            return _rows_of(reading, statement, rows, timeout)
        finally:
            reading.close()

    if path is not None:
        connection.close()
    query.__doc__ = (
        f"Run one SELECT statement of SQLite {sqlite3.sqlite_version} on a database; "
        f"at most {rows} rows come back.\n\n{tables}\n\n"
        "Args:\n    statement: The statement. Other statements are refused.\n"
    )
    # A connection in memory belongs to the thread that made it: that of the kernel's event loop.
    return tool(name=name, nested=path is None)(query)


def _opened(database: Any) -> tuple[sqlite3.Connection, Path | None]:
    """Return a connection, and the path of a file that is to be opened for each query."""
    if isinstance(database, sqlite3.Connection):
        path = next(
            (
                file
                for _, schema, file in _cursor(database).execute("PRAGMA database_list")
                if schema == "main"
            ),
            "",
        )
        return (_read_only(Path(path)), Path(path)) if path else (database, None)
    if not isinstance(database, (str, os.PathLike)):
        raise UsageError(say("tool.no_sql_database", type=type(database).__name__))
    found = expanded(database).absolute()
    if not found.is_file():
        raise UsageError(say("tool.no_database_file", path=str(found)))
    return _read_only(found), found


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    """Return a cursor whose rows are tuples, whatever the user's connection makes of rows."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor


def _tables(connection: sqlite3.Connection) -> str:
    """Return the tables and views with their columns, a line each."""
    names = [
        name
        for (name,) in _cursor(connection).execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
    ]
    lines = ["Tables:"]
    for name in names[:MOST_TABLES]:
        columns = _cursor(connection).execute(
            "SELECT name, type FROM pragma_table_info(?)", (name,)
        )
        lines.append(f"{name} ({', '.join(' '.join(filter(None, column)) for column in columns)})")
    if len(names) > MOST_TABLES:
        lines.append(f"and {len(names) - MOST_TABLES} more in sqlite_master")
    return "\n".join(lines)


def _rows_of(
    connection: sqlite3.Connection, statement: str, most: int, seconds: float
) -> dict[str, Any]:
    """Return the columns and the first rows of a result."""
    found: list[list[Any]] = []
    size = 0
    with _reading_only(connection, seconds):
        cursor = _cursor(connection).execute(statement)
        columns = [column[0] for column in cursor.description or ()]
        is_cut = False
        for row in cursor:
            if is_cut := len(found) == most or size > MOST_BYTES:
                break
            found.append(list(row))
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        cursor.close()
    result: dict[str, Any] = {"columns": columns, "rows": found}
    if is_cut:
        result["more"] = f"Only the first {len(found)} rows are here."
    return result


@contextmanager
def _reading_only(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Let a connection only read, for some seconds."""
    deadline = time.monotonic() + seconds
    refused = {"load_extension"} | {name for name, *_ in _functions(connection) - _own_functions()}

    def authorize(action: int, _: str | None, name: str | None, *_more: object) -> int:
        is_allowed = action in _READING and not (
            action == sqlite3.SQLITE_FUNCTION and name in refused
        )
        return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY

    # This function also lets the interrupt of a stopped answer through.
    is_late: Callable[[], bool] = lambda: time.monotonic() > deadline  # noqa: E731
    (before,) = _cursor(connection).execute("PRAGMA query_only").fetchone()
    connection.execute("PRAGMA query_only = ON")
    longest = -1
    if sys.version_info >= (3, 11):
        longest = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    connection.set_authorizer(authorize)
    connection.set_progress_handler(is_late, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
        # Before Python 3.11, None does not clear it but forbids everything.
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
        if sys.version_info >= (3, 11):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
        connection.execute(f"PRAGMA query_only = {before}")


def _functions(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """Return a row for each function of a connection; its name is the first value."""
    return set(_cursor(connection).execute("PRAGMA function_list"))


@cache
def _own_functions() -> set[tuple[Any, ...]]:
    """Return the functions that SQLite itself brings."""
    connection = sqlite3.connect(":memory:")
    try:
        return _functions(connection)
    finally:
        connection.close()
