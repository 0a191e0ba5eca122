"""Other programs' locks: a prompt and an answer never wait for them, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.conversation import Prompt, ask, prepare
from cbai_notebook.conversation.kernel_notebook import KernelNotebook
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store, waiting
from cbai_notebook.conversation.store.database import QUICK_S
from cbai_notebook.conversation.watching import Change
from cbai_notebook.errors import HistoryError
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import Gateway

NOTEBOOK = KernelNotebook("/work/plan.ipynb", "a kernel")
WAIT_S = 30


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    """The store of the file; its thread has nothing left to write at the end."""
    opened = Store(file)
    yield opened
    assert opened.writer.finish(WAIT_S)
    opened.close()


class Lock:
    """The lock of another program on the file."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

    def for_writing(self) -> None:
        """Keep all others from writing."""
        self._connection.execute("BEGIN IMMEDIATE")

    def for_all(self) -> None:
        """Keep all others from reading too: such a program does not use the write-ahead log."""
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.execute("BEGIN EXCLUSIVE")

    def release(self) -> None:
        """Let the others go on."""
        self._connection.close()


@pytest.fixture
def lock(file: Path) -> Iterator[Lock]:
    """Another program, which has opened the file; it has a history already."""
    earlier = Store(file)
    asked = turn("a", "1", system="Answer in verse.")
    ConversationRegistry(earlier, NOTEBOOK).current().extend([asked])
    ConversationRegistry(earlier).get("talk").extend([asked])
    earlier.close()
    made = Lock(file)
    yield made
    made.release()


def test_the_request_and_the_answer_do_not_wait_for_a_lock(
    store: Store, lock: Lock, model: Model, gateway: Gateway
) -> None:
    talk = ConversationRegistry(store).get("talk")
    lock.for_writing()
    answer = asyncio.run(ask(prepare(talk, Prompt("b", model="blast:5"), model=model)))
    # All this while the lock is held.
    assert answer.text
    assert len(gateway.requests) == 1
    assert "locked by another program" in talk.not_stored
    assert "CBAI_DATA_DIR" in talk.not_stored
    assert prompts(open_registry(store.file).get("talk")) == ["a"]
    lock.release()
    assert store.writer.finish(WAIT_S)
    assert talk.not_stored == ""
    (_, stored) = open_registry(store.file).get("talk").turns
    assert (stored.prompt, stored.status, stored.text) == ("b", "complete", answer.text)


def test_those_who_watch_are_told_when_all_is_stored_again(store: Store, lock: Lock) -> None:
    talk, told = ConversationRegistry(store).get("talk"), list[str]()
    late = threading.Event()

    def note(change: Change) -> None:
        if change.kind == "stored":
            told.append(talk.not_stored)
            late.set()

    talk.watch(note)
    lock.for_writing()
    talk.open(turn("b", status="streaming"))
    assert late.wait(WAIT_S)
    time.sleep(2 * QUICK_S)  # from now on the change is late
    lock.release()
    assert store.writer.finish(WAIT_S)
    assert "locked by another program" in told[0]
    assert told[-1] == ""


def test_a_prompt_without_history_knows_nothing_of_a_lock(
    store: Store, lock: Lock, model: Model
) -> None:
    talk = ConversationRegistry(store).get("talk")
    lock.for_writing()
    asked = Prompt("b", model="blast:5", remember=False)
    assert asyncio.run(ask(prepare(talk, asked, model=model))).text
    assert talk.not_stored == ""


def test_the_end_and_the_text_that_came_meanwhile_are_stored_once(store: Store, lock: Lock) -> None:
    talk, asked = ConversationRegistry(store).get("talk"), turn("b", status="streaming")
    lock.for_writing()
    talk.open(asked)
    for word in ("one ", "two ", "three"):
        talk.grow(asked, word, "")
        talk.checkpoint(asked)
    lock.release()
    talk.checkpoint(asked).wait(WAIT_S)
    (row,) = sqlite3.connect(store.file).execute(
        "SELECT text || tail FROM turns WHERE prompt = 'b'"
    )
    assert row == ("one two three",)
    talk.close(asked, "complete").wait(WAIT_S)
    assert open_registry(store.file).get("talk").turns[-1].text == "one two three"


