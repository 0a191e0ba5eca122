"""A time at the ends of the calendar, or beyond them, breaks no list."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.conversation import keep_history
from tests.notebook.cells import must

TIMES = (
    datetime(1, 1, 1, tzinfo=timezone.utc),
    datetime.max.replace(tzinfo=timezone.utc),
    datetime(1969, 1, 1, tzinfo=timezone.utc),
)


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/New_York"])
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the test in a time zone."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def talks(here: None, shell: TerminalInteractiveShell) -> Iterator[list[str]]:
    """The names of conversations, one for each far time."""
    names = []
    for number, moment in enumerate(TIMES):
        shared = {"created_at": moment, "provider": "cloudbase", "model": "hy3"}
        talk = cbai.chat(f"far {number}")
        talk.append({"role": "user", "content": "When?", **shared})
        talk.append({"role": "assistant", "content": "Then.", **shared})
        names.append(talk.name)
    yield names
    for name in names:
        cbai.chat(name).forget()


def test_every_list_is_shown(
    talks: list[str], shell: TerminalInteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai use")
    listed = capsys.readouterr().out
    assert all(name in listed for name in talks)
    must(shell, "%cbai usage")
    assert "cloudbase/hy3" in capsys.readouterr().out
    must(shell, "%cbai usage --pandas frame")
    must(shell, "%cbai history --all --pandas frame")
    for name in talks:
        must(shell, f"%cbai history --versions -c '{name}'")
        assert "When?" in capsys.readouterr().out


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59+00:00"])
def test_any_day_can_be_looked_from(
    talks: list[str],
    shell: TerminalInteractiveShell,
    capsys: pytest.CaptureFixture[str],
    day: str,
) -> None:
    must(shell, f"%cbai history --all --since {day}")
    must(shell, f"%cbai usage --since {day}")
    early, late = cbai.history(until=day), cbai.history(since=day)
    assert len(early) + len(late) == len(cbai.history())


def test_a_time_beyond_the_calendar_is_shown_as_its_end(
    here: None,
    shell: TerminalInteractiveShell,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    keep_history(file := tmp_path / "far.sqlite")
    try:
        must(shell, "%cbai -c beyond When?")
        for microseconds in (-(2**62), 2**62):
            connection = sqlite3.connect(file)
            with connection:
                connection.execute("UPDATE turns SET created_at = ?", (microseconds,))
            connection.close()
            must(shell, "%cbai use")
            assert "beyond" in capsys.readouterr().out
            must(shell, "%cbai usage\n%cbai usage --pandas frame")
            assert "cloudbase/hy3" in capsys.readouterr().out
            must(shell, "%cbai history --all --versions")
            assert cbai.history()[0]["content"] == "When?"
    finally:
        keep_history(None)
