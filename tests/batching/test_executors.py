"""Batches by the executors of the standard library: threads and processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

import cbai_notebook as cbai
from cbai_notebook import bridge
from cbai_notebook.batching.job import Batch, BatchOptions
from cbai_notebook.client.budget import SESSION
from cbai_notebook.errors import ConfigurationError, UsageError
from tests.batching.batches import (
    PROMPT,
    answered,
    batches_of,
    last,
    paid_twice,
    rows,
    run,
    stopped,
)
from tests.gateway import Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.sample_tools import add


class Stars(msgspec.Struct):
    """How good something is."""

    stars: int


@cbai.tool
def end_the_process() -> str:
    """End the process."""
    os._exit(1)


@pytest.fixture(autouse=True)
def batches(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send the requests to the gateway; other processes get its address and key with their start."""
    gateway.always("echo")
    with batches_of(gateway, tmp_path / "history.sqlite"):
        monkeypatch.setenv("CBAI_BASE_URL", gateway.base_url)
        monkeypatch.setenv("CBAI_API_KEY", gateway.key)
        yield


@pytest.fixture
def processes() -> Iterator[ProcessPoolExecutor]:
    """Two processes, which are started with their first work."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Two threads."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_threads_ask_and_what_they_use_is_counted_once(gateway: Gateway, threads: Executor) -> None:
    gateway.always("echo+pause:headers:0.01")
    before = SESSION.tokens
    found = run(rows(100), engine=threads, concurrency=6)
    assert answered(found) == set(range(100))
    assert [row["answer"] for row in found] == [f"Rate row-{number}" for number in range(100)]
    assert gateway.tally.running_peak <= 6
    assert last().progress.tokens == SESSION.tokens - before
    run(rows(100), engine=threads)
    assert gateway.begun.total() == 100


def test_threads_take_any_tool_and_type(gateway: Gateway, threads: Executor) -> None:
    class Verdict(msgspec.Struct):
        stars: int

    gateway.always(Scenario(text='{"stars": 4}'))
    found = run(rows(3), response_type=Verdict, engine=threads, tools=[lambda_free(3)])
    assert [row["stars"] for row in found] == [4] * 3


def lambda_free(offset: int) -> Any:
    """Return a function that no other process could import."""

    def shift(number: int) -> int:
        """Shift a number."""
        return number + offset

    return shift


def test_processes_ask_with_tools_and_types_that_they_can_import(
    gateway: Gateway, processes: Executor
) -> None:
    found = run(rows(60), engine=processes, concurrency=8)
    assert answered(found) == set(range(60))
    gateway.script(calling(Call("add", '{"x": 2, "y": 3}')), "say:five")
    (row,) = run(rows(1), "Add {text}", tools=[add], engine=processes)
    assert row["answer"] == "five"
    assert gateway.requests[-1].json["messages"][-1]["content"] == "5"
    gateway.always(Scenario(text='{"stars": 4}'))
    found = run(rows(4), "Type {text}", response_type=Stars, engine=processes)
    assert [row["stars"] for row in found] == [4] * 4
    before = len(gateway.requests)
    with pytest.raises(UsageError, match="Define them in a module that the workers can import"):
        run(rows(4), "Other {text}", tools=[lambda_free(3)], engine=processes)
    assert len(gateway.requests) == before


def test_a_process_that_ends_breaks_the_pool_and_a_new_one_goes_on(
    gateway: Gateway, processes: Executor
) -> None:
    run(rows(20), engine=processes, tools=[end_the_process])
    # The other rows wait for their answers: those that came before the end of the process would count.
    gateway.script(calling("end_the_process"))
    gateway.always("echo+hold:headers")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"takes no more work: .*\w\. Make a new one"):
            run(rows(60), engine=processes, tools=[end_the_process])
    known = {at for at, row in enumerate(last().frame) if not row["error"]}
    assert known == set(range(20))
    gateway.always("echo")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = run(rows(60), engine=pool, tools=[end_the_process])
    assert answered(found) == set(range(60))


def test_an_executor_that_is_shut_down_is_told(gateway: Gateway) -> None:
    with ThreadPoolExecutor(2) as pool:
        pass
    with pytest.raises(ConfigurationError, match="takes no more work"):
        run(rows(4), engine=pool)


def test_an_error_for_all_rows_stops_the_threads(gateway: Gateway, threads: Executor) -> None:
    gateway.always("echo+pause:headers:0.01+after:9:error:ACCESS_TOKEN_EXPIRED")
    found, reason = stopped(rows(100), engine=threads, concurrency=4)
    assert len(answered(found)) == 9
    assert "9 of 100 rows" in reason
    assert len(gateway.requests) <= 9 + 4
    gateway.always("echo")
    assert answered(run(rows(100), engine=threads)) == set(range(100))
    assert paid_twice(gateway) == 0


async def test_an_interrupt_stops_the_threads_after_the_rows_under_way(
    gateway: Gateway, threads: Executor
) -> None:
    gateway.always("echo+hold:headers")
    batch = Batch(rows(100), PROMPT, BatchOptions(progress=False, engine=threads, concurrency=4))
    running = bridge.submit(batch.run())
    await gateway.until(lambda: gateway.tally.running == 4)
    running.cancel()
    await asyncio.to_thread(running.wait)
    assert batch.status == "interrupted"
    gateway.always("echo")
    gateway.let_go()
    await gateway.until(lambda: gateway.tally.running == 0)
    assert gateway.begun.total() == 4


def test_a_key_that_is_missing_in_a_process_is_told(
    gateway: Gateway, processes: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CBAI_API_KEY")
    with pytest.raises(ConfigurationError, match="There is no key for"):
        run(rows(4), engine=processes)
    assert not gateway.requests
    assert answered(run(rows(4), engine=processes, share_key=True)) == set(range(4))
