"""axe-core, the accessibility checker: downloaded once from npm, pinned, and run in a page."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page

from tests.require import require

VERSION = "4.14.1"

# Rules about a whole page, not about a part of it.
_ABOUT_THE_PAGE = ["region", "page-has-heading-one", "landmark-one-main", "document-title"]

# Content that fades in has too little contrast meanwhile.
_STILL = """part => Promise.all(part.getAnimations({subtree: true})
    .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
    .map(one => one.finished.catch(() => {})))"""


@functools.cache
def _source() -> str:
    cache = Path(os.environ.get("CBAI_CACHE_DIR") or Path(tempfile.gettempdir()) / "cbai-tests")
    folder = cache / f"axe-core-{VERSION}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = require(shutil.which("npm"), "npm is missing: run `python -m tests.install`")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as building:
            fetched = Path(building, folder.name)
            fetched.mkdir()
            command = [npm, "install", "--prefix", str(fetched), "--ignore-scripts", "--no-audit"]
            subprocess.run([*command, f"axe-core@{VERSION}"], check=True, capture_output=True)
            # Workers of a parallel run may do this at the same time; the first one wins.
            with contextlib.suppress(OSError):
                fetched.rename(folder)
    return script.read_text(encoding="utf-8")


async def serious_violations(page: Page, part: Locator) -> list[str]:
    """Return the serious violations in a part of a page, one line for each place."""
    await page.evaluate(_source())
    await part.evaluate(_STILL)
    report: dict[str, Any] = await part.evaluate(
        """(part, disabled) => axe.run(part, {
            rules: Object.fromEntries(disabled.map(name => [name, {enabled: false}])),
        })""",
        _ABOUT_THE_PAGE,
    )
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:300]} {node.get('failureSummary', '')}"
        for found in report["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]
