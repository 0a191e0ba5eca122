"""`%cbai delete --older`, `--all`, `export --all` and `use --all`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook import errors
from cbai_notebook.conversation import keep_history
from cbai_notebook.conversation.formats import read_file
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import turn
from tests.notebook.cells import error_of, must

Command = Callable[[str], str]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Path]:
    """A history with conversations that were used some days ago, one of them by a run."""
    file = tmp_path / "data" / "history.sqlite"
    now = datetime.now(timezone.utc)
    registry, run = open_registry(file), open_registry(file, listed=False)
    for days, name, of in ((40, "old", registry), (35, "run", run), (3, "new", registry)):
        asked = turn(f"asked in {name}", "yes")
        asked.created_at = now - timedelta(days=days)
        of.get(name).open(asked).wait(30)
    import sqlite3

    connection = sqlite3.connect(file)
    with connection:
        connection.execute(
            "UPDATE conversations SET created_at = (SELECT created_at FROM turns "
            "WHERE conversation = conversations.id)"
        )
    connection.close()
    # Imported today, so it is in use, however old its messages are.
    imported = turn("from long ago", "yes")
    imported.created_at = datetime(2019, 1, 1, tzinfo=timezone.utc)
    registry.get("imported").open(imported).wait(30)
    keep_history(file)
    yield file
    keep_history(None)


@pytest.fixture
def command(
    shell: TerminalInteractiveShell, history: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs a command and returns what it prints."""

    def run(line: str) -> str:
        capsys.readouterr()
        must(shell, f"%cbai {line}")
        return capsys.readouterr().out

    return run


def left(file: Path) -> set[str]:
    return set(open_registry(file).names(every=True))


EVERY = {"old", "run", "new", "imported"}


def test_old_conversations_are_deleted_and_named(command: Command, history: Path) -> None:
    said = command("delete --older 30d --yes")
    assert said.strip() == "Forgot 2 conversations with 2 turns ('old' and 'run')."
    assert left(history) == {"new", "imported"}
    assert command("delete --older 5w -y").strip() == "No conversation is that old."
    assert "('new')" in command("delete --older 48h -y")
    assert left(history) == {"imported"}


@pytest.mark.parametrize(
    ("answer", "remain"), [("", EVERY), ("n", EVERY), ("y", {"new", "imported"})]
)
def test_it_asks_first(
    command: Command,
    history: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    remain: set[str],
) -> None:
    asked: list[str] = []

    def reply(question: str = "") -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("builtins.input", reply)
    said = command("delete --older 2w")
    assert asked == ["Forget 2 conversations with 2 turns ('old' and 'run') for good? [y/N] "]
    assert ("Nothing was forgotten." in said) == (answer != "y")
    assert left(history) == remain


def test_where_nobody_can_answer_nothing_is_deleted(
    shell: TerminalInteractiveShell, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(question: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    error = error_of(shell, "%cbai delete --all")
    assert isinstance(error, errors.UsageError)
    assert "--yes" in str(error)
    assert left(history) == EVERY


def test_all_are_deleted(command: Command, history: Path) -> None:
    cbai.chat().append({"role": "user", "content": "mine"})
    assert "Forgot 5 conversations with 5 turns" in command("delete --all --yes")
    assert left(history) == set()
    assert cbai.chat().turns == ()


@pytest.mark.parametrize(
    "age",
    ["30", "d", "30 d", "-3d", "0d", "1.5d", "30x", "30days", "1e3d", "³d", "999999999d", "''"],
)
def test_a_wrong_age_is_an_error_and_nothing_is_deleted(
    shell: TerminalInteractiveShell, history: Path, age: str
) -> None:
    error = error_of(shell, f"%cbai delete --yes --older {age}")
    assert isinstance(error, errors.UsageError)
    assert left(history) == EVERY


def test_the_error_shows_the_right_forms(shell: TerminalInteractiveShell, history: Path) -> None:
    assert "12h, 30d or 2w" in str(error_of(shell, "%cbai delete --older 30"))


@pytest.mark.parametrize(
    "line",
    ["old --all", "-c old --older 1d", "--all --older 30d", "old --older 1h"],
)
def test_what_is_not_clear_is_not_deleted(
    shell: TerminalInteractiveShell, history: Path, line: str
) -> None:
    error = error_of(shell, f"%cbai delete --yes {line}")
    assert isinstance(error, errors.UsageError)
    assert left(history) == EVERY


def test_a_list_shows_what_runs_have_left_only_when_asked(command: Command, history: Path) -> None:
    said = command("use")
    assert "old" in said
    assert "run " not in said
    assert "1 more of scripts and consoles: %cbai use --all lists them." in said
    assert "run " in command("use --all")
    assert "'run' (1 turn)" in command("use run")
    assert "more of scripts" not in command("use")


@pytest.mark.parametrize("form", ["messages", "markdown", "notebook"])
def test_all_are_exported_into_a_folder(command: Command, history: Path, form: str) -> None:
    cbai.chat("a/b").append({"role": "user", "content": "in a/b"})
    cbai.chat("A b").append({"role": "user", "content": "in A b"})
    assert "Wrote" in command(f"export --all --to {form} -o out")
    files = sorted(Path("out").iterdir())
    assert len(files) == 6
    text = "".join(file.read_text("utf-8") for file in files)
    for name in ("old", "run", "new"):
        assert f"asked in {name}" in text
    assert "in a/b" in text
    assert "in A b" in text
    assert set(left(history)) == {*EVERY, "a/b", "A b"}
    if form == "messages":
        assert sum(len(list(read_file(file))) for file in files) == 6


def test_an_export_of_all_says_what_it_left_out(
    command: Command, shell: TerminalInteractiveShell, history: Path
) -> None:
    cbai.chat("two").open(turn("one", "1")).wait(30)
    cbai.chat("two").open(turn("two", "2")).wait(30)
    said = command("export --all --to web --examples 1")
    assert "Wrote" in said
    assert said.count("Left out") == 4
    assert "Left out 'old': Turn 1 cannot be an example" in said
    assert [file.name for file in Path("conversations").iterdir()] == ["two.html"]
    error = error_of(shell, "%cbai export --all -c old --to jsonl")
    assert isinstance(error, errors.UsageError)
    assert "already" in str(error_of(shell, "%cbai export --all --to web --examples 1"))
