"""A file with any number of migration steps is migrated without losing anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cbai_notebook.conversation.kernel_notebook import KernelNotebook
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store, schema, search
from cbai_notebook.conversation.store.queries import Filter, messages
from tests.conversation.store.registry import open_registry, write_cells
from tests.conversation.turns import turn


def file_of_age(file: Path, steps: int) -> None:
    """Write a file as it was after so many steps, with a conversation that has two versions."""
    file.parent.mkdir()
    connection = sqlite3.connect(file, isolation_level=None)
    schema.HISTORY.migrate(connection, steps)
    if not steps:
        return
    connection.execute(
        "INSERT INTO conversations (id, name, notebook, created_at) VALUES (3, 'old', 'a/b.ipynb', 1)"
    )
    for number, slot, status, prompt, text in (
        (1, 1, "complete", "What is old?", "Diese Übersicht"),
        (2, 1, "complete", "What is old?", "A newer version"),
        (3, 3, "complete", "你好", "李白是诗人"),
        (4, 4, "streaming", "And then", "half an answ"),
    ):
        connection.execute(
            "INSERT INTO turns (id, conversation, slot, created_at, status, prompt, cell_id, cell_turn, "
            "left_out, stale, text, reasoning, tail, owner) "
            "VALUES (?, 3, ?, 1000000, ?, ?, ?, 0, 0, 0, ?, '', '', ?)",
            (
                number,
                slot,
                status,
                prompt,
                f"c{slot}",
                text,
                "gone" if status == "streaming" else None,
            ),
        )
        if steps > 1 and status == "complete":
            search.add(connection, [(number, prompt, text)])
    connection.executemany(
        "INSERT INTO slots (id, conversation, parent, chosen, active) VALUES (?, 3, ?, 1, ?)",
        [(1, None, 2), (3, 1, 3), (4, 3, 4)],
    )
    connection.close()


@pytest.mark.parametrize("steps", range(len(schema.STEPS) + 1))
def test_a_file_of_any_age_opens_with_everything_in_it(
    steps: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_of_age(file, steps)
    monkeypatch.chdir(write_cells(tmp_path / "a" / "b.ipynb", "c3").parent)
    store = Store(file)
    registry = ConversationRegistry(store, KernelNotebook("a/b.ipynb"))
    talk = registry.current()
    if steps:
        assert talk.name == "old"
        assert [(each.prompt, each.text, each.status) for each in talk.turns] == [
            ("What is old?", "A newer version", "complete"),
            ("你好", "李白是诗人", "complete"),
            ("And then", "half an answ", "partial"),
        ]
        assert len(talk.alternatives(talk.turns[0])) == 2
        for search, count in (
            ("newer", 1),
            ("李白", 1),
            ("诗人", 1),
            ("answ", 1),
            ("ubersicht", 1),
        ):
            found = messages(store.database, Filter(search=search, versions=True))
            assert len(found) == count, search
    talk.open(turn("today", "new")).wait(30)
    assert talk.not_stored == ""
    assert open_registry(file).get(talk.name).turns[-1].prompt == "today"
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_numbers_of_deleted_conversations_are_not_given_again(file: Path) -> None:
    registry = open_registry(file)
    numbers = []
    for name in ("a", "b", "c"):
        talk = registry.get(name)
        talk.open(turn("x", "1")).wait(30)
        numbers.append(talk.id)
        registry.delete(talk)
    assert len(set(numbers)) == 3
