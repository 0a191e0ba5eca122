"""The part of the package that JupyterLab and Notebook 7 load themselves: prompts and code in cells."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import BrowserContext, expect

from cbai_notebook._version import __version__
from cbai_notebook.i18n import texts
from tests.browser.conftest import OpenNotebook
from tests.browser.page import until
from tests.gateway import Gateway, Scenario

EXTENSION = Path(__file__).parents[2] / "labextension"
_LOOK = "window.jupyterapp.shell.currentWidget.content.widgets"
_COLOURED = (
    f"() => {_LOOK}.map(cell => cell.node.querySelectorAll('.cm-line span[class]').length > 0)"
)


async def test_prompts_are_plain_and_code_can_be_copied(
    open_notebook: OpenNotebook, context: BrowserContext, cloud: Gateway
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = await open_notebook(
        "%load_ext cbai_notebook\nimport os",
        "%%cbai\nfor x in it: print('really', 1)?",
        "for x in []: pass",
    )
    page = notebook.page
    cloud.always(Scenario(text="So:\n\n```python\nprint('<b>')\n```\n"))
    await notebook.run_to_end()
    assert await page.evaluate(_COLOURED) == [True, False, True]
    await page.evaluate(f"() => {_LOOK}[1].model.sharedModel.setSource('for x in []: pass')")
    await page.wait_for_function(f"({_COLOURED})()[1]")
    pre = notebook.output(1).locator("pre").first
    await pre.hover()
    await notebook.output(1).get_by_role("button", name="Copy").click()
    await expect(notebook.output(1).locator(".cbai-copy")).to_have_text("Copied")

    async def is_copied() -> bool:
        copied = await page.evaluate("() => navigator.clipboard.readText()")
        return bool(copied == "print('<b>')")

    await until(is_copied, "the code in the clipboard")
    cloud.always(None)


def test_its_words_version_and_size_are_those_of_the_package() -> None:
    script = (EXTENSION / "static" / "cells.js").read_text(encoding="utf-8")
    words = {name: [page["copy_code"], page["copied"]] for name, page in texts("page").items()}
    listed = ", ".join(
        f"{name}: {json.dumps(each, ensure_ascii=False)}" for name, each in words.items()
    )
    assert listed in script
    assert len(script.encode()) < 30_000
    described = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    assert described["version"] == __version__
