"""A file with missing, altered or foreign tables is left as it is, and the session goes on in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cbai_notebook.conversation import chat, conversations, keep_history, names
from cbai_notebook.conversation.history import history, summaries, usage
from cbai_notebook.conversation.store import current_store
from cbai_notebook.conversation.store.schema import HISTORY, STEPS
from cbai_notebook.errors import HistoryError
from tests.conversation.store.conftest import Ask
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts

LATEST = len(STEPS)

SCHEMAS = {
    **{f"no {name}": f"DROP TABLE {name}" for name in ("turns", "slots", "conversations", "words")},
    "no column": "ALTER TABLE slots DROP COLUMN chosen",
    "another column": "ALTER TABLE turns RENAME COLUMN prompt TO question",
    "one more column": "ALTER TABLE turns ADD COLUMN more TEXT NOT NULL DEFAULT ''",
    "other columns": "DROP TABLE turns; CREATE TABLE turns (id, prompt)",
    "another type": "ALTER TABLE conversations DROP COLUMN revision; "
    "ALTER TABLE conversations ADD COLUMN revision TEXT NOT NULL DEFAULT 0",
    "no search": "DROP TABLE words; CREATE TABLE words (prompt, answer)",
    "view": "ALTER TABLE conversations RENAME TO other; "
    "CREATE VIEW conversations AS SELECT * FROM other",
    "trigger": "CREATE TRIGGER gone AFTER INSERT ON turns BEGIN DELETE FROM turns; END",
    "version too low": f"PRAGMA user_version = {LATEST - 1}",
    "version far too low": "PRAGMA user_version = 3",
    "version that never was": "PRAGMA user_version = -1",
    "no version": "PRAGMA user_version = 0",
    "tables of another program": "DROP TABLE turns; DROP TABLE slots; DROP TABLE conversations; "
    "DROP TABLE words; PRAGMA user_version = 0; CREATE TABLE mine (a); INSERT INTO mine VALUES (1)",
}

VALUES = {
    "text as a number": "UPDATE conversations SET revision = 'many'",
    "bytes as a name": "UPDATE conversations SET name = x'ff00'",
    "name that is no UTF-8": "UPDATE conversations SET name = CAST(x'ff00' AS TEXT)",
    "bytes as a prompt": "UPDATE turns SET prompt = x'ff00'",
    "bytes as a model": "UPDATE turns SET model = x'ff00'",
    "text as tokens": "UPDATE turns SET total_tokens = 'many'",
    "text as a time": "UPDATE turns SET created_at = 'noon'",
    "list as parameters": "UPDATE turns SET params = '[1]'",
    "numbers as images": "UPDATE turns SET images = '[1]'",
    "texts as steps": """UPDATE turns SET steps = '["a"]'""",
    "deep parameters": f"""UPDATE turns SET params = '{{"a":{"[" * 50_000}{"]" * 50_000}}}'""",
    "text as the last id": "UPDATE sqlite_sequence SET seq = 'last' WHERE name = 'turns'",
    "largest id": "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'turns'",
}


def change(file: Path, script: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)


def contents(file: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = bytes
        found = connection.execute("PRAGMA user_version").fetchall()
        found += connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        tables = [name for kind, name, sql in found[1:] if kind == b"table" and b"VIRT" not in sql]
        for name in tables:
            found += connection.execute(f"SELECT * FROM {name.decode()}").fetchall()
    return found


@pytest.fixture
def written(file: Path, ask_prompt: Ask) -> Path:
    """Return a file with a conversation of one turn."""
    ask_prompt(open_registry(file).get("talk"), "before", model="blast:3")
    return file


@pytest.mark.parametrize("script", SCHEMAS.values(), ids=SCHEMAS)
def test_other_tables_are_said_and_left_alone(script: str, written: Path, ask_prompt: Ask) -> None:
    change(written, script)
    before = contents(written)
    keep_history(written)
    try:
        for number, name in enumerate(("talk", "talk", "other")):
            assert ask_prompt(chat(name), f"prompt {number}", model="blast:3").text
            said = chat(name).not_stored
            assert said.startswith(f"The history in {written} has other tables")
            assert "kept in memory" in said
            assert "\n" not in said
        assert prompts(chat("talk")) == ["prompt 0", "prompt 1"]
        assert {"talk", "other"} <= set(names())
        conversations().rename(chat("other"), "renamed")
        assert prompts(chat("renamed")) == ["prompt 2"]
        for ask_for in (history, usage, summaries):
            with pytest.raises(HistoryError, match="has other tables"):
                ask_for()
    finally:
        current_store().close()
        keep_history(None)
    assert contents(written) == before


@pytest.mark.parametrize("script", VALUES.values(), ids=VALUES)
def test_values_of_other_types_are_said_and_break_no_prompt(
    script: str, written: Path, ask_prompt: Ask
) -> None:
    change(written, script)
    keep_history(written)
    try:
        for prompt in ("one", "two"):
            assert ask_prompt(chat("talk"), prompt, model="blast:3").text
        assert prompts(chat("talk"))[-2:] == ["one", "two"]
        chat("talk").refresh()
        assert prompts(chat("talk"))[-2:] == ["one", "two"]
        for ask_for in (history, usage, summaries, names):
            try:
                ask_for()
            except HistoryError as error:
                assert str(written) in str(error)
    finally:
        current_store().close()
        keep_history(None)
    with closing(sqlite3.connect(written)) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone()[0] >= 1


def test_tables_that_go_while_they_are_used_end_in_memory(written: Path, ask_prompt: Ask) -> None:
    keep_history(written)
    try:
        talk = chat("talk")
        assert prompts(talk) == ["before"]
        change(written, "DROP TABLE turns")
        before = contents(written)
        assert ask_prompt(talk, "after", model="blast:3").text
        assert "has other tables" in talk.not_stored
        assert prompts(talk) == ["before", "after"]
        assert ask_prompt(chat("other"), "more", model="blast:3").text
    finally:
        current_store().close()
        keep_history(None)
    assert contents(written) == before


@pytest.mark.parametrize("steps", range(LATEST + 1))
def test_a_file_of_any_version_is_taken(steps: int, file: Path, ask_prompt: Ask) -> None:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        HISTORY.migrate(connection, steps)
        # Tables and views of a user's own do no harm, where the file is a history already.
        if steps:
            connection.execute("CREATE TABLE mine (a)")
    talk = open_registry(file).get("talk")
    ask_prompt(talk, "Hello", model="blast:3")
    assert talk.not_stored == ""
    assert prompts(open_registry(file).get("talk")) == ["Hello"]
