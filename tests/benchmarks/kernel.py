"""Measure what one answer costs in a real kernel: bytes sent to the browser, and memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.table import Row
from tests.gateway import Gateway, Scenario, serve
from tests.gateway.texts import ENGLISH
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
    yield Row("kernel memory over a bare kernel, after one answer", "≤ 40 MB", f"{memory():.0f} MB")
