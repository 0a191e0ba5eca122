"""Measure the chat panel in JupyterLab: sending, streaming, opening, and four panels at once."""

from __future__ import annotations

import asyncio
import bisect
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.kernel import kernel
from tests.benchmarks.lab import END, Lab, lab, on_the_wall, seen, text_of
from tests.benchmarks.table import Row
from tests.browser.page import NotebookPage
from tests.browser.panel_page import MAKE, PanelPage
from tests.gateway import Exchange, Scenario

TOKENS_PER_S = 500
ROUNDS = 3
SENDS = 15
TURNS = 200
PANELS = 4
PANEL_TOKENS_PER_S = 100
PANEL_SECONDS = 20
FEW_TURNS, MANY_TURNS = 100, 3_000
OPENED = 300

_FILL = f"""
import cbai_notebook as cbai, datetime
from cbai_notebook.conversation import Turn
talk = cbai.chat("long")
for number in range({TURNS}):
    now = datetime.datetime.now(datetime.timezone.utc)
    turn = Turn(prompt=f"question {{number}}", created_at=now, status="complete")
    turn.add(f"## Answer {{number}}\\n\\n" + "Some **words** and `code`. " * 40, "")
    talk.open(turn)
"""

# A conversation with many turns of the size of a short answer; and when nothing is on its way.
_TURNS = """
import cbai_notebook as cbai, gc, threading, time
from ipywidgets.widgets.widget import _instances
def filled(name, turns):
    messages = [
        {"role": role, "content": content}
        for number in range(turns)
        for role, content in (("user", f"question {number}"), ("assistant", "some words " * 85))
    ]
    cbai.chat(name).extend(cbai.Conversation.from_messages(messages).turns)
    return cbai.ChatPanel(name)
def settle(panel):
    while panel.isLoading:
        time.sleep(0.01)
    time.sleep(0.5)
    for thread in threading.enumerate():
        if "transcript" in thread.name:
            thread.join(60)
"""

_RUN_CELL = """async () => {
  const started = Date.now() / 1000;
  window.jupyterapp.commands.execute("notebook:run-cell");
  return started;
}"""

# Every 50 ms: the time, and for each panel the number of the last token on the screen.
_SAMPLE = """seconds => new Promise(resolve => {
  const samples = [];
  const began = performance.now();
  const numberIn = node => {
    const numbers = node.textContent.match(/w\\d+/g);
    return numbers && node.checkVisibility({visibilityProperty: true})
      ? Number(numbers[numbers.length - 1].slice(1)) : null;
  };
  const timer = setInterval(() => {
    const shown = [...document.querySelectorAll(".cbai-panel")].map(panel => {
      for (const answer of [...panel.querySelectorAll(".cbai-answer")].reverse()) {
        const number = numberIn(answer);
        if (number !== null) return number;
      }
      return -1;
    });
    samples.push([Date.now() / 1000, shown]);
    if (performance.now() - began > seconds * 1000) { clearInterval(timer); resolve(samples); }
  }, 50);
})"""


async def open_panel(running: Lab) -> tuple[NotebookPage, PanelPage]:
    """Open a notebook with a panel that has shown one answer."""
    notebook = await running.notebook(MAKE)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    running.gateway.script("say:hello")
    await panel.converse("hello")
    return notebook, panel


async def sends(running: Lab) -> list[float]:
    """Return the seconds from the Enter key to the arrival of the request at the server."""
    notebook, panel = await open_panel(running)
    seconds = []
    await panel.area.evaluate(
        "area => area.addEventListener('keydown', event => {"
        " if (event.key === 'Enter') window.entered = Date.now() / 1000; }, true)"
    )
    for number in range(SENDS):
        running.gateway.script("say:yes")
        await panel.converse(f"prompt {number}")
        entered = await notebook.page.evaluate("window.entered")
        seconds.append(on_the_wall(running.gateway.last.received_at) - entered)
        await asyncio.sleep(0.2)
    await notebook.close()
    return seconds


async def answer(running: Lab, characters: int) -> tuple[float, int]:
    """Return the seconds from the last token to its display, and the bytes of the whole turn."""
    notebook, panel = await open_panel(running)
    running.gateway.script(Scenario(text=text_of(characters), rate=TOKENS_PER_S))
    shown = asyncio.ensure_future(seen(notebook, ".cbai-panel .cbai-answer", END))
    await asyncio.sleep(1)
    before = running.received
    await panel.ask("Go")
    at = await asyncio.wait_for(shown, 300)
    await panel.settled()
    await asyncio.sleep(1)
    size = running.received - before
    await notebook.close()
    return at - on_the_wall(running.gateway.last.finished_at), size


async def opening(running: Lab) -> float:
    """Return the seconds from the start of the cell to the display of the last of many turns."""
    notebook = await running.notebook(_FILL, "panel = cbai.ChatPanel('long')\npanel")
    await notebook.cell(0).locator(".jp-InputArea-editor").click()
    await notebook.press("Shift+Enter")
    await notebook.idle()
    await notebook.cell(1).locator(".jp-InputArea-editor").click()
    shown = asyncio.ensure_future(seen(notebook, ".cbai-panel", f"Answer {TURNS - 1}"))
    started = await notebook.page.evaluate(_RUN_CELL)
    seconds = await shown - started
    await notebook.close()
    return float(seconds)


def numbered(count: int) -> tuple[str, ...]:
    """Return the tokens of a Markdown answer, each with its number."""
    return tuple(
        f"w{number} "
        + ("\n\n" if number % 60 == 59 else "**of** " if number % 7 == 6 else "")
        + (f"## Part {number // 300}\n\n" if number % 300 == 299 else "")
        for number in range(count)
    )


