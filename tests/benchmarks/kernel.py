"""Measure what one answer costs in a real kernel: bytes sent to the browser, and memory."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from tests.benchmarks.table import Row
from tests.gateway import Gateway, Scenario, serve
from tests.gateway.texts import ENGLISH
from tests.gateway.tools import calling
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.kernel.harness import Kernel


@contextlib.contextmanager
def kernel() -> Iterator[tuple[Kernel, Gateway]]:
    """Start a kernel that sends its requests to the test gateway."""
    with serve() as gateway, tempfile.TemporaryDirectory() as home:
        environment = isolated_environment(
            Path(home) / "home",
            **gateway_variables(gateway),
        )
        running = Kernel(environment, Path(home))
        try:
            yield running, gateway
        finally:
            running.close()


def answer_bytes(characters: int, rate: int) -> int:
    """Return the bytes of the messages of one answer on the output channel of the kernel.

    Args:
        characters: The length of the answer, which is streamed in tokens of seven characters.
        rate: Tokens per second.
    """
    text = (ENGLISH * (characters // len(ENGLISH) + 1))[:characters]
    tokens = tuple(text[start : start + 7] for start in range(0, characters, 7))
    with kernel() as (running, gateway):
        running.must("%load_ext cbai_notebook")
        gateway.script(Scenario(text=tokens, rate=rate))
        return running.finish(running.send("%cbai Go"), patience=300).bytes


def memory() -> float:
    """Return the megabytes that one answer adds to a bare kernel."""
    with kernel() as (running, _):
        running.must("1 + 1")
        process = psutil.Process(running.pid)
        bare = process.memory_info().rss
        running.must("%load_ext cbai_notebook")
        running.must("%%cbai -m english\nGo")
        return (process.memory_info().rss - bare) / 1e6


TOOLS = """
import asyncio, time

def deaf() -> str:
    "Sleep in one call of the system."
    time.sleep(20)
    return ""

async def stubborn() -> str:
    "Swallow the cancellation."
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
    return ""
"""


def interrupts() -> dict[str, float]:
    """Return the seconds from an interrupt to the end of its cell, for several kinds of prompts."""
    found = {}
    kinds = {
        "before the answer": ("", "hang:headers"),
        "in the answer": ("", "tokens:100+pause:2:60"),
        "in a function that sleeps": ("--tool deaf", calling("deaf")),
        "in a function that swallows it": ("--tool stubborn", calling("stubborn")),
    }
    for kind, (options, scenario) in kinds.items():
        with kernel() as (running, gateway):
            running.must(f"%load_ext cbai_notebook\n{TOOLS}")
            gateway.script(scenario)
            cell = running.send(f"%%cbai {options}\nGo")
            gateway.wait_until(lambda gateway=gateway: gateway.requests)
            time.sleep(1)
            began = time.perf_counter()
            running.interrupt()
            running.finish(cell)
            found[kind] = time.perf_counter() - began
    return found


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    size = answer_bytes(10_500, 60)
    yield Row(
        "bytes from kernel to browser, 10.5 KB in 1,500 tokens at 60 tokens/s",
        "≤ 0.8 MB",
        f"{size / 1e6:.2f} MB",
    )
    short, long = answer_bytes(10_000, 500), answer_bytes(100_000, 500)
    yield Row(
        "the same per character, 100,000 characters against 10,000 (500 tokens/s)",
        "≤ 2",
        f"{(long / 100_000) / (short / 10_000):.2f}",
    )
    rounds = [interrupts() for _ in range(3)]
    slowest = max(median(each[kind] for each in rounds) for kind in rounds[0])
    yield Row(
        "from an interrupt to the end of its cell, the slowest of 4 kinds (two of them tools that go on)",
        "≤ 0.3 s",
        f"{slowest:.2f} s",
    )
    yield Row("kernel memory over a bare kernel, after one answer", "≤ 40 MB", f"{memory():.0f} MB")
