"""A real JupyterLab in a real browser, whose kernels send their requests to the test gateway."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, async_playwright

from tests.browser.conftest import FLAGS
from tests.browser.leaks import Watch
from tests.browser.page import NotebookPage, write_notebook
from tests.browser.server import JupyterServer, jupyter_server
from tests.gateway import Gateway, serve
from tests.gateway.texts import ENGLISH
from tests.gateway_access import gateway_variables
from tests.install import browser_path

END = "END-OF-THE-ANSWER"
"""The end of every text of `text_of`."""

# Resolves with the time of the first frame after a text is in one of the elements.
_SEEN = """([selector, text]) => new Promise(resolve => {
  const look = () => {
    // Only the newest, since reading all of a long answer for each of its mutations would slow it down.
    const shown = [...document.querySelectorAll(selector)].slice(-3).some(
      one => one.textContent.includes(text) && one.checkVisibility({visibilityProperty: true}));
    if (shown) requestAnimationFrame(() => setTimeout(() => resolve(Date.now() / 1000)));
    return shown;
  };
  if (look()) return;
  const observer = new MutationObserver(() => { if (look()) observer.disconnect(); });
  observer.observe(document.body, {childList: true, subtree: true, characterData: true});
})"""


def text_of(characters: int) -> str:
    """Return Markdown of this many characters, followed by `END`."""
    return (ENGLISH * (characters // len(ENGLISH) + 1))[:characters] + f"\n\n{END}\n"


def on_the_wall(monotonic: float | None) -> float:
    """Convert a time of the gateway, which is monotonic, to the clock of the browser, in seconds."""
    assert monotonic is not None
    return monotonic + time.time() - time.monotonic()


@dataclass
class Lab:
    """A running JupyterLab, its browser and the test gateway.

    Attributes:
        gateway: Answers the requests of the kernels.
        received: Bytes that the pages have received from the server over web sockets.
    """

    gateway: Gateway
    server: JupyterServer
    context: BrowserContext
    received: int = 0
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def notebook(self, *cells: str) -> NotebookPage:
        """Open a new notebook."""
        name = f"benchmark{next(self._numbers)}"
        file = write_notebook(self.server.root / f"{name}.ipynb", cells)
        page = await self.context.new_page()
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        watch = Watch(urlsplit(self.server.url).netloc)
        watch.add(page)
        notebook = NotebookPage(page, self.server, file.name, watch)
        await notebook.open(name)
        return notebook

    def _count(self, data: str | bytes) -> None:
        self.received += len(data)


async def seen(notebook: NotebookPage, selector: str, text: str) -> float:
    """Wait until a text is displayed; return that time in seconds of the browser's clock."""
    return float(await notebook.page.evaluate(_SEEN, [selector, text]))


@contextlib.asynccontextmanager
async def lab() -> AsyncIterator[Lab]:
    """Start JupyterLab, the browser and the gateway; stop them at the end of the block."""
    async with contextlib.AsyncExitStack() as stack:
        gateway = stack.enter_context(serve())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        variables = gateway_variables(gateway)
        server = stack.enter_context(jupyter_server("lab", home, variables))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        stack.push_async_callback(browser.close)
        context = await browser.new_context(viewport={"width": 1280, "height": 960})
        yield Lab(gateway, server, context)
