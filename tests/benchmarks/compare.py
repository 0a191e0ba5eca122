"""Measure the time from the last token of each answer of a comparison to its display, in JupyterLab."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.lab import lab, on_the_wall, text_of
from tests.benchmarks.table import Row
from tests.gateway import Scenario

TOKENS_PER_S = 50
ANSWERS = 12
ROUNDS = 3
SHORTEST = 900
LONGER = 60
"""The characters of the shortest answer, and how many more each following one has, so that they end one
after the other."""

# With rows before, the gate has learned that the server takes all answers at once.
LEARN = (
    "%load_ext cbai_notebook\nimport cbai_notebook as cbai\n"
    "rows = [{'n': n} for n in range(80)]\n"
    "_ = cbai.batch(rows, 'Say {n}', model='say:ok', progress=False)"
)

# Resolves with the times of the first frames after each of the texts is in an answer.
_SEEN = """texts => new Promise(resolve => {
  const times = {};
  const look = () => {
    const missing = texts.filter(text => !(text in times));
    const shown = [...document.querySelectorAll(".cbai-grid-cell")].map(one => one.textContent);
    for (const text of missing) {
      if (!shown.some(one => one.includes(text))) continue;
      times[text] = 0;
      requestAnimationFrame(() => setTimeout(() => {
        times[text] = Date.now() / 1000;
        if (texts.every(each => times[each])) resolve(texts.map(each => times[each]));
      }));
    }
  };
  new MutationObserver(look).observe(
    document.body, {childList: true, subtree: true, characterData: true});
})"""


async def lags(answers: int) -> tuple[list[float], float]:
    """Return the seconds from the last token of each answer to its display, and the bytes a second.

    Args:
        answers: How many answers a comparison has.
    """
    seconds: list[float] = []
    rates: list[float] = []
    async with lab() as running:
        gateway = running.gateway
        for _ in range(ROUNDS):
            notebook = await running.notebook(
                LEARN, f"%%cbai --samples {answers} -m hy3 --no-history\nGo"
            )
            await notebook.run_from(0)
            await notebook.idle()
            before, received = len(gateway.requests), running.received
            ends = [f"END-OF-ANSWER-{number}-" for number in range(answers)]
            gateway.script(
                *(
                    Scenario(text=text_of(SHORTEST + LONGER * number) + end, rate=TOKENS_PER_S)
                    for number, end in enumerate(ends)
                )
            )
            shown = asyncio.ensure_future(notebook.page.evaluate(_SEEN, ends))
            await notebook.run_from(1)
            times = await asyncio.wait_for(shown, 300)
            exchanges = gateway.requests[before:]
            for at, exchange in zip(times, exchanges, strict=True):
                seconds.append(at - on_the_wall(exchange.finished_at))
            rates.append(running.received - received)
            await notebook.close()
    return seconds, median(rates)


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    alone, _ = asyncio.run(lags(1))
    seconds, received = asyncio.run(lags(ANSWERS))
    yield Row(
        f"compare: {ANSWERS} answers at {TOKENS_PER_S} tokens/s each, last token → visible in JupyterLab",
        "≤ 150 ms",
        f"{median(seconds) * 1e3:.0f} ms, the slowest {max(seconds) * 1e3:.0f} ms "
        f"(one alone {median(alone) * 1e3:.0f} ms)",
    )
    yield Row(
        "compare: bytes from kernel to browser for these answers",
        "≤ 2 MB",
        f"{received / 1e6:.2f} MB",
    )
