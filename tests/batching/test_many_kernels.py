"""Several processes share one store: nothing is corrupt, nothing is lost, little is paid for twice."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.runs import COMPLETE, INTERRUPTED, RUNNING, RunFacts
from cbai_notebook.conversation.store import Store
from cbai_notebook.errors import HistoryError
from tests.batching.answers import answer, count, key

FACTS = RunFacts("reviews", "Translate: {text}", "hy3", 2000)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and fork")

PROGRAM = """
import sys
from pathlib import Path
from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.runs import COMPLETE, RunFacts
from tests.batching.answers import answer, key

store = AnswerStore(Path(sys.argv[1]))

def tell(*values):
    print(*values, flush=True)
"""
# Takes ten requests, answers two of them, and waits.
HOLDER = """
run = store.begin_run(RunFacts("theirs", rows=10))
store.claim([key(number) for number in range(10)], run)
store.add([answer(0), answer(1)], run)
tell(run)
sys.stdin.readline()
store.end_run(run, RunFacts("theirs", rows=10, answered=2, status=COMPLETE))
"""
# Claims and answers all requests in small groups, and reports what it has sent.
WORKER = """
run = store.begin_run(RunFacts("shared"))
sent, left = [], [key(number) for number in range(600)]
names = {key(number): number for number in range(600)}
sys.stdin.readline()
while left:
    some, left = left[:7], left[7:]
    claim = store.claim(some, run)
    mine = [each for each in some if each not in claim.answered and each not in claim.taken]
    sent += [names[each] for each in mine]
    store.add([answer(names[each]) for each in mine], run)
    left += claim.taken
store.end_run(run, RunFacts("shared", answered=len(sent), status=COMPLETE))
tell(*sent)
"""

Run = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def run(file: Path) -> Iterator[Run]:
    """Return a function that starts a kernel with a program."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM + program, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def line(pipe: IO[str] | None) -> list[int]:
    """Return the numbers on the next line of a child."""
    assert pipe is not None
    return [int(each) for each in pipe.readline().split()]


def test_what_another_kernel_is_sending_is_not_sent(store: AnswerStore, run: Run) -> None:
    other = run(HOLDER)
    (theirs,) = line(other.stdout)
    mine = store.begin_run(FACTS)
    keys = [key(number) for number in range(12)]
    claim = store.claim(keys, mine)
    assert set(claim.answered) == {key(0), key(1)}
    assert claim.taken == set(keys[2:10])
    facts = {each.number: each.facts for each in store.runs()}
    assert (facts[theirs].status, facts[theirs].answered) == (RUNNING, 2)
    other.communicate("end\n", timeout=30)
    assert store.claim(keys, mine).taken == set()


def test_a_kernel_that_was_killed_holds_nothing(store: AnswerStore, run: Run) -> None:
    other = run(HOLDER)
    (theirs,) = line(other.stdout)
    mine = store.begin_run(FACTS)
    keys = [key(number) for number in range(10)]
    assert store.claim(keys, mine).taken == set(keys[2:])
    other.send_signal(signal.SIGKILL)
    other.wait(30)
    claim = store.claim(keys, mine)
    assert claim.taken == set()
    assert claim.answered == {key(0): answer(0), key(1): answer(1)}
    facts = {each.number: each.facts for each in store.runs()}
    assert facts[theirs].status == INTERRUPTED
    assert (facts[theirs].answered, facts[theirs].tokens) == (2, 100)
    assert facts[theirs].reason == "The kernel ended before the batch did."
    assert facts[theirs].reason.in_language("zh") != facts[theirs].reason  # type: ignore[attr-defined]
    store.end_run(mine, replace(FACTS, status=COMPLETE))
    store.delete(theirs)
    assert [each.number for each in store.runs()] == [mine]


