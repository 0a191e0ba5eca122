"""A history of the version before opens, and a kernel of that version can go on with it beside ours.

``former_version/record.py`` has recorded the history and all statements of such a kernel.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.conversation.store import Store, schema
from cbai_notebook.conversation.store.queries import Filter, messages, usage
from tests.conversation.store.former_version.record import FOLDER, NOTEBOOK
from tests.conversation.store.registry import open_registry, write_cells
from tests.conversation.turns import prompts, turn

# Each read of the former kernel had its own connection; here one connection does everything.
SKIPPED = ("BEGIN", "PRAGMA data_version", "PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture
def former(file: Path) -> Path:
    """The path of a history that the version before has written."""
    file.parent.mkdir()
    file.write_bytes(gzip.decompress((FOLDER / "history.sqlite.gz").read_bytes()))
    return file


@pytest.fixture(autouse=True)
def notebook_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook of the history, where a server's kernel finds it."""
    monkeypatch.chdir(write_cells(tmp_path / NOTEBOOK, "c1", "c2").parent)


def run_former_kernel(file: Path) -> list[list[dict[str, Any]]]:
    """Execute the recorded statements; return the rows that each of them has found."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.row_factory = sqlite3.Row
    recorded = json.loads((FOLDER / "statements.json").read_text("utf-8"))
    found = [
        [dict(row) for row in connection.execute(sql, values)]
        for sql, values in recorded
        if sql not in SKIPPED
    ]
    connection.close()
    return found


def rows(file: Path, table: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    found = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")]
    connection.close()
    return found


def of_former_version(
    ours: list[dict[str, Any]], former: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return our rows with the columns that the former version knows."""
    known = former[0] if former else {}
    return [{name: row[name] for name in known} for row in ours]


def check(file: Path) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    connection.close()


def test_it_opens_with_everything_in_it(former: Path) -> None:
    before = {table: rows(former, table) for table in ("conversations", "slots", "turns")}
    store = Store(former)
    talk = open_registry(former, NOTEBOOK).current()
    assert talk.name == "poems.ipynb"
    assert prompts(talk) == ["Who was 李白?", "And Bai Juyi?", "1 + 2?", "This fails"]
    assert len(talk.alternatives(talk.turns[0])) == 2
    assert len(talk.alternatives(talk.turns[1])) == 2
    assert talk.turns[2].steps[1]["content"] == "3"
    (agent,) = open_registry(former).get("agent").turns
    assert (agent.record_id, [*agent.sources]) == ("r-1", ["searched"])
    assert [each["content"] for each in messages(store.database, Filter(search="诗人"))] == [
        "A poet. 诗人"
    ]
    assert sum(each["requests"] for each in usage(store.database)) == 7
    for table, wanted in before.items():
        assert of_former_version(rows(former, table), wanted) == wanted
    check(former)


def test_a_kernel_of_the_former_version_goes_on_beside_ours(former: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(former.read_bytes())
    wanted = run_former_kernel(alone)
    assert sum(map(len, wanted)) > 20

    registry = open_registry(former, NOTEBOOK)
    talk = registry.current()
    assert len(talk.turns) == 4
    found = run_former_kernel(former)
    assert [of_former_version(*each) for each in zip(found, wanted, strict=True)] == wanted
    for table in ("conversations", "slots", "turns"):
        expected = rows(alone, table)
        assert of_former_version(rows(former, table), expected) == expected

    talk.refresh()
    theirs = ["again", "And Bai Juyi?", "1 + 2?", "This fails", "later"]
    assert prompts(talk) == theirs
    assert registry.get("from the former version").turns[0].text == "Fine."
    assert "renamed" not in registry.names()
    store = Store(former)
    (later,) = messages(store.database, Filter(search="later", role="assistant", versions=True))
    assert (later["content"], later["reasoning"]) == ("Later text and more", "thinking ")
    talk.open(turn("ours", "1", cached_tokens=3)).wait(30)
    assert talk.not_stored == ""
    assert prompts(open_registry(former, NOTEBOOK).current()) == [*theirs, "ours"]
    check(former)
