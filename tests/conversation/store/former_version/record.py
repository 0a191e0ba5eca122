"""Record a history and how a kernel uses it: ``python -m tests.conversation.store.former_version.record``.

Run it with the code of a released version: it writes a history (``history.sqlite.gz``), lets a kernel go
on with it, and records every SQL statement of that kernel (``statements.json``).
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cbai_notebook.conversation import Turn
from cbai_notebook.conversation.kernel_notebook import KernelNotebook
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store, queries
from cbai_notebook.conversation.store.queries import Filter

FOLDER = Path(__file__).parent
NOTEBOOK = "work/poems.ipynb"


class Recording(sqlite3.Connection):
    """A connection that records its statements with their values."""

    statements: list[tuple[str, list[Any]]] = []  # noqa: RUF012  shared by all connections

    def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:  # type: ignore[override]
        """Record and execute a statement."""
        values = list(values)
        self.statements.append((sql, values))
        return super().execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Iterable[Any]]) -> sqlite3.Cursor:  # type: ignore[override]
        """Record and execute a statement once for each row."""
        rows = [list(row) for row in rows]
        self.statements.extend((sql, row) for row in rows)
        return super().executemany(sql, rows)


def turn(number: int, prompt: str, text: str = "", **values: Any) -> Turn:
    """Return the turn of an answer, as complete unless `values` say otherwise."""
    ordinary = {
        "status": "complete", "provider": "cloudbase", "model": "hy3", "duration_s": 1.5,
        "prompt_tokens": 10, "completion_tokens": number, "total_tokens": 10 + number,
    }  # fmt: skip
    made = Turn(
        prompt, datetime(2026, 11, 22, 8, 30, number, tzinfo=timezone.utc), **{**ordinary, **values}
    )
    made.add(text, "")
    return made


def write(store: Store) -> None:
    """Write a history with versions, branches, tool calls, an agent, a failure and a fork."""
    registry = ConversationRegistry(store, KernelNotebook(NOTEBOOK))
    talk = registry.current()
    talk.open(
        turn(1, "Who was 李白?", "A poet of the Tang dynasty.", system="Be brief.", request="1")
    ).wait(30)
    talk.open(turn(2, "Who was 李白?", "A poet. 诗人", cell_id="c1"), replaces=talk.turns[0]).wait(
        30
    )
    talk.open(turn(3, "And Du Fu?", "Another poet.", cell_id="c2")).wait(30)
    talk.open(turn(4, "And Bai Juyi?", "A third poet."), branch_of=talk.turns[1]).wait(30)
    call = {"id": "a", "type": "function", "function": {"name": "add", "arguments": '{"x": 1}'}}
    steps = (
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "3"},
    )
    talk.open(turn(5, "1 + 2?", "3", steps=steps, params={"temperature": 0.5})).wait(30)
    talk.open(turn(6, "This fails", status="failed", error="No connection.")).wait(30)
    agent = registry.get("agent")
    sources = {"searched": [{"title": "a", "url": "https://example.com/"}]}
    agent.open(
        turn(7, "Hello", "An agent.", provider="agent", record_id="r-1", sources=sources)
    ).wait(30)
    registry.fork(agent, "copy", None)


def go_on(store: Store) -> None:
    """Read, search, ask, stream, replace, choose, delete and rename, as a kernel does."""
    registry = ConversationRegistry(store, KernelNotebook(NOTEBOOK))
    talk = registry.current()
    streaming = turn(11, "later", status="streaming", request="2", system="Be long.", cell_id="c3")
    talk.open(streaming).wait(30)
    talk.grow(streaming, "Later text ", "thinking ")
    talk.checkpoint(streaming).wait(30)
    talk.grow(streaming, "and more", "")
    talk.close(streaming, "complete").wait(30)
    talk.open(turn(12, "again", "A newer version."), replaces=talk.turns[0]).wait(30)
    talk.choose(talk.alternatives(talk.turns[1])[0])
    talk.delete(talk.turns[-1])
    talk.refresh()
    talk.answered("nothing")
    registry.names()
    queries.messages(store.database, Filter(search="later", versions=True))
    queries.messages(store.database, Filter(status="failed", model="hy3", versions=True))
    queries.usage(store.database, conversation="copy")
    queries.summaries(store.database)
    registry.get("from the former version").open(turn(13, "A new one", "Fine.")).wait(30)
    registry.rename(registry.get("copy"), "renamed")
    registry.delete(registry.get("renamed"))
    assert not talk.not_stored, talk.not_stored


def record(folder: Path) -> None:
    """Record both files into the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        file, copy = Path(scratch) / "history.sqlite", Path(scratch) / "copy.sqlite"
        connect = sqlite3.connect
        sqlite3.connect = lambda *a, **k: connect(*a, factory=Recording, **k)  # type: ignore[assignment]
        store = Store(file)
        write(store)
        plain = connect(file)
        plain.execute("VACUUM INTO ?", (str(copy),))
        plain.close()
        (folder / "history.sqlite.gz").write_bytes(gzip.compress(copy.read_bytes(), mtime=0))
        Recording.statements.clear()
        go_on(store)
        recorded = [json.dumps(each, ensure_ascii=False) for each in Recording.statements]
        (folder / "statements.json").write_text("[\n" + ",\n".join(recorded) + "\n]\n", "utf-8")
        store.close()


if __name__ == "__main__":
    record(FOLDER)
