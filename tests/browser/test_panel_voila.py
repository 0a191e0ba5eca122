"""Voilà serves a notebook with a panel as a small app."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.page import write_notebook
from tests.browser.panel_page import MAKE, PATIENCE, PanelPage
from tests.browser.server import PLAIN_KERNEL
from tests.gateway import DEFAULT_KEY, Gateway
from tests.isolation import isolated_environment
from tests.require import require


@pytest.fixture
def app(tmp_path: Path, cloud: Gateway) -> Iterator[str]:
    """The address of a served notebook."""
    require(importlib.util.find_spec("voila"), "Voilà is missing: `pip install voila`")
    environment = isolated_environment(
        tmp_path / "home",
        CBAI_BASE_URL=cloud.base_url,
        CLOUDBASE_API_KEY=DEFAULT_KEY,
        CLOUDBASE_ENV_ID="test-env",
    )
    for name in ("PYTHONPATH", "JUPYTER_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    file = write_notebook(tmp_path / "app.ipynb", [MAKE], kernel=PLAIN_KERNEL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(file), "--no-browser", f"--port={port}"]
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(20)


async def _answering(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            await asyncio.to_thread(urllib.request.urlopen, f"{url}voila/static/", None, 2)
        except urllib.error.HTTPError:
            return
        except OSError:
            await asyncio.sleep(0.2)
        else:
            return
    raise AssertionError("Voilà does not answer")


async def test_a_panel_is_a_small_app(
    browser: Browser, app: str, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("english")
    await _answering(app)
    context = await browser.new_context(viewport={"width": 900, "height": 760})
    page = await context.new_page()
    await page.goto(app, timeout=90_000)
    panel = PanelPage(page, page.locator(".cbai-panel"))
    await expect(panel.root).to_have_attribute("data-lang", "en", timeout=90_000)
    welcome = panel.root.locator(".cbai-welcome")
    await expect(welcome).to_contain_text("What shall we talk about?")
    await expect(welcome).not_to_contain_text("%%cbai")
    await panel.ask("How does a hash table work?")
    await expect(panel.answer).to_contain_text("In short", timeout=PATIENCE)
    await panel.settled()
    await panel.act("again")
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2", timeout=PATIENCE)
    await panel.settled()
    await expect(page.locator(".cbai-transcript")).to_have_count(0)
    await page.screenshot(path=artefacts / "voila-panel.png")
    await context.close()
    cloud.always(None)
