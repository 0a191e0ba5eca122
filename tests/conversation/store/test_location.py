"""Location of the history, file permissions, and errors when it cannot be written."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.conversation import Conversation, chat, conversations, keep_history, names
from cbai_notebook.conversation.history import history, summaries, usage
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store, current_store, history_file
from cbai_notebook.conversation.store.schema import STEPS
from cbai_notebook.errors import HistoryError, UsageError
from tests.conversation.store.conftest import Ask
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import DEFAULT_KEY, Gateway


def kept_in(file: Path, name: str = "talk") -> Conversation:
    return open_registry(file).get(name)


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
def test_only_the_user_may_read_it(file: Path) -> None:
    before = os.umask(0)
    try:
        talk = kept_in(file)
        talk.open(turn("a", status="streaming")).wait(30)
    finally:
        os.umask(before)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert modes.pop("history-kernels") == 0o700
    assert set(modes) == {"history.sqlite", "history.sqlite-wal", "history.sqlite-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.fixture
def no_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("CBAI_HISTORY")
    monkeypatch.setenv("CBAI_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "history.sqlite"


def test_it_is_in_the_data_directory_unless_something_else_is_said(
    no_setting: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert history_file() == no_setting
    monkeypatch.setenv("CBAI_HISTORY", "off")
    assert history_file() is None
    monkeypatch.setenv("CBAI_HISTORY", str(tmp_path / "other.sqlite"))
    assert history_file() == tmp_path / "other.sqlite"
    monkeypatch.setenv("CBAI_HISTORY", str(tmp_path))
    assert history_file() == tmp_path / "history.sqlite"
    try:
        keep_history("on")
        assert history_file() == no_setting
        keep_history(tmp_path / "third.sqlite")
        assert history_file() == tmp_path / "third.sqlite"
        keep_history("OFF")
        assert history_file() is None
    finally:
        keep_history(None)


@pytest.mark.parametrize("wrong", ["", "  ", 3])
def test_a_place_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(UsageError, match="'on', 'off' or the path"):
        keep_history(wrong)  # type: ignore[arg-type]


def test_off_leaves_nothing_behind(no_setting: Path) -> None:
    keep_history("off")
    try:
        talk = chat("talk")
        talk.open(turn("a", "1")).wait(30)
        assert not talk.not_stored
    finally:
        keep_history(None)
    assert not no_setting.parent.exists()


@pytest.mark.parametrize(
    "where",
    [
        "a-file/history.sqlite",
        pytest.param(
            "/proc/self/history.sqlite",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux"),
        ),
        pytest.param(
            "read-only/history.sqlite",
            marks=pytest.mark.skipif(
                not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
            ),
        ),
    ],
)
def test_where_nothing_can_be_written_the_answer_arrives_all_the_same(
    where: str, tmp_path: Path, ask_prompt: Ask
) -> None:
    (tmp_path / "a-file").write_text("in the way")
    (tmp_path / "read-only").mkdir(mode=0o500)
    talk = kept_in(tmp_path / where)
    assert ask_prompt(talk, "Hello", model="blast:3").text
    assert "cannot be used" in talk.not_stored
    assert 'history="off"' in talk.not_stored
    assert [each.status for each in talk.turns] == ["complete"]


def test_what_could_not_be_written_is_written_as_soon_as_it_can(
    tmp_path: Path, ask_prompt: Ask
) -> None:
    file = tmp_path / "data" / "history.sqlite"
    file.parent.write_text("in the way")
    talk = kept_in(file)
    ask_prompt(talk, "one", model="blast:3")
    second = talk.turns[0]
    ask_prompt(talk, "two", model="blast:3")
    ask_prompt(talk, "beside two", model="blast:3", branch_of=talk.turns[1])
    talk.delete(talk.turns[1])
    ask_prompt(talk, "one", model="blast:3", replaces=second)
    assert talk.not_stored
    file.parent.unlink()
    ask_prompt(talk, "three", model="blast:3")
    assert talk.not_stored == ""
    again = kept_in(file)
    assert prompts(again) == prompts(talk) == ["one", "two", "three"]
    assert [each.text for each in again.turns] == [each.text for each in talk.turns]
    assert len(again.alternatives(again.turns[0])) == 2


FULL = """
import asyncio, resource, sys
from pathlib import Path
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Prompt, ask, prepare
from cbai_notebook.conversation.store import Store
from cbai_notebook.conversation.registry import ConversationRegistry

