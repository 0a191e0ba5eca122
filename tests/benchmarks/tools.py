"""Measure tools: the cost of a step, ten tool calls at once, and the description of a function.

``python -m tests.benchmarks.tools FIGURE BASE_URL`` prints one figure as JSON, in seconds:

- ``step``: the CPU that a step with one tool call on a thread takes more than the same request made by
  hand, and the CPU of that request; the best of six runs of 40 steps.
- ``ten``: ten tool calls of 100 ms at once, from the start of the first to the end of the last; the
  median of nine runs.
- ``schema``: describing a function of five parameters the first time, and each later time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.benchmarks.table import Row, child
from tests.gateway import serve_process

STEPS = 40
MODEL = 'call:add:{"x": 1}'
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Introduce Li Bai"}]}


def add(x: int, y: int = 1) -> int:
    """Add two numbers.

    Args:
        x: The first.
        y: The second.
    """
    return x + y


def sleep(n: int) -> int:
    """Wait for 100 ms."""
    time.sleep(0.1)
    return n


async def step_cpu() -> tuple[float, float]:
    """Return the CPU that a step takes more than its request, and the CPU of the request, in seconds."""
    import cbai_notebook as cbai

    model = cbai.create_model("cloudbase")

    described = [cbai.tool(add).sent]

    async def plain() -> None:
        messages = list(ASK["messages"])
        for number in range(STEPS):
            answer = await model.generate_text(model=MODEL, messages=messages, tools=described)
            call = answer.messages[-1]["tool_calls"][0]
            result = {"role": "tool", "tool_call_id": call["id"], "content": str(number)}
            messages = [*answer.messages, result]

    async def looped() -> None:
        answer = await model.generate_text(
            model=MODEL, messages=ASK["messages"], tools=[add], max_steps=STEPS
        )
        assert len(answer.steps) == STEPS

    cost = {}
    for name, run in (("plain", plain), ("looped", looped)):
        best = float("inf")
        for _round in range(6):
            started = time.process_time()
            await run()
            best = min(best, time.process_time() - started)
        cost[name] = best / STEPS
    return cost["looped"] - cost["plain"], cost["plain"]


async def ten_at_once() -> float:
    """Return the seconds from the start of the first of ten tool calls to the end of the last."""
    import cbai_notebook as cbai

    model = cbai.create_model("cloudbase")
    seconds = []
    for _ in range(10):
        seen: list[float] = []
        await model.generate_text(
            model="calls:10:sleep",
            **ASK,
            tools=[sleep],
            max_steps=1,
            on_call=lambda _state, seen=seen: seen.append(time.perf_counter()),
        )
        assert len(seen) == 20
        seconds.append(seen[-1] - seen[0])
    return median(seconds[1:])


def schema_cost() -> tuple[float, float]:
    """Return the seconds to describe a function for the first time, and for each later time."""
    from cbai_notebook.client.tools.schema import describe

    def make(_number: int) -> Any:
        def book(
            city: str, days: int = 3, budget: float = 0.5, tags: str = "", done: bool = False
        ) -> None:
            """Book a journey.

            Args:
                city: Where to.
                days: How long.
                budget: How much.
                tags: What for.
                done: Whether.
            """

        return book

    functions = [make(number) for number in range(60)]
    first = []
    for function in functions:
        started = time.perf_counter()
        describe(function)
        first.append(time.perf_counter() - started)
    started = time.perf_counter()
    for _ in range(10_000):
        describe(functions[0])
    return median(first[10:]), (time.perf_counter() - started) / 10_000


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    module = "tests.benchmarks.tools"
    with serve_process() as gateway:
        step, request = child(module, "step", gateway.base_url)
        ten = child(module, "ten", gateway.base_url)
    first, later = child(module, "schema", "")
    yield Row(
        "tools: CPU of a step with a call over that of its request",
        "≤ 2 ms",
        f"{step * 1e3:.2f} ms (the request {request * 1e3:.2f} ms)",
    )
    yield Row("tools: ten calls of 100 ms in one step", "≤ 150 ms", f"{ten * 1e3:.0f} ms")
    yield Row(
        "tools: describing a function, the first time and later",
        "cached",
        f"{first * 1e3:.2f} ms, then {later * 1e6:.1f} µs",
    )


def main(figure: str, base_url: str) -> None:
    """Measure and print the figure as JSON."""
    if figure == "schema":
        print(json.dumps(schema_cost()))
        return
    import cbai_notebook as cbai

    cbai.configure(base_url=base_url, api_key="test-key", env_id="test-env")
    print(json.dumps(asyncio.run({"step": step_cpu, "ten": ten_at_once}[figure]())))


if __name__ == "__main__":
    main(*sys.argv[1:])
