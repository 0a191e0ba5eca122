"""Paths as people write them, locks, and atomic writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cbai_notebook.errors import UsageError
from cbai_notebook.files import POLL_S, expanded, locked, temporary_path, try_lock, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX modes")

HOLD_LOCK = """
import sys, threading
from pathlib import Path
from cbai_notebook.files import locked

with locked(Path(sys.argv[1]), threading.Event()) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that holds the lock on a file until it is released or killed."""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD_LOCK, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "True"

    def release(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


# Paths


def test_a_home_directory_is_filled_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expanded("~/notes.md") == tmp_path / "notes.md"
    assert expanded(Path("~")) == tmp_path
    assert expanded("a/~/b") == Path("a/~/b")


@posix
def test_a_home_directory_of_nobody_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UsageError, match="~no-such-user-7f3a/x: there is no such home directory"):
        expanded("~no-such-user-7f3a/x")


@pytest.mark.parametrize("path", ["nul\0byte.md", "half \ud83d of a character"])
def test_what_no_path_may_have_is_a_mistake_of_the_user(path: str) -> None:
    with pytest.raises(UsageError, match="no path may have such a character"):
        expanded(path)


def test_a_temporary_name_is_new_and_in_the_same_folder(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    names = {temporary_path(file) for _ in range(100)}
    assert len(names) == 100
    assert {name.parent for name in names} == {tmp_path}
    assert not any(name.exists() for name in names)


# Locks


def test_a_lock_is_held_by_one_at_a_time_and_its_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file, threading.Event()) as held:
        assert held
        other = os.open(file, os.O_RDWR)
        assert not try_lock(other)
    assert try_lock(other)
    os.close(other)
    assert file.exists()


@posix
def test_the_file_of_a_lock_is_the_users_alone(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file, threading.Event()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("end", [Holder.release, Holder.kill], ids=["released", "killed"])
def test_a_lock_waits_for_another_process(tmp_path: Path, end: object) -> None:
    file = tmp_path / "lock"
    holder = Holder(file)
    entered = threading.Event()
    seen: list[bool] = []

    def wait() -> None:
        with locked(file, threading.Event()) as held:
            seen.append(held)
            entered.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert not entered.wait(3 * POLL_S)
    end(holder)  # type: ignore[operator]
    assert entered.wait(60)
    waiting.join(60)
    assert seen == [True]


def test_the_waiting_for_a_lock_can_be_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    holder = Holder(file)
    cancel = threading.Event()
    timer = threading.Timer(2 * POLL_S, cancel.set)
    timer.start()
    with locked(file, cancel) as held:
        assert not held
        assert cancel.is_set()
    timer.join()
    holder.release()


def test_a_lock_that_is_cancelled_before_is_not_taken(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with locked(tmp_path / "lock", cancel) as held:
        assert not held


def test_a_lock_is_released_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(file, threading.Event()):
        raise ZeroDivisionError
    with locked(file, threading.Event()) as held:
        assert held


# Atomic writes


@pytest.mark.parametrize("content", [b"", b"one\r\ntwo\n\x00\xff", b"x" * 1_000_000])
def test_a_file_is_written_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "new" / "folder" / "file"
    write_atomically(file, content)
    assert file.read_bytes() == content
    write_atomically(file, content[:3])
    assert file.read_bytes() == content[:3]
    assert list(file.parent.iterdir()) == [file]


@posix
def test_a_private_file_and_its_new_folders_are_the_users_alone(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    before = os.umask(0)
    try:
        write_atomically(file, b"secret", private=True)
        write_atomically(tmp_path / "open" / "file", b"no secret")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent)]
    assert modes == [0o600, 0o700]
    assert stat.S_IMODE((tmp_path / "open" / "file").stat().st_mode) == 0o666
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o777


@posix
def test_a_private_file_replaces_one_that_everybody_could_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_atomically(file, b"secret", private=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_write_that_fails_in_the_middle_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_atomically(file, "no bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_rename_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="file"):
        write_atomically(folder, b"new")
    assert list(tmp_path.iterdir()) == [folder]
    assert (folder / "inside").is_dir()


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file" / "below", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.skipif(os.name != "posix", reason="Windows replaces no file that is being read")
def test_a_reader_sees_the_old_content_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    contents = [bytes([letter]) * 200_000 for letter in b"abc"]
    write_atomically(file, contents[0])
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(30):
            write_atomically(file, contents[number % 3])
    finally:
        done.set()
        reader.join(60)
    assert seen <= set(contents)