file, base_url = sys.argv[1:]

async def main():
    model = create_model("cloudbase", settings=Settings(base_url=base_url, api_key="test-key"))
    talk = ConversationRegistry(Store(Path(file)), None).get("talk")
    await ask(prepare(talk, Prompt("before", model="blast:3"), model=model))
    assert not talk.not_stored
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    for number in range(6):
        answer = await ask(prepare(talk, Prompt(f"while {number}", model="blast:20000"), model=model))
        assert len(answer.text) > 50_000
    assert "Make room" in talk.not_stored, talk.not_stored
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await ask(prepare(talk, Prompt("after", model="blast:3"), model=model))
    assert not talk.not_stored, talk.not_stored

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_loses_nothing_once_there_is_room_again(
    file: Path, gateway_process: object
) -> None:
    base_url = gateway_process.base_url  # type: ignore[attr-defined]
    subprocess.run([sys.executable, "-c", FULL, str(file), base_url], check=True, timeout=120)
    talk = kept_in(file)
    assert prompts(talk) == ["before", *(f"while {number}" for number in range(6)), "after"]
    assert all(each.status == "complete" for each in talk.turns)
    assert all(len(each.text) > 50_000 for each in talk.turns[1:-1])


def write_large_history(file: Path) -> None:
    """Write a history that is large enough for damage in its middle to matter."""
    store = Store(file)
    talk = ConversationRegistry(store, None).get("talk")
    talk.extend(turn(f"prompt {number}", "word " * 200) for number in range(400))
    store.close()


def garbage(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"This is no database. " * 500)


def truncated(file: Path) -> None:
    write_large_history(file)
    file.write_bytes(file.read_bytes()[:50_000])


def overwritten(file: Path) -> None:
    write_large_history(file)
    data = bytearray(file.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = b"\xff" * 200
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [garbage, truncated, overwritten])
def test_a_damaged_file_is_left_alone_and_copied(
    damage: object, file: Path, ask_prompt: Ask
) -> None:
    damage(file)  # type: ignore[operator]
    before = file.read_bytes()
    talk = kept_in(file)
    assert ask_prompt(talk, "Hello", model="blast:3").text
    assert "is damaged" in talk.not_stored
    assert "kept in memory only" in talk.not_stored
    assert prompts(talk)[-1] == "Hello"
    ask_prompt(talk, "And again", model="blast:3")
    assert file.read_bytes() == before
    (copy,) = file.parent.glob("history.damaged-*.sqlite")
    assert copy.read_bytes() == before
    assert copy.name in talk.not_stored


def test_after_damage_the_session_goes_on_in_memory_as_any_history(
    file: Path, ask_prompt: Ask, gateway: Gateway
) -> None:
    keep_history(file)
    try:
        talk, other = chat("talk"), chat("other")
        ask_prompt(talk, "before", model="blast:3")
        current_store().close()
        for each in file.parent.glob("history.sqlite-*"):
            each.unlink()
        with file.open("r+b") as opened:
            opened.write(b"This is no database. " * 500)
        question: dict[str, Any] = {"prompt": "Hello", "model": "blast:3"}
        first = ask_prompt(other, **question)
        assert "is damaged" in other.not_stored
        sent = len(gateway.requests)
        for name in ("other", "third"):
            branch = {"branch_of": other.turns[0]} if name == "other" else {}
            assert ask_prompt(chat(name), **question, cached=True, **branch).text == first.text
        assert len(gateway.requests) == sent
        ask_prompt(talk, "after", model="blast:3")
        assert "is damaged" in talk.not_stored
        assert prompts(talk) == ["before", "after"]
        talk.refresh()
        assert prompts(talk) == ["before", "after"]
        assert {"talk", "other", "third"} <= set(names())
        conversations().rename(other, "renamed")
        conversations().delete(chat("third"))
        assert prompts(chat("renamed")) == ["Hello"]
        # A part of the history would look like all of it.
        for ask_for in (history, usage, summaries):
            with pytest.raises(HistoryError, match="is damaged"):
                ask_for()
    finally:
        keep_history(None)


