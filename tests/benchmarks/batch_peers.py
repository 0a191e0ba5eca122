"""Measure the CPU of one client that sends many short requests, 64 at once.

``python -m tests.benchmarks.batch_peers PEER BASE_URL`` prints the seconds of CPU per request as JSON. The
peer is ``ours`` or ``ours-fast`` (the batch of this package, on the plain or the fast transport, with its
store), ``openai`` (openai-python with ``asyncio.gather`` and a semaphore) or ``flexllm``. This module needs
no other package than the peer, so that the peer can be in an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

REQUESTS = 2_000
AT_ONCE = 64
WARM_UP = 64
MODEL = "hy3"
KEY = "test-key"
TEMPLATE = "How many stars does this review give? {text}"

Run = Callable[[list[str]], list[Any]]


def reviews(count: int, begin: int = 0) -> Iterator[str]:
    """Yield short texts, all different, with the marks by which the test gateway tells rows apart."""
    for number in range(begin, begin + count):
        yield f"row-{number}: the tea arrived late, but it was good."


def openai(base_url: str) -> Run:
    """Return a function that asks with openai-python; each run has a client of its own."""
    from openai import AsyncOpenAI

    async def ask_all(texts: list[str]) -> list[Any]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(text: str) -> Any:
            async with gate:
                prompt = TEMPLATE.format(text=text)
                answer = await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": prompt}]
                )
            return answer.choices[0].message.content

        async with AsyncOpenAI(base_url=f"{base_url}/ai/cloudbase", api_key=KEY) as client:
            return await asyncio.gather(*map(ask, texts))

    return lambda texts: asyncio.run(ask_all(texts))


def flexllm(base_url: str) -> Run:
    """Return a function that asks with flexllm, as its documentation shows a batch."""
    from flexllm import LLMClient  # type: ignore[import-not-found]

    async def ask_all(texts: list[str]) -> list[Any]:
        client = LLMClient(
            provider="openai",
            base_url=f"{base_url}/ai/cloudbase",
            api_key=KEY,
            model=MODEL,
            concurrency_limit=AT_ONCE,
        )
        prompts = [[{"role": "user", "content": TEMPLATE.format(text=text)}] for text in texts]
        result = await client.chat_batch(prompts, show_progress=False)
        await client.aclose()
        return [one.content for one in result]

    return lambda texts: asyncio.run(ask_all(texts))


def ours(base_url: str, fast: bool) -> Run:
    """Return a function that asks with this package; its store is that of ``CBAI_HISTORY``."""
    if not fast:
        # As on a machine without the extra `fast`.
        sys.modules["httpx_aiohttp"] = None  # type: ignore[assignment]
    import cbai_notebook as cbai

    cbai.configure(base_url=base_url, api_key=KEY, env_id="test-env")

    def ask_all(texts: list[str]) -> list[Any]:
        rows = [{"text": text} for text in texts]
        answered = cbai.batch(rows, TEMPLATE, model=MODEL, concurrency=AT_ONCE, progress=False)
        return [row["answer"] for row in answered]

    return ask_all


def main(peer: str, base_url: str) -> None:
    """Measure and print the figure as JSON."""
    if peer.startswith("ours"):
        run = ours(base_url, fast=peer == "ours-fast")
    else:
        run = {"openai": openai, "flexllm": flexllm}[peer](base_url)
    run(list(reviews(WARM_UP, begin=10**6)))
    texts = list(reviews(REQUESTS))
    started = time.process_time()
    answers = run(texts)
    used = time.process_time() - started
    assert len(answers) == REQUESTS
    assert all(answers), f"{answers.count(None)} requests have no answer"
    print(json.dumps(used / REQUESTS))


if __name__ == "__main__":
    main(*sys.argv[1:])
