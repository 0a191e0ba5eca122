"""A panel, a stream and an answer in marimo, in a browser: the example, served to visitors and edited."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.leaks import LeakListener
from tests.browser.page import PATIENCE, until
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.require import require

EXAMPLE = Path(__file__).parents[2] / "notebooks" / "chat_marimo.py"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path, cloud: Gateway) -> Iterator[str]:
    """The address of the example, run or edited by marimo: the parameter is the command."""
    require(importlib.util.find_spec("marimo"), "marimo is missing: `pip install marimo`")
    file = Path(shutil.copy(EXAMPLE, tmp_path))
    environment = isolated_environment(tmp_path / "home", **gateway_variables(cloud))
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    port = _free_port()
    command = [sys.executable, "-m", "marimo", request.param, str(file), "--headless", "--no-token"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            _wait_for(process.pid, port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(pid: int, port: int) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        found = psutil.Process(pid).net_connections("tcp")
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in found):
            return
        time.sleep(0.05)
    raise AssertionError("marimo does not listen")


@contextlib.asynccontextmanager
async def visitor(browser: Browser, app: str) -> AsyncIterator[Page]:
    """Visit the app with a browser profile of its own."""
    context = await browser.new_context(viewport={"width": 900, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(app)
    yield page
    await context.close()


async def ask(page: Page, prompt: str) -> None:
    """Type a prompt into marimo's chat and send it."""
    await page.locator("marimo-chatbot form [contenteditable=true]").click()
    await page.keyboard.type(prompt)
    await page.keyboard.press("Enter")


FORMULAS = "say:Energy $E=mc^2$ and $5:\n\n\\[\n\\frac{a}{b} < c\n\\]\n"


@pytest.mark.parametrize("app", ["run"], indirect=True)
async def test_the_example_streams_and_keeps_visitors_apart(
    browser: Browser, app: str, cloud: Gateway, leaks: LeakListener, artefacts: Path
) -> None:
    async with visitor(browser, app) as page:
        # What `cbai.show` has streamed, and the answer as the value of a cell.
        await expect(page.get_by_text("demo model, not a real one")).to_have_count(2)
        reply = page.locator("marimo-chatbot .mo-markdown-renderer").last
        cloud.always("paced:200+hold:150")
        await ask(page, "How does a hash table work?")
        # The gateway sends the rest only after the first block is on the screen.
        await expect(reply).to_contain_text("How a hash table finds things")

        async def whole() -> bool:
            cloud.let_go()  # it may not have come to its stop yet
            return "In short: hash, pick a bucket" in await reply.inner_text()

        await until(whole, "the whole answer")
        cloud.always(FORMULAS)
        await ask(page, "With formulas?")
        await expect(reply).to_contain_text("and $5")
        await expect(reply.locator(".katex")).to_have_count(2)
        await expect(reply.locator(".katex-display")).to_have_count(1)
        cloud.always(f"say:![x]({leaks.url}/a.png) <img src={leaks.url}/b.png> **bold**")
        await ask(page, "And now?")
        await expect(page.locator("[data-streamdown=strong]", has_text="bold")).to_be_visible()
        sent = [message["content"] for message in cloud.last.json["messages"]]
        assert sent[::2] == ["How does a hash table work?", "With formulas?", "And now?"]
        await page.screenshot(path=artefacts / "marimo.png")
    async with visitor(browser, app) as other:
        cloud.always("say:I see.")
        await ask(other, "I am ill")
        reply = other.locator("marimo-chatbot .mo-markdown-renderer").last
        await expect(reply).to_have_text("I see.")
        assert [m["content"] for m in cloud.last.json["messages"]] == ["I am ill"]
    assert leaks.hits == []
    cloud.always(None)


@pytest.mark.parametrize("app", ["edit"], indirect=True)
async def test_the_example_in_the_editor(
    browser: Browser, app: str, cloud: Gateway, artefacts: Path
) -> None:
    async with visitor(browser, app) as page:
        await expect(page.locator("[data-cell-id]")).to_have_count(5)
        await page.keyboard.press("Control+Shift+r")  # the editor runs no cell by itself
        await expect(page.get_by_text("demo model, not a real one")).to_have_count(2)
        cloud.always(FORMULAS)
        await ask(page, "With formulas?")
        await expect(page.locator("marimo-chatbot .katex")).to_have_count(2)
        cloud.always("say:I see.")
        await ask(page, "Good")
        reply = page.locator("marimo-chatbot .mo-markdown-renderer").last
        await expect(reply).to_have_text("I see.")
        # Run again, the cell shows the conversation that it has stored, above an empty chat.
        cell = page.locator(".marimo-cell", has=page.locator("marimo-chatbot"))
        await cell.hover()
        await cell.get_by_test_id("run-button").first.click()
        past = page.locator(".cbai-past")
        await expect(past).to_contain_text("I see.")
        await expect(past.locator("math")).to_have_count(2)
        await expect(page.locator("marimo-chatbot .mo-markdown-renderer")).to_have_count(0)
        await page.screenshot(path=artefacts / "marimo-edit.png")
    cloud.always(None)
