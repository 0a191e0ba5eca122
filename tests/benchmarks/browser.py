"""How long after the last token left the server the reader sees it, in a real JupyterLab."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from playwright.async_api import async_playwright

from tests.benchmarks.table import Row
from tests.browser.conftest import FLAGS
from tests.browser.leaks import Watch
from tests.browser.page import NotebookPage, write_notebook
from tests.browser.server import jupyter_server
from tests.gateway import DEFAULT_KEY, Scenario, serve
from tests.gateway.texts import ENGLISH
from tests.install import browser_path

END = "END-OF-THE-ANSWER"
TOKENS_PER_S = 500
ROUNDS = 3

# Resolves with the time of the first frame that shows the end of the answer.
_WAIT = """end => new Promise(resolve => {
  const outputs = () => document.querySelectorAll('.jp-CodeCell .jp-OutputArea-output');
  const look = () => {
    const shown = [...outputs()].some(output => output.textContent.includes(end));
    if (shown) requestAnimationFrame(() => setTimeout(() => resolve(Date.now() / 1000)));
    return shown;
  };
  const observer = new MutationObserver(() => { if (look()) observer.disconnect(); });
  observer.observe(document.body, {childList: true, subtree: true, characterData: true});
})"""


def text_of(characters: int) -> str:
    """Return Markdown of so many characters, with a mark at its end."""
    return (ENGLISH * (characters // len(ENGLISH) + 1))[:characters] + f"\n\n{END}\n"


async def lags(characters: int) -> list[float]:
    """Return the seconds from the last token to the screen, for several answers of this length."""
    seconds = []
    with ExitStack() as stack:
        gateway = stack.enter_context(serve())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        variables = {
            "CBAI_BASE_URL": gateway.base_url,
            "CLOUDBASE_API_KEY": DEFAULT_KEY,
            "CLOUDBASE_ENV_ID": "test-env",
        }
        server = stack.enter_context(jupyter_server("lab", home, variables))
        async with AsyncExitStack() as closing:
            playwright = await closing.enter_async_context(async_playwright())
            browser = await playwright.chromium.launch(
                executable_path=browser_path(), args=list(FLAGS)
            )
            closing.push_async_callback(browser.close)
            context = await browser.new_context(viewport={"width": 1280, "height": 960})
            watch = Watch(urlsplit(server.url).netloc)
            for number in range(ROUNDS):
                gateway.script(Scenario(text=text_of(characters), rate=TOKENS_PER_S))
                name = f"lag{number}.ipynb"
                file = write_notebook(
                    server.root / name, ("%load_ext cbai_notebook", "%%cbai --no-history\nGo")
                )
                page = await context.new_page()
                watch.add(page)
                notebook = NotebookPage(page, server, file.name, watch)
                await notebook.open(f"lag{number}")
                shown = asyncio.ensure_future(page.evaluate(_WAIT, END))
                await notebook.run_all()
                seen = await asyncio.wait_for(shown, 300)
                finished = gateway.last.finished_at
                assert finished is not None
                seconds.append(seen - (finished + time.time() - time.monotonic()))
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