def test_what_two_kernels_ask_behind_a_lock_is_one_conversation(file: Path, lock: Lock) -> None:
    stores = Store(file), Store(file)
    one, two = (ConversationRegistry(store).get("talk") for store in stores)
    lock.for_writing()
    one.open(turn("b", "2"))
    one.open(turn("c", "3"))
    two.open(turn("d", "4"))
    lock.release()
    assert all(store.writer.finish(WAIT_S) for store in stores)
    for store in stores:
        store.close()
    one.refresh()
    two.refresh()
    together = prompts(open_registry(file).get("talk"))
    assert sorted(together) == ["a", "b", "c", "d"]
    assert together.index("b") < together.index("c")
    assert prompts(one) == prompts(two) == together


def test_a_turn_that_was_undone_behind_a_lock_does_not_come_back(file: Path, lock: Lock) -> None:
    store = Store(file)
    talk, other = ConversationRegistry(store).get("talk"), open_registry(file).get("talk")
    other.extend([turn("of the other", "0")])
    lock.for_writing()
    talk.open(turn("b", "2"))
    talk.undo()
    talk.open(turn("c", "3"))
    lock.release()
    assert store.writer.finish(WAIT_S)
    store.close()
    assert prompts(open_registry(file).get("talk")) == ["a", "of the other", "c"]


def test_a_branch_whose_turn_another_kernel_deletes_keeps_its_answer(
    file: Path, lock: Lock
) -> None:
    store = Store(file)
    talk, other = ConversationRegistry(store).get("talk"), open_registry(file).get("talk")
    other.extend([turn("stays", "0")])
    other.delete(other.turns[0])
    lock.for_writing()
    talk.open(turn("b", "2"), branch_of=talk.turns[0]).wait(0.01)  # its request leaves then
    lock.release()
    assert store.writer.finish(WAIT_S)
    store.close()
    assert prompts(open_registry(file).get("talk")) == ["stays", "b"]


def test_changes_by_hand_wait_for_a_lock_and_say_so(store: Store, lock: Lock) -> None:
    registry, shown = ConversationRegistry(store), Lines(lock.release)
    talk = registry.get("talk")
    lock.for_writing()
    with waiting.shown_with(shown):
        registry.rename(talk, "poems")
    assert "locked by another program" in shown.lines[0]
    assert shown.taken_away
    assert open_registry(store.file).names(every=True) == ("plan.ipynb", "poems")


