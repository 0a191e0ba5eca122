"""Measure batches: the cost of a request, refusals, kills, memory, and what is known already.

``python -m tests.benchmarks.batch FIGURE ARGUMENTS…`` measures one figure in a process of its own, and
prints it as JSON. ``CBAI_BASE_URL`` and the other settings are in the environment, ``CBAI_HISTORY`` is the
file beside which the answers are stored.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from tests.benchmarks.batch_peers import AT_ONCE, MODEL, REQUESTS, TEMPLATE, reviews
from tests.benchmarks.kernel import kernel
from tests.benchmarks.table import Row, child
from tests.gateway import Gateway, GatewayProcess, serve_process
from tests.gateway_access import gateway_variables

MODULE = "tests.benchmarks.batch"
ANSWER = "say:Four stars, for the taste alone."
ROUNDS = 3

LIMIT, LIMITED_ROWS, LIMITED_S = 5, 300, 0.05
"""Answers at once that the server allows, rows that are asked for, and seconds of one answer."""

MANY = 100_000
MILLION = 1_000_000
GROWTH = (5_000, 10_000, 20_000)
KILLS, KILL_ROWS, KILL_S = 50, 300, 0.02


# In the process that is measured


def batch(rows: Any, **options: Any) -> Any:
    """Run a batch over rows with the column ``text``."""
    import cbai_notebook as cbai

    return cbai.batch(rows, TEMPLATE, model=MODEL, concurrency=AT_ONCE, progress=False, **options)


def as_rows(count: int, begin: int = 0) -> Iterator[dict[str, str]]:
    """Yield rows with a text each."""
    return ({"text": text} for text in reviews(count, begin))


def asked(count: str, begin: str) -> tuple[float, int]:
    """Return the seconds of a batch, and the rows that got no answer."""
    rows = list(as_rows(int(count), int(begin)))
    started = time.perf_counter()
    answered = batch(rows)
    seconds = time.perf_counter() - started
    return seconds, int(count) - sum(bool(row["answer"]) for row in answered)


class Peak:
    """The largest memory of this process in a block, in bytes over that at its begin."""

    def __enter__(self) -> Peak:
        gc.collect()
        self._process = psutil.Process()
        self._began = self._process.memory_info().rss
        self.bytes = 0
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, self._process.memory_info().rss - self._began)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()


def memory(count: str, to: str) -> tuple[float, int]:
    """Return the peak of the memory of a batch from a generator to a file, and the lines of the file.

    Neither the rows nor the answers are kept, so that all of it is what the batch itself needs. A batch
    of a twentieth of the size comes first: it imports and connects.
    """
    batch(as_rows(int(count) // 20, begin=int(count)), to=f"{to}.first.ndjson")
    with Peak() as peak:
        batch(as_rows(int(count)), to=to)
    with Path(to).open(encoding="utf-8") as written:
        return peak.bytes / 1e6, sum(1 for _ in written)


def again(count: str, to: str) -> float:
    """Return the seconds of a batch that is known already."""
    started = time.perf_counter()
    batch(as_rows(int(count)), to=to)
    return time.perf_counter() - started


def first(count: str) -> None:
    """Print the time at which a batch of many rows begins, and run it; the parent ends it."""
    import pandas as pd

    frame = pd.DataFrame({"text": list(reviews(int(count)))})
    import cbai_notebook as _loaded  # noqa: F401

    print(json.dumps(time.monotonic()), flush=True)
    batch(frame)


def growth() -> list[float]:
    """Return the seconds of CPU of batches of three sizes, measured in turns."""
    list(batch(list(as_rows(AT_ONCE, begin=10**9))))
    seconds: dict[int, list[float]] = {size: [] for size in GROWTH}
    begin = 0
    for _ in range(ROUNDS):
        for size in GROWTH:
            rows = list(as_rows(size, begin))
            begin += size
            started = time.process_time()
            batch(rows)
            seconds[size].append(time.process_time() - started)
    return [median(figures) for figures in seconds.values()]


# In the process that measures


@contextlib.contextmanager
def place(gateway: GatewayProcess) -> Iterator[dict[str, str]]:
    """Return the environment of children with a new store and this gateway."""
    with tempfile.TemporaryDirectory() as folder:
        yield {
            **gateway_variables(gateway),
            "CBAI_HISTORY": str(Path(folder, "history.sqlite")),
            "CBAI_CONFIG_DIR": folder,
        }


def plain_gateway(*arguments: str, seconds: float = 0) -> Any:
    """Start a gateway that answers after so many seconds, and costs little."""
    spec = f"{ANSWER}+pause:headers:{seconds}" if seconds else ANSWER
    return serve_process("--plain", "--default", spec, *arguments)


@contextlib.contextmanager
def environment_of(package: str) -> Iterator[str]:
    """Install a package in an environment of its own; return the Python of that environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python"))
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
        yield python


