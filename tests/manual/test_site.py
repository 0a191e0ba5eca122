"""The site of the manual is built as a maintainer builds it: without network, and strictly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path

import pytest

import cbai_notebook
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
    assert pages == {"quickstart", *notebooks}