class Lines:
    """Shows the lines of a wait, and calls a function with the first of them."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.lines: list[str] = []
        self.taken_away = False
        self._then = then

    def __call__(self, line: str) -> Callable[[], None]:
        self.lines.append(line)
        threading.Thread(target=self._then).start()

        def take_away() -> None:
            self.taken_away = True

        return take_away


def test_a_past_that_cannot_be_read_yet_is_waited_for(
    store: Store, lock: Lock, model: Model
) -> None:
    lock.for_all()
    shown = Lines(lock.release)
    with waiting.shown_with(shown):
        talk = ConversationRegistry(store).get("talk")
        prepared = prepare(talk, Prompt("b", model="blast:3"), model=model)
    assert len(shown.lines) == 1
    assert shown.lines[0].startswith("Waiting up to 5 s. The history in ")
    assert shown.taken_away
    assert prepared.params["messages"][0] == {"role": "system", "content": "Answer in verse."}
    assert prepared.hints == ()


@pytest.mark.parametrize("name", ["talk", "plan.ipynb"])
def test_a_past_that_cannot_be_read_is_not_left_out_without_a_word(
    name: str, store: Store, lock: Lock, model: Model
) -> None:
    lock.for_all()
    with waiting.shown_with(Lines(lambda: None)):
        registry = ConversationRegistry(store, NOTEBOOK)
        talk = registry.get(name) if name == "talk" else registry.current()
        prepared = prepare(talk, Prompt("b", model="blast:3"), model=model)
    (hint,) = prepared.hints
    assert "did not see the earlier turns and the system prompt" in hint
    assert "locked by another program" in hint
    assert asyncio.run(ask(prepared)).text
    assert prepare(talk, Prompt("c"), model=model).hints == ()  # said once
    lock.release()
    assert store.writer.finish(WAIT_S)
    talk.refresh()
    # The notebook's conversation is not mixed with that of this kernel, which the next one reads.
    assert prompts(talk) == (["a", "b"] if name == "talk" else ["b"])
    after = ConversationRegistry(store, NOTEBOOK).current()
    assert (after.name, prompts(after)) == ("plan.ipynb", ["a"])


def test_one_wait_in_vain_is_enough(store: Store, lock: Lock) -> None:
    lock.for_all()
    shown = Lines(lambda: None)
    with waiting.shown_with(shown):
        registry = ConversationRegistry(store)
        for name in ("talk", "other", "third"):
            registry.get(name)
        with pytest.raises(HistoryError, match="locked"):
            store.conversations()
    assert len(shown.lines) == 1


# File systems without locks: a network drive whose server has no lock daemon.
NO_LOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int refuse(const char *name, int fd, int cmd, void *argument) {
  if (cmd == F_SETLK || cmd == F_SETLKW || cmd == F_GETLK) { errno = ENOLCK; return -1; }
  int (*usual)(int, int, ...) = dlsym(RTLD_NEXT, name);
  return usual(fd, cmd, argument);
}
int fcntl(int fd, int cmd, ...) {
  va_list all; va_start(all, cmd); void *argument = va_arg(all, void *); va_end(all);
  return refuse("fcntl", fd, cmd, argument);
}
int fcntl64(int fd, int cmd, ...) {
  va_list all; va_start(all, cmd); void *argument = va_arg(all, void *); va_end(all);
  return refuse("fcntl64", fd, cmd, argument);
}
"""
PROGRAM = """
import sys
from pathlib import Path
from cbai_notebook.conversation.kernel_notebook import KernelNotebook
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store, waiting
from cbai_notebook.conversation.store.database import QUICK_S
from cbai_notebook.conversation.watching import Change
from tests.conversation.turns import prompts, turn
def fail(line):
    print("waited", line)
with waiting.shown_with(fail):
    talk = ConversationRegistry(Store(Path(sys.argv[1]))).current()
    talk.extend([turn("a", "1")])
    talk.extend([turn("b", "2")])
print(prompts(talk), talk.not_stored)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("gcc") is None, reason="needs Linux and gcc"
)
def test_a_file_system_without_locks_is_not_waited_for(file: Path, tmp_path: Path) -> None:
    (tmp_path / "locks.c").write_text(NO_LOCKS)
    library = str(tmp_path / "locks.so")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", library, str(tmp_path / "locks.c"), "-ldl"], check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(file)],
        env={**os.environ, "LD_PRELOAD": library},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stdout.startswith("['a', 'b'] The history in "), done.stderr
    assert "no locks for files" in done.stdout
    assert "another place: CBAI_DATA_DIR" in done.stdout


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.truncate(file, 8192)


def replaced(file: Path) -> None:
    other = file.with_name("other.sqlite")
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE other (x)")
    connection.commit()
    connection.close()
    other.replace(file)


@pytest.mark.parametrize("change", [emptied, cut, replaced])
def test_a_file_that_another_program_changes_is_noticed_by_every_kernel(
    change: Any, file: Path
) -> None:
    talks = [open_registry(file).get(name) for name in ("one", "two")]
    for talk in talks:
        talk.extend([turn(f"{number}", "long " * 500) for number in range(20)])
    change(file)
    left = file.read_bytes()
    for talk in talks:
        talk.refresh()
        talk.extend([turn("after", "1")])
        assert str(file) in talk.not_stored
        assert "this session is kept in memory" in talk.not_stored
        assert prompts(talk)[-1] == "after"
        assert len(talk.turns) == 21
    assert file.read_bytes() == left
