"""Kernels that are killed while a batch runs, and several of them on the same rows."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.batching.answer_store import current_answers
from cbai_notebook.batching.runs import COMPLETE, INTERRUPTED
from tests.batching.answers import count
from tests.batching.batches import answered, batches_of, last, paid_twice, rows, run
from tests.gateway import Gateway

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")

LANES = 6
KILLS = 8

KERNEL = """
import json, sys, time
import cbai_notebook as cbai
from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.job import Batch, BatchOptions

address, key, folder, commit_s, lanes = sys.argv[1:]

class SlowStore(AnswerStore):
    def write(self):
        time.sleep(float(commit_s))
        super().write()

cbai.configure(base_url=address, api_key=key, model="hy3", history=folder + "/history.sqlite")
from pathlib import Path
store = SlowStore(Path(folder) / "answers.sqlite")
options = BatchOptions(progress=False, concurrency=int(lanes))
batch = Batch(json.load(sys.stdin), "Rate {text}", options, store)
cbai.run(batch.run())
frame = batch.frame
print(batch.status, sum(row["error"] is None for row in frame), batch.progress.known, flush=True)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(gateway: Gateway, tmp_path: Path) -> Iterator[Path]:
    """The folder of the stored answers; batches of this process use it too."""
    gateway.always("echo+pause:headers:0.004")
    with batches_of(gateway, tmp_path / "history.sqlite"):
        yield tmp_path


@pytest.fixture
def start(gateway: Gateway, folder: Path) -> Iterator[Start]:
    """Return a function that starts a kernel with some rows."""
    started: list[subprocess.Popen[str]] = []

    def kernel(data: list[dict[str, Any]], commit_s: float = 0.0) -> subprocess.Popen[str]:
        arguments = [gateway.base_url, gateway.key, str(folder), str(commit_s), str(LANES)]
        child = subprocess.Popen(
            [sys.executable, "-c", KERNEL, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(child)
        assert child.stdin is not None
        child.stdin.write(json.dumps(data))
        child.stdin.close()
        return child

    yield kernel
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def ended(child: subprocess.Popen[str]) -> tuple[str, int, int]:
    """Return a kernel's status, its rows with an answer, and those that were known."""
    assert child.stdout is not None
    status, count_, known = child.stdout.readline().split()
    return status, int(count_), int(known)


def test_kills_at_any_moment_lose_no_row_and_pay_again_only_for_what_was_under_way(
    gateway: Gateway, start: Start, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    dice = random.Random(11)
    pool, lost = rows(200), 0
    for kill in range(KILLS):
        data = dice.sample(pool, 180)  # in another order, some rows are new and some are gone
        pool = [*pool, *rows(20, first=len(pool))]
        begun, stored = gateway.begun.total(), count_or_none(folder)
        # Every second time the disk is slow: most kills fall between an answer and its commit.
        child = start(data, 0.03 if kill % 2 else 0.0)
        target = begun + dice.randint(1, 50)
        gateway.wait_until(lambda at=target: gateway.begun.total() >= at)
        child.send_signal(signal.SIGKILL)
        child.wait()
        gateway.wait_until(lambda: gateway.in_flight == 0)
        now_lost = (gateway.begun.total() - begun) - (count_or_none(folder) - stored)
        assert 0 <= now_lost <= 2 * LANES
        lost += now_lost
    found = run(pool, concurrency=LANES)
    assert answered(found) == set(range(len(pool)))
    assert [row["answer"] for row in found] == [f"Rate {row['text']}" for row in pool]
    assert set(gateway.begun) == {row["text"] for row in pool}
    assert paid_twice(gateway) <= lost
    record_property("paid_twice", paid_twice(gateway))
    record_property("under_way_at_the_kills", lost)
    before = gateway.begun.total()
    assert answered(run(list(reversed(pool)))) == set(range(len(pool)))
    assert gateway.begun.total() == before
    states = [each.facts.status for each in current_answers().runs()]
    assert states == [INTERRUPTED] * KILLS + [COMPLETE] * 2


def count_or_none(folder: Path) -> int:
    """Return how many answers are stored."""
    file = folder / "answers.sqlite"
    return count(file) if file.exists() else 0


def test_two_kernels_on_the_same_rows_pay_once_for_each(
    gateway: Gateway, start: Start, folder: Path
) -> None:
    data = rows(150)
    children = [start(data), start(data[::-1])]
    results = [ended(child) for child in children]
    assert [(status, done) for status, done, _ in results] == [("complete", 150)] * 2
    assert gateway.begun == {f"row-{number}": 1 for number in range(150)}
    assert count_or_none(folder) == 150


def test_rows_of_a_kernel_that_is_killed_are_taken_over_by_one_that_waits(
    gateway: Gateway, start: Start
) -> None:
    gateway.always("echo+hold:headers")
    child = start(rows(4))
    gateway.wait_until(lambda: gateway.tally.running == 4)
    gateway.always("echo")
    seen: list[int] = []

    class Reporter:
        """Kills the other kernel when all else is done."""

        def show(self, progress: Any) -> None:
            seen.append(progress.done)
            if progress.done == 16 and child.poll() is None:
                child.kill()
                child.wait()

        def end(self, progress: Any) -> None:
            pass

    found = run(rows(20), progress=Reporter())
    assert answered(found) == set(range(20))
    assert last().progress.known == 0
    assert 16 in seen
    assert gateway.begun == {f"row-{number}": 2 if number < 4 else 1 for number in range(20)}
