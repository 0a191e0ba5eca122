"""A run without a notebook leaves no entry in pickers and lists, and nothing of it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbai_notebook.conversation import chat, conversations, keep_history, names
from cbai_notebook.conversation.history import summaries
from cbai_notebook.conversation.store import schema
from cbai_notebook.session import leaves_entries
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn


def test_a_run_leaves_no_entry_and_everything_is_there(file: Path) -> None:
    run = open_registry(file, listed=False)
    own = run.current()
    own.open(turn("a", "1")).wait(30)
    run.get("poems").open(turn("b", "2")).wait(30)
    assert set(run.names()) == {own.name, "poems"}, "it lists what it uses itself"
    later = open_registry(file, listed=False)
    assert later.names() == ()
    assert later.names(every=True) == (own.name, "poems")
    assert prompts(later.get("poems")) == ["b"]
    assert [(each.name, prompts(each)) for each in open_registry(file).each()] == [
        (own.name, ["a"]),
        ("poems", ["b"]),
    ]


def test_a_notebook_that_goes_on_with_it_gives_it_an_entry(file: Path) -> None:
    open_registry(file, listed=False).get("poems").open(turn("a", "1")).wait(30)
    notebook = open_registry(file, "a.ipynb")
    talk = notebook.get("poems")
    assert open_registry(file).names() == ()
    talk.open(turn("b", "2")).wait(30)
    assert open_registry(file).names() == ("poems",)
    open_registry(file, listed=False).get("poems").open(turn("c", "3")).wait(30)
    assert open_registry(file).names() == ("poems",)


def test_conversations_of_earlier_runs_lose_their_entries(file: Path) -> None:
    file.parent.mkdir()
    connection = sqlite3.connect(file, isolation_level=None)
    schema.HISTORY.migrate(connection, [name for name, _ in schema.STEPS].index(STEP))
    connection.executemany(
        "INSERT INTO conversations (id, name, notebook, created_at) VALUES (?, ?, ?, 1)",
        [
            (1, "session-20261122-0830-a1b2", None),
            (2, "session-20261122-0831-a1b2", None),
            (3, "session-notes", None),
            (4, "session-20261122-0832-a1b2", "a.ipynb"),
        ],
    )
    connection.execute(
        "INSERT INTO turns (id, conversation, slot, created_at, status, prompt, cell_turn, "
        "left_out, stale, text, reasoning, cell_id) "
        "VALUES (1, 2, 1, 1, 'complete', 'x', 0, 0, 0, 'y', '', 'cell')"
    )
    connection.close()
    found = open_registry(file)
    assert "session-20261122-0830-a1b2" not in found.names()
    assert len(found.names()) == 3
    assert len(found.names(every=True)) == 4


STEP = "conversations that are not listed"


def test_a_process_that_knows_no_frontend_leaves_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leaves_entries() is False
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert leaves_entries() is True


# Delete many --------------------------------------------------------------------------------------


@pytest.fixture
def four(kept: Path) -> Iterator[Path]:
    """Four conversations: two in use, one only stored, one of a run."""
    open_registry(kept).get("stored").open(turn("a", "an unusual word")).wait(30)
    open_registry(kept, listed=False).get("of a run").open(turn("b", "2")).wait(30)
    chat("in use").open(turn("c", "3")).wait(30)
    chat().open(turn("d", "4")).wait(30)
    yield kept


def test_all_of_many_are_deleted_and_no_word_is_left(four: Path) -> None:
    assert len(names(every=True)) == 4
    own = chat()
    conversations().delete_all([each.id for each in summaries() if each.id is not None])
    assert open_registry(four).names(every=True) == ()
    assert own.turns == ()
    assert chat() is own
    data = b"".join(each.read_bytes() for each in four.parent.iterdir() if each.is_file())
    assert b"unusual" not in data
    own.open(turn("e", "5")).wait(30)
    assert prompts(open_registry(four).get(own.name)) == ["e"]


def test_only_the_named_ones_are_deleted(four: Path) -> None:
    conversations().delete_all([each.id or 0 for each in summaries() if each.name == "of a run"])
    assert set(open_registry(four).names(every=True)) == {"stored", "in use", chat().name}
    keep_history(four)
    assert prompts(chat("stored")) == ["a"]
