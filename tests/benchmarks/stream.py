"""Measure one client that reads streams: CPU per chunk, or seconds to the first token.

``python -m tests.benchmarks.stream PEER FIGURE BASE_URL``: the peer is ``ours``, ``ours-fast`` or
``openai``; the figure is ``cpu`` (seconds of CPU per chunk, of 20,000 chunks, the best of four runs) or
``first`` (seconds to the first token on a warm connection, the median of 200).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from typing import Any

CHUNKS = 20_000
ASK = [{"role": "user", "content": "Introduce Li Bai"}]

Open = Callable[[str], Awaitable[AsyncIterator[str]]]


def openai(base_url: str) -> Open:
    """Return a function that opens streams with the openai package."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{base_url}/ai/cloudbase", api_key="test-key")

    async def texts(stream: Any) -> AsyncIterator[str]:
        async for chunk in stream:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text

    async def open_(model: str) -> AsyncIterator[str]:
        stream = await client.chat.completions.create(model=model, messages=ASK, stream=True)
        return texts(stream)

    return open_


def ours(base_url: str, fast: bool) -> Open:
    """Return a function that opens streams with this package, on the plain or the fast transport."""
    if not fast:
        # As on a machine without the extra `fast`.
        sys.modules["httpx_aiohttp"] = None  # type: ignore[assignment]
    import cbai_notebook as cbai

    cbai.configure(base_url=base_url, api_key="test-key", env_id="test-env")
    model = cbai.create_model("cloudbase")

    async def open_(name: str) -> AsyncIterator[str]:
        return (await model.stream_text(model=name, messages=ASK)).text_stream

    return open_


async def cpu_per_chunk(open_: Open) -> float:
    """Return the seconds of CPU per chunk: the best of four runs; the first also warms up."""
    best = float("inf")
    for _ in range(4):
        started = time.process_time()
        count = 0
        async for _text in await open_(f"blast:{CHUNKS}"):
            count += 1
        used = time.process_time() - started
        assert count == CHUNKS, count
        best = min(best, used / CHUNKS)
    return best


async def first_token(open_: Open) -> float:
    """Return the seconds to the first token on a warm connection, the median of 200."""
    seconds = []
    for _ in range(220):
        started = time.perf_counter()
        texts = await open_("blast:3")
        async for _text in texts:
            seconds.append(time.perf_counter() - started)
            break
        async for _text in texts:
            pass
    return median(seconds[20:])


def main(peer: str, figure: str, base_url: str) -> None:
    """Measure and print the figure as JSON."""
    open_ = openai(base_url) if peer == "openai" else ours(base_url, fast=peer == "ours-fast")
    measure = {"cpu": cpu_per_chunk, "first": first_token}[figure]
    print(json.dumps(asyncio.run(measure(open_))))


if __name__ == "__main__":
    main(*sys.argv[1:])
