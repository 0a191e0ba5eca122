"""A model queries a database, and cannot change it."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook import Tool, sql
from cbai_notebook.errors import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my sales?.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sales (city TEXT, amount REAL)")
        rows = [(f"city {number}", number) for number in range(500)]
        connection.executemany("INSERT INTO sales VALUES (?, ?)", rows)
    connection.close()
    return path


@pytest.fixture(params=["file", "connection", "memory"])
def query(request: pytest.FixtureRequest, file: Path) -> Iterator[Tool]:
    """Return the tool on a file, on a connection to it, and on a copy in memory."""
    if request.param == "file":
        yield sql(file)
        return
    connection = sqlite3.connect(file if request.param == "connection" else ":memory:")
    if request.param == "memory":
        with sqlite3.connect(file) as source:
            source.backup(connection)
        source.close()
    yield sql(connection)
    assert connection.execute("SELECT count(*) FROM sales").fetchone() == (500,)
    connection.execute("DELETE FROM sales")  # the user may still change it
    connection.close()


def test_a_query_returns_its_first_rows(query: Tool) -> None:
    assert "sales (city TEXT, amount REAL)" in query.description
    assert query("SELECT sum(amount) AS total FROM sales") == {
        "columns": ["total"],
        "rows": [[124750.0]],
    }
    found = query("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n")
    assert len(found["rows"]) == 200
    assert "first 200 rows" in found["more"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sales",
        "INSERT INTO sales VALUES ('x', 1)",
        "CREATE TABLE more (x)",
        "DROP TABLE sales",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "ATTACH DATABASE '{folder}/other.db' AS other",
        "VACUUM INTO '{folder}/other.db'",
        "SELECT load_extension('x')",
        "BEGIN EXCLUSIVE",
        "SELECT 1; DELETE FROM sales",
    ],
)
def test_nothing_else_is_possible(query: Tool, file: Path, statement: str) -> None:
    with pytest.raises((sqlite3.Error, sqlite3.Warning)):
        query(statement.format(folder=file.parent))
    assert query("SELECT count(*) FROM sales")["rows"] == [[500]]
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name]


class OlderConnection(sqlite3.Connection):
    """A connection as before Python 3.11, where no authorizer, None, forbids everything."""

    def set_authorizer(self, callback: Any) -> None:
        super().set_authorizer(callback or (lambda *_: sqlite3.SQLITE_DENY))


def test_a_connection_is_usable_after_a_query() -> None:
    connection = sqlite3.connect(":memory:", factory=OlderConnection)
    assert sql(connection)("SELECT 1")["rows"] == [[1]]
    assert connection.execute("CREATE TABLE sales (city)").fetchall() == []


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_what_the_connection_makes_of_rows_does_not_count(file: Path, kind: str) -> None:
    connection = sqlite3.connect(file if kind == "file" else ":memory:")
    connection.execute("CREATE TABLE shops (city TEXT)")
    connection.execute("INSERT INTO shops VALUES ('Rome')")
    connection.commit()
    connection.row_factory = lambda cursor, row: {
        column[0]: value for column, value in zip(cursor.description, row, strict=True)
    }
    tool = sql(connection)
    assert tool.nested == (kind == "memory")
    assert "shops (city TEXT)" in tool.description
    assert tool("SELECT city FROM shops") == {"columns": ["city"], "rows": [["Rome"]]}
    assert connection.execute("SELECT city FROM shops").fetchone() == {"city": "Rome"}
    connection.close()


def test_functions_of_the_user_are_not_called() -> None:
    called: list[object] = []
    connection = sqlite3.connect(":memory:")
    for name in ("Remove", "upper"):
        connection.create_function(name, 1, called.append)
    tool = sql(connection)
    for name in ("remove", "UPPER"):
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            tool(f"SELECT {name}('x')")
    assert not called
    assert tool("SELECT lower('X'), date('2026-11-29')")["rows"] == [["x", "2026-11-29"]]


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="SQLite's limits are set from Python 3.11 on"
)
def test_a_result_has_some_bytes_at_most(query: Tool) -> None:
    with pytest.raises((sqlite3.Error, OverflowError), match="too big"):
        query("SELECT hex(zeroblob(100000000))")
    found = query("SELECT hex(zeroblob(2000000)) FROM sales")
    assert len(found["rows"]) == 3
    assert "first 3 rows" in found["more"]


def test_a_query_takes_some_time_at_most(file: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        sql(file, timeout=0.05)(endless)


def test_a_file_is_queried_on_any_thread(file: Path) -> None:
    found: list[Any] = []
    tool = sql(sqlite3.connect(file), rows=1)
    thread = threading.Thread(target=lambda: found.append(tool("SELECT city FROM sales")))
    thread.start()
    thread.join()
    assert found[0]["rows"] == [["city 0"]]
    assert not tool.nested
    assert sql(sqlite3.connect(":memory:")).nested


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("This is no database. " * 100)
    for database, says in (
        (7, "int"),
        (tmp_path / "missing.db", "missing.db"),
        (tmp_path / "notes.txt", "not a database"),
    ):
        with pytest.raises(UsageError, match=says):
            sql(database)
