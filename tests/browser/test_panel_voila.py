"""A notebook with a panel, served as an app by Voilà."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, expect

from tests.browser.page import PATIENCE, write_notebook
from tests.browser.panel_page import MAKE, PanelPage
from tests.browser.server import PLAIN_KERNEL
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.require import require

SHARED = "import cbai_notebook as cbai\ncbai.ChatPanel('support', shared=True)"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """The history of the author of the app, with a conversation of a notebook and a named one."""
    file = tmp_path / "history.sqlite"
    author = open_registry(file, "plans.ipynb")
    author.current().open(turn("What is my secret plan?", "To move to the sea.")).wait(30)
    author.get("support").open(turn("Where is the manual?", "On the shelf.")).wait(30)
    return file


@pytest.fixture
def app(
    request: pytest.FixtureRequest, tmp_path: Path, history: Path, cloud: Gateway
) -> Iterator[str]:
    """The address of a served notebook; a parameter gives its cell and the options of Voilà."""
    require(importlib.util.find_spec("voila"), "Voilà is missing: `pip install voila`")
    cell, *options = getattr(request, "param", (MAKE,))
    # The author's setting reaches the kernels of visitors too, and must not count there.
    environment = isolated_environment(
        tmp_path / "home", CBAI_HISTORY=str(history), **gateway_variables(cloud)
    )
    for name in ("PYTHONPATH", "JUPYTER_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    file = write_notebook(tmp_path / "app.ipynb", [cell], kernel=PLAIN_KERNEL)
    command = [sys.executable, "-m", "voila", str(file), "--no-browser", "--port=0", *options]
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


@contextlib.asynccontextmanager
async def visitor(browser: Browser, app: str) -> AsyncIterator[PanelPage]:
    """Visit the app with a browser profile of its own."""
    context = await browser.new_context(viewport={"width": 900, "height": 760})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(app)
    panel = PanelPage(page, page.locator(".cbai-panel"))
    await expect(panel.root).to_have_attribute("data-lang", "en", timeout=PATIENCE)
    yield panel
    await context.close()


async def test_a_panel_is_a_small_app(
    browser: Browser, app: str, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("english")
    async with visitor(browser, app) as panel:
        welcome = panel.root.locator(".cbai-welcome")
        await expect(welcome).to_contain_text("What shall we talk about?")
        await expect(welcome).not_to_contain_text("%%cbai")
        await panel.ask("How does a hash table work?")
        await expect(panel.answer).to_contain_text("In short")
        await panel.settled()
        await panel.act("again")
        await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2")
        await panel.settled()
        await expect(panel.page.locator(".cbai-transcript")).to_have_count(0)
        await panel.page.screenshot(path=artefacts / "voila-panel.png")
    cloud.always(None)


@pytest.mark.parametrize(
    "app",
    [
        (MAKE,),
        ("import cbai_notebook as cbai\ncbai.ChatPanel('support')",),
        (MAKE, "--preheat_kernel=True", "--pool_size=2"),
    ],
    indirect=True,
    ids=["unnamed", "named", "preheated"],
)
async def test_each_visitor_sees_only_their_own(
    browser: Browser, app: str, history: Path, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("say:I see.")
    async with visitor(browser, app) as one, visitor(browser, app) as two:
        await one.converse("I am ill")
        await expect(one.turns).to_have_count(1)
        assert await one.offered() == []
        await one.root.locator(".cbai-icon-new").click()
        await expect(one.turns).to_have_count(0)
        await one.converse("I am rich")
        names = await one.offered()
        assert len(names) == 2
        assert not {"plans.ipynb"} & set(names)
        await one.pick(names[1])
        await expect(one.prompts).to_have_text(["I am ill"])
        assert await two.offered() == []
        await expect(two.turns).to_have_count(0)
        await two.converse("I am poor")
        assert [m["content"] for m in cloud.last.json["messages"]] == ["I am poor"]
        assert await two.prompt_texts() == ["I am poor"]
        await one.page.screenshot(path=artefacts / "voila-own-conversations.png")
        await two.page.screenshot(path=artefacts / "voila-no-picker.png")
        await one.act("delete")
        await expect(one.turns).to_have_count(0)
        await expect(two.turns).to_have_count(1)
    async with visitor(browser, app) as again:
        await expect(again.turns).to_have_count(0)
    author = open_registry(history)
    assert author.names() == ("plans.ipynb", "support")
    assert prompts(author.get("support")) == ["Where is the manual?"]
    cloud.always(None)


@pytest.mark.parametrize("app", [(SHARED,)], indirect=True)
async def test_visitors_share_a_conversation_that_the_author_shares(
    browser: Browser, app: str, history: Path, cloud: Gateway
) -> None:
    cloud.always("say:I see.")
    async with visitor(browser, app) as one:
        await expect(one.prompts).to_have_text(["Where is the manual?"])
        await one.converse("Which page?")
        async with visitor(browser, app) as two:
            await expect(two.prompts).to_have_text(["Where is the manual?", "Which page?"])
            assert await two.offered() == []
            await two.converse("Which line?")
            assert "Which page?" in [m["content"] for m in cloud.last.json["messages"]]
    author = open_registry(history)
    assert author.names() == ("plans.ipynb", "support")
    assert len(author.get("support").turns) == 3
    cloud.always(None)
