"""Measure batches on a Dask cluster of two workers: the cost of a request, and a worker that is killed.

``python -m tests.benchmarks.batch_dask FIGURE ARGUMENTS…`` measures one figure in a process of its own,
and prints it as JSON; the environment is as for ``tests.benchmarks.batch``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import psutil

from tests.benchmarks.batch import KILL_S, ROUNDS, as_rows, batch, place, plain_gateway
from tests.benchmarks.batch_peers import AT_ONCE, REQUESTS
from tests.benchmarks.table import Row, child
from tests.gateway import GatewayProcess

MODULE = "tests.benchmarks.batch_dask"
WORKERS = 2
SHARE = AT_ONCE // WORKERS
KILLS, KILL_ROWS = 10, 600


@contextlib.contextmanager
def cluster() -> Iterator[Any]:
    """Start two workers in processes of their own; return the client."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0") as made,
        Client(made) as client,
    ):
        yield client


# In the process that is measured


def cpu(where: str) -> tuple[float, float]:
    """Return the seconds of CPU of a request, of all processes together, and those of an idle cluster.

    Args:
        where: ``"here"`` for one process, ``"dask"`` for two workers.
    """
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(cluster()) if where == "dask" else None
        # Enough that each worker has found the limit, and has all its connections.
        batch(list(as_rows(REQUESTS, begin=10**6)), engine=engine)
        began, started = _cpu_of_all(), time.perf_counter()
        found = batch(list(as_rows(REQUESTS)), engine=engine)
        ended = _cpu_of_all()
        time.sleep(time.perf_counter() - started)
        idle = _cpu_of_all() - ended
    assert all(row["answer"] for row in found)
    return (ended - began) / REQUESTS, idle / REQUESTS


def _cpu_of_all() -> float:
    me = psutil.Process()
    times = [each.cpu_times() for each in (me, *me.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def killed(count: str, begin: str) -> int:
    """Run a batch; kill one of the workers when a line is read. Return the rows without an answer."""
    with cluster() as client:
        pids = client.run(os.getpid)
        victim = psutil.Process(pids[min(pids)])

        def kill() -> None:
            sys.stdin.readline()
            victim.kill()

        threading.Thread(target=kill, daemon=True).start()
        print("ready", flush=True)
        found = batch(list(as_rows(int(count), int(begin))), engine=client)
    return sum(not row["answer"] for row in found)


# In the process that measures


def cpu_row() -> Row:
    """Measure the CPU of a request, compared with a batch of one process in the same run.

    What the cluster takes in the same time without a batch is told apart.
    """
    figures: dict[str, list[tuple[float, float]]] = {"here": [], "dask": []}
    with plain_gateway() as gateway:
        for _ in range(ROUNDS):
            for where, found in figures.items():
                with place(gateway) as env:
                    found.append(child(MODULE, "cpu", where, env=env))
    here = median(used for used, _ in figures["here"])
    dask = median(used - idle for used, idle in figures["dask"])
    idle = median(idle for _, idle in figures["dask"])
    return Row(
        f"batch: CPU a request with {WORKERS} Dask workers, {REQUESTS:,} at {AT_ONCE} at once, "
        "all processes together, over one process",
        "≤ 1.3",
        f"{dask / here:.2f} ({dask * 1e6:.0f} µs against {here * 1e6:.0f} µs; {idle * 1e6:.0f} µs "
        "more of the cluster, which it takes without a batch too)",
    )


def kill_row() -> Row:
    """Kill one of two workers at random moments, and count what was paid twice."""
    moments = random.Random(2026)
    twice, lost = [], 0
    with plain_gateway(seconds=KILL_S) as gateway, place(gateway) as env:
        for number in range(KILLS):
            before = gateway.state()["begun"]
            moment = before + moments.randint(1, KILL_ROWS * 3 // 4)
            lost += _kill_at(gateway, moment, number * KILL_ROWS, env)
            twice.append(gateway.state()["begun"] - before - KILL_ROWS)
    return Row(
        f"batch: one of {WORKERS} Dask workers killed at {KILLS} random moments: paid twice, at "
        "most; lost",
        f"≤ {SHARE}, its share; 0",
        f"{max(twice)} (the median {median(twice):.0f}); {lost}",
    )


def _kill_at(gateway: GatewayProcess, moment: int, begin: int, env: dict[str, str]) -> int:
    """Kill a worker after so many answers were begun; return the rows without an answer."""
    command = [sys.executable, "-m", MODULE, "killed", str(KILL_ROWS), str(begin)]
    with psutil.Popen(
        command,
        env={**os.environ, **env},
        stdin=-1,
        stdout=-1,
        text=True,
    ) as running:
        assert running.stdout.readline() == "ready\n"
        gateway.wait_until(lambda state: state["begun"] >= moment)
        running.stdin.write("\n")
        running.stdin.flush()
        return int(json.loads(running.stdout.readlines()[-1]))


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    yield cpu_row()
    yield kill_row()


FIGURES = {"cpu": cpu, "killed": killed}

if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](*sys.argv[2:])))