def cpu_rows(flexllm: bool) -> Iterator[Row]:
    """Measure the CPU of a request, compared with peers in the same run."""
    figures: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        pythons = dict.fromkeys(("ours-fast", "ours", "openai"), sys.executable)
        if flexllm:
            pythons["flexllm"] = stack.enter_context(environment_of("flexllm"))
        gateway = stack.enter_context(plain_gateway())
        for _ in range(ROUNDS):
            for peer, python in pythons.items():
                with place(gateway) as env:
                    used = child(
                        "tests.benchmarks.batch_peers",
                        peer,
                        gateway.base_url,
                        env=env,
                        python=python,
                    )
                figures.setdefault(peer, []).append(used)
    cpu = {peer: median(values) for peer, values in figures.items()}
    what = f"batch: CPU a request, {REQUESTS:,} at {AT_ONCE} at once, store on, over"
    for peer, goal, name in (("ours-fast", "≤ 0.10", "`[fast]`"), ("ours", "≤ 0.18", "plain")):
        yield Row(f"{what} openai-python with gather, {name}", goal, _ratio(cpu, peer, "openai"))
    if flexllm:
        yield Row(f"{what} flexllm, `[fast]`", "≤ 0.75", _ratio(cpu, "ours-fast", "flexllm"))


def _ratio(cpu: dict[str, float], peer: str, other: str) -> str:
    return (
        f"{cpu[peer] / cpu[other]:.2f} ({cpu[peer] * 1e6:.0f} µs against {cpu[other] * 1e6:.0f} µs)"
    )


def limited_rows() -> Iterator[Row]:
    """Measure a batch that asks for far more answers at once than the server allows."""
    ideal = LIMITED_ROWS * LIMITED_S / LIMIT
    seconds, refused, lost = [], 0, 0
    for _ in range(ROUNDS):
        limit = ("--concurrency", str(LIMIT))
        with plain_gateway(*limit, seconds=LIMITED_S) as gateway, place(gateway) as env:
            took, missing = child(MODULE, "asked", str(LIMITED_ROWS), "0", env=env)
            seconds.append(took)
            lost += missing
            refused = max(refused, sum(gateway.state()["refused"].values()))
    yield Row(
        f"batch: {LIMITED_ROWS} rows of {LIMITED_S * 1e3:.0f} ms, {AT_ONCE} at once asked for, "
        f"{LIMIT} allowed, over the ideal time; refused; lost",
        "≤ 1.35; ≤ 5 %; 0",
        f"{median(seconds) / ideal:.2f} ({median(seconds):.1f} s against {ideal:.1f} s); "
        f"{refused / LIMITED_ROWS:.1%}; {lost}",
    )


def kill_rows() -> Iterator[Row]:
    """Kill batches at random moments, run them again, and count what was paid twice."""
    moments = random.Random(2026)
    twice, lost = [], 0
    with plain_gateway(seconds=KILL_S) as gateway, place(gateway) as env:
        for number in range(KILLS):
            arguments = ("asked", str(KILL_ROWS), str(number * KILL_ROWS))
            before = gateway.state()["begun"]
            moment = before + moments.randint(1, KILL_ROWS - 1)
            with started(*arguments, env=env) as running:
                _wait_for_answers(gateway, moment)
                running.kill()
            gateway.wait_until(lambda state: state["running"] == 0)
            lost += child(MODULE, *arguments, env=env)[1]
            twice.append(gateway.state()["begun"] - before - KILL_ROWS)
        in_flight = gateway.state()["running_peak"]
    yield Row(
        f"batch: {KILLS} kills at random moments: paid twice, at most; lost",
        f"≤ {AT_ONCE}, those in flight; 0",
        f"{max(twice)} of {in_flight} (the median {median(twice):.0f}); {lost}",
    )


