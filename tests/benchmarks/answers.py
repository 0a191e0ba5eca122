"""Measure long answers: how their cost grows with their length, and the memory of a kept one.

``python -m tests.benchmarks.answers FIGURE BASE_URL`` prints one figure as JSON:

- ``content``, ``arguments``, ``calls``: the seconds of CPU to read an answer of a quarter, of half and of
  the full size, each the median of five runs. The sizes are measured in turns.
- ``memory``: the bytes that an answer occupies after its stream is gone, and once its ``raw`` was read,
  each divided by the bytes of its text; the medians of five answers.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.benchmarks.table import Row, child
from tests.gateway import serve_process

RUNS = 5
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Introduce Li Bai"}]}
CONTENT_PIECES, ARGUMENT_PIECES, CALLS, CHARACTERS = 160_000, 80_000, 2_000, 100_000


def serve(n: int = 0, text: str = "") -> int:
    """Return the first argument."""
    return n


SPECS = {
    "content": (CONTENT_PIECES, "say:measured+tokens:{}", {}),
    "arguments": (ARGUMENT_PIECES, "call-pieces:{}:serve", {"tools": [serve], "max_steps": 1}),
    "calls": (CALLS, "calls:{}:serve", {"tools": [serve], "max_steps": 1}),
}
"""For each figure: the full size, the model of the test gateway, and the parameters of the request."""


async def read(model: Any, spec: str, **params: Any) -> Any:
    """Read a stream to its end, with everything that an answer offers."""
    answer = await (await model.stream_text(model=spec, **ASK, **params)).finish()
    assert answer.raw["choices"]
    assert answer.text or answer.tool_calls
    assert answer.messages
    return answer


async def growth(model: Any, figure: str) -> list[float]:
    """Return the seconds of CPU for a quarter, for half and for the full size."""
    full, spec, params = SPECS[figure]
    sizes = (full // 4, full // 2, full)
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(RUNS + 1):
        for size in sizes:
            started = time.process_time()
            await read(model, spec.format(size), **params)
            seconds[size].append(time.process_time() - started)
    return [median(figures[1:]) for figures in seconds.values()]


async def memory(model: Any) -> list[float]:
    """Return the memory of a kept answer over the bytes of its text, and once its `raw` was read."""
    spec = f"english+long:{CHARACTERS}"
    figures = []
    await read(model, spec)
    for _ in range(RUNS):
        gc.collect()
        tracemalloc.start()
        answer = await (await model.stream_text(model=spec, **ASK)).finish()
        await asyncio.sleep(0.2)  # the connection is given back after the answer
        size = len(answer.text.encode())
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] / size
        assert answer.raw
        gc.collect()
        figures.append((kept, tracemalloc.get_traced_memory()[0] / size))
        tracemalloc.stop()
    return [median(column) for column in zip(*figures, strict=True)]


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    module = "tests.benchmarks.answers"
    with serve_process() as gateway:
        for figure, what in (
            ("content", f"{CONTENT_PIECES:,} pieces of content"),
            ("arguments", f"the arguments of a call in {ARGUMENT_PIECES:,} pieces"),
            ("calls", f"{CALLS:,} calls in one step"),
        ):
            quarter, half, full = child(module, figure, gateway.base_url)
            yield Row(
                f"answers: {what}, CPU over that of half as many",
                "≤ 2.2",
                f"{full / half:.1f} ({quarter:.2f} s, {half:.2f} s and {full:.2f} s for a quarter, "
                "half and all)",
            )
        kept, with_raw = child(module, "memory", gateway.base_url)
    yield Row(
        f"answers: memory of a kept answer of {CHARACTERS:,} characters, over its text",
        "≤ 2",
        f"{kept:.1f} ({with_raw:.1f} once `raw` was read)",
    )


def main(figure: str, base_url: str) -> None:
    """Measure and print the figure as JSON."""
    import cbai_notebook as cbai

    cbai.configure(base_url=base_url, api_key="test-key", env_id="test-env")
    model = cbai.create_model("cloudbase")
    work = memory(model) if figure == "memory" else growth(model, figure)
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    main(*sys.argv[1:])