def test_kernels_on_the_same_rows_pay_once_for_each(run: Run, file: Path) -> None:
    workers = [run(WORKER) for _ in range(3)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    sent = [line(worker.stdout) for worker in workers]
    assert sorted(number for each in sent for number in each) == list(range(600))
    assert count(file) == 600
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    connection.close()


# Locks --------------------------------------------------------------------------------------------


@pytest.fixture
def lock(file: Path, store: AnswerStore) -> Iterator[sqlite3.Connection]:
    """Another program, which has opened the file."""
    store.begin_run(FACTS)
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def test_answers_wait_for_the_lock_of_another_program(
    store: AnswerStore, lock: sqlite3.Connection
) -> None:
    lock.execute("BEGIN IMMEDIATE")
    told: list[HistoryError | None] = []
    stored = threading.Event()
    for number in range(3):

        def done(error: HistoryError | None) -> None:
            told.append(error)
            if len(told) == 3:
                stored.set()

        store.request_add([answer(number)], 1, done)
    # Reading goes on meanwhile.
    assert store.find([key(0)]) == {}
    assert told == []
    lock.execute("COMMIT")
    assert stored.wait(30)
    assert told == [None] * 3
    assert len(store.find([key(number) for number in range(3)])) == 3


def test_a_lock_that_stays_is_an_error_and_nothing_is_stored_later(
    store: AnswerStore, lock: sqlite3.Connection
) -> None:
    lock.execute("BEGIN IMMEDIATE")
    told: list[HistoryError | None] = []
    ended = threading.Event()

    def done(error: HistoryError | None) -> None:
        told.append(error)
        ended.set()

    store.request_add([answer(1)], 1, done)
    assert ended.wait(30)
    assert "are locked by another program" in str(told[0])
    lock.execute("COMMIT")
    store.add([answer(2)], 1)
    assert set(store.find([key(1), key(2)])) == {key(2)}


# Files that cannot be used ------------------------------------------------------------------------

FULL = """
import queue
import resource
from cbai_notebook.errors import HistoryError

run = store.begin_run(RunFacts("theirs"))
store.add([answer(number) for number in range(100)], run)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
told = queue.Queue()
for number in range(100, 110):
    store.request_add([answer(number, "long " * 20_000)], run, told.put)
errors = [told.get(timeout=30) for _ in range(10)]
assert any(error is not None and "Make room" in str(error) for error in errors), errors
assert all(isinstance(error, (HistoryError, type(None))) for error in errors)
kept = {100 + number for number, error in enumerate(errors) if error is None}
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
found = store.find([key(number) for number in range(200)])
assert set(found) == {key(number) for number in {*range(100), *kept}}
store.add([answer(number) for number in range(100, 110)], run)
assert len(store.find([key(number) for number in range(200)])) == 110
store.end_run(run, RunFacts("theirs", status=COMPLETE))
store.close()
tell(1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_is_told_and_loses_nothing_that_was_stored(run: Run, file: Path) -> None:
    assert line(run(FULL).stdout) == [1]
    assert count(file) == 110


def garbage(file: Path) -> None:
    file.write_bytes(b"This is no database. " * 500)


def overwritten(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = b"\xff" * 200
    file.write_bytes(data)


def of_a_newer_version(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def another_table(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE leases ADD COLUMN more TEXT")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (garbage, "are damaged"),
        (overwritten, "are damaged"),
        (of_a_newer_version, "a newer cbai-notebook"),
        (another_table, "the table leases is another one"),
    ],
)
def test_a_file_of_no_use_is_left_alone_and_told(
    file: Path, damage: Callable[[Path], None], says: str
) -> None:
    earlier = AnswerStore(file)
    earlier.add([answer(number) for number in range(1000)], earlier.begin_run(FACTS))
    earlier.close()
    damage(file)
    before = file.read_bytes()
    store = AnswerStore(file)
    told: list[HistoryError | None] = []
    ended = threading.Event()

    def done(error: HistoryError | None) -> None:
        told.append(error)
        ended.set()

    store.request_add([answer(1)], 1, done)
    assert ended.wait(30)
    assert says in str(told[0])
    for use in (
        lambda: store.find([key(number) for number in range(1000)]),
        lambda: store.begin_run(FACTS),
        store.runs,
        store.delete,
    ):
        with pytest.raises(HistoryError, match=says):
            use()
    store.close()
    assert file.read_bytes() == before
    copies = [each.read_bytes() for each in file.parent.glob("answers.damaged-*.sqlite")]
    assert copies == ([before] if says == "are damaged" else [])


def test_the_file_of_a_history_is_not_taken_for_answers(file: Path) -> None:
    history = Store(file)
    history.check()
    history.close()
    before = file.read_bytes()
    with pytest.raises(HistoryError, match="newer cbai-notebook"):
        AnswerStore(file).begin_run(FACTS)
    assert file.read_bytes() == before


# Forks --------------------------------------------------------------------------------------------

FORK = """
import os

run = store.begin_run(RunFacts("theirs"))
for number in range(100):
    store.request_add([answer(number)], run, lambda error: None)
pid = os.fork()
if pid == 0:
    store.add([answer(1000)], run)
    good = set(store.find([key(1000), key(5)])) >= {key(1000)}
    store.close()
    os._exit(0 if good else 1)
assert os.waitpid(pid, 0)[1] == 0
store.add([answer(1001)], run)
assert store.claim([key(2000)], run).taken == set()
store.end_run(run, RunFacts("theirs", status=COMPLETE))
assert len(store.find([key(number) for number in [*range(100), 1000, 1001]])) == 102
memory = AnswerStore()
run = memory.begin_run(RunFacts("theirs"))
memory.add([answer(1)], run)
pid = os.fork()
if pid == 0:
    empty = memory.find([key(1)]) == {}
    memory.add([answer(2)], run)
    os._exit(0 if empty and set(memory.find([key(1), key(2)])) == {key(2)} else 1)
assert os.waitpid(pid, 0)[1] == 0
assert set(memory.find([key(1), key(2)])) == {key(1)}
tell(1)
"""


def test_parent_and_child_of_a_fork_go_on(run: Run, file: Path) -> None:
    assert line(run(FORK).stdout) == [1]
    assert count(file) == 102