def test_the_file_of_a_newer_version_is_left_alone(file: Path, ask_prompt: Ask) -> None:
    write_large_history(file)
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    connection.close()
    before = file.read_bytes()
    talk = kept_in(file)
    assert ask_prompt(talk, "Hello", model="blast:3").text
    assert "newer cbai-notebook" in talk.not_stored
    assert "pip install -U" in talk.not_stored
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*damaged*"))


def test_a_row_that_nobody_wrote_is_said_and_breaks_nothing(file: Path, ask_prompt: Ask) -> None:
    write_large_history(file)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE turns SET params = '{' WHERE id = 7")
    connection.close()
    talk = kept_in(file)
    assert "malformed" in talk.not_stored
    assert ask_prompt(talk, "Hello", model="blast:3").text


def test_a_file_that_is_moved_away_is_said_and_can_be_put_back(file: Path, ask_prompt: Ask) -> None:
    talk = kept_in(file)
    ask_prompt(talk, "one", model="blast:3")
    aside = file.with_name("aside.sqlite")
    file.rename(aside)
    ask_prompt(talk, "two", model="blast:3")
    assert "moved or deleted" in talk.not_stored
    assert not file.exists()
    aside.rename(file)
    ask_prompt(talk, "three", model="blast:3")
    assert talk.not_stored == ""
    assert prompts(kept_in(file)) == ["one", "two", "three"]


PROGRAM_WITHOUT_HOME = """
import os, pwd, sys
import cbai_notebook as cbai
from cbai_notebook.conversation.history import history
from IPython.core.interactiveshell import InteractiveShell

def no_entry(*_):
    raise KeyError("no entry")

pwd.getpwuid = pwd.getpwnam = no_entry  # as for a user id that a container was started with
cbai.configure(base_url=sys.argv[1], api_key=sys.argv[2], provider="custom", model="say:hello")
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cbai_notebook")
for prompt in ("one", "two"):
    assert shell.run_cell("%cbai " + prompt).success
assert shell.run_cell("%cbai use").success and shell.run_cell("%cbai config").success
assert [turn.prompt for turn in cbai.chat().turns] == ["one", "two"]
assert len(history()) == 4
print("Problem:", cbai.chat().not_stored)
print("Left:", os.listdir())
"""


@pytest.mark.skipif(os.name != "posix", reason="POSIX users")
@pytest.mark.parametrize("home", [None, "", "relative"])
def test_without_a_home_directory_one_line_says_so(
    home: str | None, tmp_path: Path, gateway_process: Any
) -> None:
    (tmp_path / "ipython").mkdir()
    (tmp_path / "empty").mkdir()
    lost = ("HOME", "CBAI_CONFIG_DIR", "CBAI_DATA_DIR", "CBAI_HISTORY")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in lost and not name.startswith("XDG_")
    }
    given = {} if home is None else {"HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM_WITHOUT_HOME, gateway_process.base_url, DEFAULT_KEY],
        env={
            **kept,
            **given,
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        cwd=tmp_path / "empty",
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (problem,) = [line for line in lines if line.startswith("Problem: ")]
    assert "no home directory" in problem
    assert "CBAI_DATA_DIR" in problem
    assert lines[-1] == "Left: []"


def test_a_home_that_cannot_be_written_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask_prompt: Ask
) -> None:
    (tmp_path / "home").write_text("a file", "utf-8")
    for name in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("CBAI_DATA_DIR", raising=False)
    monkeypatch.setenv("CBAI_HISTORY", "on")
    if sys.platform == "win32":
        pytest.skip("Windows asks its registry, not the environment")
    talk = chat("nowhere")
    assert ask_prompt(talk, "Hello", model="blast:3").text
    assert "CBAI_DATA_DIR" in talk.not_stored
    assert "\n" not in talk.not_stored