def _wait_for_answers(gateway: GatewayProcess, begun: int) -> None:
    gateway.wait_until(lambda state: state["begun"] >= begun)


@contextlib.contextmanager
def started(*arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a figure in the background; it is killed at the end of the block."""
    command = [sys.executable, "-m", MODULE, *arguments]
    with subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def size_rows() -> Iterator[Row]:
    """Measure batches of many rows: memory, a second run, the first request, growth."""
    with plain_gateway() as gateway, place(gateway) as env, tempfile.TemporaryDirectory() as out:
        used, written = child(MODULE, "memory", str(MANY), f"{out}/one.ndjson", env=env)
        begun = gateway.state()["begun"]
        seconds = child(MODULE, "again", str(MANY), f"{out}/two.ndjson", env=env)
        sent = gateway.state()["begun"] - begun
    yield Row(
        f"batch: {MANY:,} rows from a generator to a file, memory over input and answers",
        "≤ 15 MB",
        f"{used:.0f} MB" + ("" if written == MANY else f", but only {written:,} rows written"),
    )
    yield Row(
        f"batch: {MANY:,} known rows again: requests; seconds",
        "0; ≤ 3 s",
        f"{sent}; {seconds:.1f} s",
    )
    yield first_request_row()
    with plain_gateway() as gateway, place(gateway) as env:
        one, two, four = child(MODULE, "growth", env=env)
    yield Row(
        f"batch: CPU of {GROWTH[2]:,} rows over that of half as many",
        "≤ 2.2",
        f"{four / two:.1f} ({one:.2f} s, {two:.2f} s and {four:.2f} s for a quarter, half and all)",
    )


def first_request_row() -> Row:
    """Measure the time from the call of a batch of a million rows to its first request."""
    seconds = []
    for _ in range(ROUNDS):
        with plain_gateway() as gateway, place(gateway) as env:
            with started("first", str(MILLION), env=env) as running:
                assert running.stdout is not None
                began = float(running.stdout.readline())
                state = gateway.wait_until(lambda state: state["first_begun_at"] is not None)
            seconds.append(state["first_begun_at"] - began)
    return Row(
        f"batch: {MILLION:,} rows of a DataFrame, to the first request",
        "≤ 1 s",
        f"{median(seconds):.2f} s",
    )


def _wait_for_a_quarter(gateway: Gateway) -> None:
    gateway.wait_until(lambda: gateway.begun.total() > REQUESTS // 4)


def interrupt_row() -> Row:
    """Measure the time from an interrupt of a batch in a kernel to the end of its cell."""
    seconds, lost = [], 0
    for _ in range(ROUNDS):
        with kernel() as (running, gateway):
            gateway.always(f"{ANSWER}+pause:headers:{LIMITED_S}")
            running.must("import cbai_notebook as cbai\n%load_ext cbai_notebook")
            call = f"cbai.batch(rows, {TEMPLATE!r}, model={MODEL!r}, concurrency={AT_ONCE})"
            cell = running.send(f"rows = {list(as_rows(REQUESTS))!r}\n{call}")
            _wait_for_a_quarter(gateway)
            began = time.perf_counter()
            running.interrupt()
            running.finish(cell)
            seconds.append(time.perf_counter() - began)
            finished = sum(one.finished for one in gateway.requests)
            kept = running.must(
                "print(sum(bool(row['answer']) for row in cbai.last_batch().frame))"
            )
            # An answer that was sent while the client stopped has not arrived; it was in flight.
            lost = max(lost, finished - AT_ONCE - int(kept.stdout))
    return Row(
        "batch: interrupt → end of the cell; finished answers lost, those in flight apart",
        "≤ 300 ms; 0",
        f"{median(seconds) * 1e3:.0f} ms; {max(lost, 0)}",
    )


def rows(flexllm: bool = False) -> Iterator[Row]:
    """Measure and yield the rows of the table.

    Args:
        flexllm: Compare with flexllm too, which is installed in a new environment for it.
    """
    yield from cpu_rows(flexllm)
    yield from limited_rows()
    yield from kill_rows()
    yield from size_rows()
    yield interrupt_row()


FIGURES: dict[str, Callable[..., Any]] = {
    "asked": asked,
    "memory": memory,
    "again": again,
    "first": first,
    "growth": growth,
}


if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](*sys.argv[2:])))