async def four_at_once(running: Lab) -> list[float]:
    """Return for each sample how long the oldest token that is not yet displayed has waited, in seconds."""
    panels = "\n".join(f"p{number} = cbai.ChatPanel('p{number}')" for number in range(PANELS))
    notebook = await running.notebook(
        f"import cbai_notebook as cbai\n{panels}\n"
        "import ipywidgets\n"
        f"ipywidgets.HBox([{', '.join(f'p{number}.widget' for number in range(PANELS))}])"
    )
    await notebook.run_to_end()
    for number in range(PANELS):
        await PanelPage.shown(notebook, 0, number)
    count = PANEL_TOKENS_PER_S * PANEL_SECONDS
    exchanges: list[Exchange] = []
    before = len(running.gateway.requests)
    for number in range(PANELS):
        running.gateway.script(Scenario(text=numbered(count), rate=PANEL_TOKENS_PER_S))
        await (await PanelPage.shown(notebook, 0, number)).ask("Go")
        while len(running.gateway.requests) == before + len(exchanges):
            await asyncio.sleep(0.01)
        exchanges.append(running.gateway.last)
    sent: list[list[float]] = [[] for _ in exchanges]

    async def record_sent_tokens() -> None:
        while not all(one.finished for one in exchanges):
            for times, one in zip(sent, exchanges, strict=True):
                times.extend([time.time()] * (one.tokens_sent - len(times)))
            await asyncio.sleep(0.005)

    recording = asyncio.ensure_future(record_sent_tokens())
    samples = await notebook.page.evaluate(_SAMPLE, PANEL_SECONDS - 4)
    await recording
    await notebook.close()
    waits = []
    for now, shown in samples:
        for times, last in zip(sent, shown, strict=True):
            due = bisect.bisect_right(times, now)
            waits.append(now - times[last + 1] if last + 1 < due else 0.0)
    return waits


def turn_cost(turns: int) -> tuple[list[int], float]:
    """Return the bytes of prompts in a conversation with many turns, and the seconds of CPU of one."""
    with kernel() as (running, gateway):
        gateway.always("say:" + "some words " * 85)
        running.must(f"%load_ext cbai_notebook\n{_TURNS}")
        running.must(f"panel = filled('many', {turns})\ndisplay(panel)\nsettle(panel)")
        running.must("panel.send('first'); settle(panel)")
        sizes, used = [], []
        for number in range(SENDS):
            before = running.bytes
            cell = running.must(
                f"began = time.process_time()\npanel.send('prompt {number}'); settle(panel)\n"
                "print(time.process_time() - began)"
            )
            used.append(float(cell.stdout))
            sizes.append(running.bytes - before)
        return sizes, median(used)


def widgets_left() -> tuple[int, int]:
    """Return the widgets in the kernel and the open comms after many panels were closed."""
    with kernel() as (running, _):
        running.must(f"%load_ext cbai_notebook\n{_TURNS}\nfilled('ten', 10).close()")
        for _ in range(OPENED):
            running.must("panel = cbai.ChatPanel('ten')\ndisplay(panel)\npanel.close()")
        left = running.value("gc.collect() and 0 or len(_instances)")
        return int(left), len(running.comms)


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    (few, few_cpu), (many, many_cpu) = turn_cost(FEW_TURNS), turn_cost(MANY_TURNS)
    yield Row(
        f"panel: bytes of a turn after {FEW_TURNS} and after {MANY_TURNS:,} turns",
        "≤ 60 KB, ± 10 %",
        f"{median(few) / 1e3:.1f} KB, {median(many) / 1e3:.1f} KB (most {max(few + many) / 1e3:.1f} KB)",
    )
    yield Row(
        f"panel: CPU of a turn after {FEW_TURNS} and after {MANY_TURNS:,} turns",
        "equal",
        f"{few_cpu * 1e3:.0f} ms, {many_cpu * 1e3:.0f} ms",
    )
    widgets, comms = widgets_left()
    yield Row(
        f"panel: widgets and comms left after {OPENED} panels",
        "0",
        f"{widgets}, {comms}",
    )
    yield from asyncio.run(_rows())


async def _rows() -> list[Row]:
    async with lab() as running:
        enter = median(await sends(running))
        streamed: dict[int, list[tuple[float, int]]] = {20_000: [], 100_000: []}
        for size, runs in streamed.items():
            for _ in range(ROUNDS):
                runs.append(await answer(running, size))
        shown = median([await opening(running) for _ in range(ROUNDS)])
        delays = await four_at_once(running)
    lag = {size: median(lag for lag, _ in runs) for size, runs in streamed.items()}
    weight = {size: median(weight for _, weight in runs) for size, runs in streamed.items()}
    growth = weight[100_000] / 100_000 / (weight[20_000] / 20_000)
    return [
        Row("panel: Enter → request on the wire", "≤ 50 ms", f"{enter * 1e3:.0f} ms"),
        *(
            Row(
                f"panel: last token → visible, 500 tokens/s, {size:,} characters",
                "≤ 100 ms",
                f"{lag[size] * 1e3:.0f} ms",
            )
            for size in streamed
        ),
        Row(
            "panel: bytes from kernel to browser, 20,000 characters at 500 tokens/s",
            "≤ 0.8 MB",
            f"{weight[20_000] / 1e6:.2f} MB",
        ),
        Row("panel: the same per character at 100,000", "≈ 1", f"{growth:.2f}"),
        Row(f"panel: opening on {TURNS} turns", "≤ 1 s", f"{shown:.2f} s"),
        Row(
            f"panel: {PANELS} at once, {PANEL_TOKENS_PER_S} tokens/s each, furthest behind",
            "≤ 0.5 s",
            f"{max(delays):.2f} s (median {median(delays) * 1e3:.0f} ms)",
        ),
    ]
