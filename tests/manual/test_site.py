"""The site of the manual is built as a maintainer builds it: without network, and strictly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path

import pytest

import cbai_notebook
from tests.install import browser_path
from tests.manual.pages import DOCS
from tests.require import require

PATIENCE = 200


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning, such as a reference that leads nowhere, fails."""
    for module in ("sphinx", "furo", "myst_parser"):
        require(find_spec(module), f"{module} is missing: pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    # Whatever is tried to be reached fails at once: nothing listens on this port.
    nowhere = "http://127.0.0.1:9"
    command = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", DOCS, folder)
    done = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "http_proxy": nowhere, "https_proxy": nowhere},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > len(list(DOCS.glob("*.md")))
    loads = re.compile(r"""(?:src=|<link[^>]*href=|url\(|@import\s*)["']?(?:https?:)?//[^"')]*""")
    assert {found for page in pages for found in loads.findall(page.read_text("utf-8"))} == set()


def test_every_public_name_has_its_place_in_the_reference(site: Path) -> None:
    reference = (site / "reference.html").read_text("utf-8")
    ids = set(re.findall(r'id="(?:module-)?cbai_notebook\.([\w.]+)"', reference))
    assert set(cbai_notebook.__all__) - ids == set()
    members = {
        f"{name}.{member}"
        for name in cbai_notebook.__all__
        if isclass(value := getattr(cbai_notebook, name)) and not issubclass(value, Exception)
        for member, found in vars(value).items()
        if not member.startswith("_") and (callable(found) or isinstance(found, property))
    }
    assert {"Answer.text", "ChatPanel.send"} <= members
    assert members - ids == set()


def test_the_notebooks_are_pages(site: Path) -> None:
    pages = {page.stem for page in (site / "repository" / "notebooks").glob("*.html")}
    notebooks = {file.stem for file in (DOCS.parent / "notebooks").glob("*.ipynb")}
    assert pages == {"quickstart", "quickstart.zh", *notebooks}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """Serve the site on loopback; return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.browser
async def test_the_search_finds_words_in_both_languages(served: str) -> None:
    from playwright.async_api import async_playwright, expect

    path = require(browser_path(), "there is no Chromium: run `python -m tests.install`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        for words, title in (("keyring", "Connect to CloudBase"), ("逐行提问", "逐行提问")):
            await page.goto(f"{served}/search.html?q={words}")
            found = page.locator("#search-results").get_by_role("link", name=title, exact=True)
            await expect(found.first).to_be_visible()
        await found.first.click()
        await page.get_by_role("link", name="English", exact=True).first.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("A prompt for every row")
        await browser.close()
    assert problems == []
