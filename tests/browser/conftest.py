"""Real JupyterLab, real Notebook 7 and a real Chromium.

The tests are coroutines on one event loop for the whole session, because a browser's connection
belongs to the loop that opened it. In a parallel run, all tests of an application run on one
worker, so that its server and its browser start once.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.browser.leaks import LeakListener, Watch
from tests.browser.page import NotebookPage, write_notebook
from tests.browser.panel_page import MAKE, PanelPage
from tests.browser.server import JupyterServer, jupyter_server
from tests.gateway import Gateway, serve
from tests.gateway_access import gateway_variables
from tests.install import browser_path
from tests.require import require
from tests.variants import choose_variants

OpenNotebook = Callable[..., Awaitable[NotebookPage]]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Outside names do not resolve, so no request of a page leaves this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder, and run their coroutines on the session's loop."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the application of each test."""
    choose_variants(metafunc, "server", ["lab", "notebook7"])


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start the machine's own Chromium, or the one that Playwright has downloaded."""
    async with async_playwright() as playwright:
        path = browser_path()
        if path is None and Path(playwright.chromium.executable_path).exists():
            path = playwright.chromium.executable_path
        found = require(path, "there is no Chromium: run `python -m tests.install`")
        browser = await playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Gateway]:
    """The gateway for the kernels of the notebooks; the model's name chooses the answer."""
    with serve() as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def every_answer_was_asked_for(cloud: Gateway) -> Iterator[None]:
    """Drop a test's unused answers, so that the next test cannot get them, and fail that test."""
    cloud.forget()
    yield
    left = cloud.forget()
    assert left == 0, f"{left} scripted answers were never asked for"


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, cloud: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """A running JupyterLab or a running Notebook 7."""
    variables = gateway_variables(cloud)
    with jupyter_server(
        request.param, tmp_path_factory.mktemp(request.param), variables
    ) as running:
        yield running


@pytest.fixture(scope="session")
def leak_listener() -> Iterator[LeakListener]:
    """One listener for the session; ``leaks`` gives it to a test without hits."""
    with LeakListener().listening() as listener:
        yield listener


@pytest.fixture
def leaks(leak_listener: LeakListener) -> LeakListener:
    """A listener without hits."""
    leak_listener.hits.clear()
    return leak_listener


_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def context(browser: Browser, server: JupyterServer) -> AsyncIterator[BrowserContext]:
    """A browser profile; it is shared, so that the applications' code is downloaded once."""
    context = await browser.new_context(viewport={"width": 1280, "height": 960})
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def watch(
    request: pytest.FixtureRequest, context: BrowserContext, server: JupyterServer
) -> AsyncIterator[Watch]:
    """The record of everything that the test's pages do."""
    watch = Watch(urlsplit(server.url).netloc)
    # Only the listener for leaks is an address elsewhere that a window could load.
    async with watch.attached(context, empty_popups="leaks" in request.fixturenames):
        yield watch


@pytest_asyncio.fixture(loop_scope="session")
async def open_notebook(
    context: BrowserContext, server: JupyterServer, watch: Watch
) -> AsyncIterator[OpenNotebook]:
    """Open notebooks: from given cells, or from a file that is already under the server's root."""
    opened: list[NotebookPage] = []

    async def open(*cells: str, file: Path | None = None, **options: object) -> NotebookPage:
        number = next(_numbers)
        if file is None:
            kernel = {"kernel": options.pop("kernel")} if "kernel" in options else {}
            file = write_notebook(server.root / f"test{number}.ipynb", cells, **kernel)  # type: ignore[arg-type]
        page = await context.new_page()
        watch.add(page)
        notebook = NotebookPage(page, server, file.relative_to(server.root).as_posix(), watch)
        opened.append(notebook)
        await notebook.open(f"test{number}", **options)  # type: ignore[arg-type]
        return notebook

    yield open
    for notebook in opened:
        await notebook.close()


@pytest_asyncio.fixture(loop_scope="session")
async def notebook(open_notebook: OpenNotebook) -> NotebookPage:
    """A notebook whose one cell has shown a chat panel."""
    notebook = await open_notebook(MAKE)
    await notebook.run_to_end()
    return notebook


@pytest_asyncio.fixture(loop_scope="session")
async def panel(notebook: NotebookPage) -> PanelPage:
    """The chat panel in ``notebook``."""
    return await PanelPage.shown(notebook)
