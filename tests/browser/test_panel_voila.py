"""A notebook with a panel, served as an app by Voilà."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, expect

from tests.browser.page import PATIENCE, write_notebook
from tests.browser.panel_page import MAKE, PanelPage
from tests.browser.server import PLAIN_KERNEL
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.require import require


@pytest.fixture
def app(tmp_path: Path, cloud: Gateway) -> Iterator[str]:
    """The address of a served notebook."""
    require(importlib.util.find_spec("voila"), "Voilà is missing: `pip install voila`")
    environment = isolated_environment(
        tmp_path / "home",
        **gateway_variables(cloud),
    )
    for name in ("PYTHONPATH", "JUPYTER_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    file = write_notebook(tmp_path / "app.ipynb", [MAKE], kernel=PLAIN_KERNEL)
    command = [sys.executable, "-m", "voila", str(file), "--no-browser", "--port=0"]
    with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
        try:
            yield f"http://127.0.0.1:{_port(process.pid)}/"
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)


def _port(pid: int) -> int:
    """Return the port on which a process listens: Voilà prints only the port it was given."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        for each in psutil.Process(pid).net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN:
                return int(each.laddr.port)
        time.sleep(0.05)
    raise AssertionError("Voilà does not listen")


async def test_a_panel_is_a_small_app(
    browser: Browser, app: str, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("english")
    context = await browser.new_context(viewport={"width": 900, "height": 760})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(app)
    panel = PanelPage(page, page.locator(".cbai-panel"))
    await expect(panel.root).to_have_attribute("data-lang", "en")
    welcome = panel.root.locator(".cbai-welcome")
    await expect(welcome).to_contain_text("What shall we talk about?")
    await expect(welcome).not_to_contain_text("%%cbai")
    await panel.ask("How does a hash table work?")
    await expect(panel.answer).to_contain_text("In short")
    await panel.settled()
    await panel.act("again")
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2")
    await panel.settled()
    await expect(page.locator(".cbai-transcript")).to_have_count(0)
    await page.screenshot(path=artefacts / "voila-panel.png")
    await context.close()
    cloud.always(None)
