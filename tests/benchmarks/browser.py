"""Measure the time from the last token at the server to its display under a cell, in JupyterLab."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.lab import END, lab, on_the_wall, seen, text_of
from tests.benchmarks.table import Row
from tests.gateway import Scenario

TOKENS_PER_S = 500
ROUNDS = 3


async def lags(characters: int) -> list[float]:
    """Return the seconds from the last token to its display, for several answers of this length."""
    seconds = []
    async with lab() as running:
        for _ in range(ROUNDS):
            running.gateway.script(Scenario(text=text_of(characters), rate=TOKENS_PER_S))
            notebook = await running.notebook("%load_ext cbai_notebook", "%%cbai --no-history\nGo")
            shown = asyncio.ensure_future(seen(notebook, ".jp-CodeCell .jp-OutputArea-output", END))
            await notebook.run_all()
            at = await asyncio.wait_for(shown, 300)
            seconds.append(at - on_the_wall(running.gateway.last.finished_at))
            await notebook.close()
    return seconds


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    for characters in (20_000, 100_000):
        seconds = asyncio.run(lags(characters))
        yield Row(
            f"last token → visible in JupyterLab, 500 tokens/s, {characters:,} characters",
            "≤ 100 ms",
            f"{median(seconds) * 1e3:.0f} ms",
        )
