"""A comparison in JupyterLab and Notebook 7: side by side, picked by keyboard, saved and reopened."""

from __future__ import annotations

from pathlib import Path

import nbformat
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage
from tests.browser.panel_page import MAKE, PanelPage, until_in_kernel
from tests.browser.server import JupyterServer
from tests.gateway import Gateway

LOAD = "%load_ext cbai_notebook\nimport cbai_notebook as cbai"
CELL = (
    "%%cbai --models paced:40x60+english,paced:30x60+chinese,error:400 --temperatures 0,1 -o grid\n"
    "Explain hash tables."
)
IN_CHINESE = (
    "cbai.configure(language='zh')\n"
    "cbai.compare('打个招呼', models=['say:你好', 'error:400'], conversation='zh')\n"
    "cbai.configure(language=None)"
)
SIDE_BARS = "() => ['Left', 'Right'].forEach(side => window.jupyterapp.shell['collapse' + side]())"


def answers(notebook: NotebookPage, index: int) -> Locator:
    return notebook.output(index).locator(".cbai-grid-cell")


async def columns(notebook: NotebookPage, index: int) -> int:
    """Return how many answers stand in the first row."""
    return int(
        await answers(notebook, index).evaluate_all(
            "cells => new Set(cells.map(cell => Math.round(cell.getBoundingClientRect().left))).size"
        )
    )


async def fits(notebook: NotebookPage, index: int) -> bool:
    """Return whether no answer reaches over the right end of the output."""
    return bool(
        await notebook.output(index).evaluate(
            """output => [...output.querySelectorAll(".cbai-grid-cell")].every(
                node => node.getBoundingClientRect().right <= output.getBoundingClientRect().right + 1
            )"""
        )
    )


async def test_answers_stream_side_by_side_and_one_grid_is_saved(
    open_notebook: OpenNotebook, server: JupyterServer, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(LOAD, CELL, IN_CHINESE)
    await notebook.run_from(0)
    await notebook.run_from(1)
    await expect(answers(notebook, 1)).to_have_count(6)
    await expect(answers(notebook, 1).nth(0)).to_contain_text("hash table")
    await expect(answers(notebook, 1).nth(1)).to_contain_text("李白")
    await notebook.screenshot(artefacts, "compare-running", cell=1)
    assert await columns(notebook, 1) == 3
    await notebook.idle()
    await notebook.see(1, "The conversation goes on with answer 1 (paced:40x60+english")
    assert len(await notebook.outputs(1)) == 1
    await notebook.screenshot(artefacts, "compare-light", cell=1)

    # A button, by keyboard.
    button = notebook.output(1).get_by_role("button", name="Go on with answer 2", exact=True)
    await expect(button).to_be_visible()
    await button.focus()
    await notebook.page.keyboard.press("Enter")
    await notebook.see(1, "The conversation goes on with answer 2 (paced:30x60+chinese")
    await expect(notebook.output(1).locator("[data-cbai-chosen]")).to_be_focused()
    await until_in_kernel(notebook, "grid['chosen'].tolist()", [False, True, *[False] * 4])
    await until_in_kernel(notebook, "cbai.chat().turns[0].asked_model", "paced:30x60+chinese")

    await notebook.run_from(2)
    await notebook.see(2, "✓ 对话从这个回答继续。")
    await notebook.screenshot(artefacts, "compare-chinese", cell=2)

    await notebook.use_theme("dark")
    await notebook.screenshot(artefacts, "compare-dark", cell=1)
    await notebook.use_theme("light")
    if server.app == "lab":
        await notebook.page.evaluate(SIDE_BARS)
    await notebook.page.set_viewport_size({"width": 360, "height": 800})
    assert await columns(notebook, 1) == 1
    assert await fits(notebook, 1)
    await notebook.screenshot(artefacts, "compare-360px", cell=1)
    await notebook.page.set_viewport_size({"width": 1280, "height": 960})
    await notebook.save()
    button = notebook.output(1).locator("button.cbai-pick").first
    await expect(button).to_be_visible()
    await notebook.page.evaluate(
        "async () => await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"
    )
    await expect(button).to_be_hidden()
    await notebook.close()

    again = await open_notebook(file=notebook.file)
    await again.see(1, "The conversation goes on with answer 2")
    assert len(await again.outputs(1)) == 1
    await expect(answers(again, 1)).to_have_count(6)
    await expect(again.output(1).locator("button.cbai-pick").first).to_be_hidden()
    await again.screenshot(artefacts, "compare-reopened", cell=1)
    assert again.watch.strangers == again.watch.dialogs == []

    changed = notebook.saved()
    changed.cells[1].source += "  # by somebody else"
    file = server.root / f"changed-{notebook.file.name}"
    nbformat.write(changed, file)
    stranger = await open_notebook(file=file)
    assert not await stranger.trusted(1)
    await stranger.see(1, "The conversation goes on with answer 2")
    await expect(stranger.output(1).locator("button.cbai-pick").first).to_be_hidden()
    await stranger.screenshot(artefacts, "compare-untrusted", cell=1)


async def test_a_panel_asks_another_model_too(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(MAKE)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    cloud.script("say:From the first model.", "say:From the other one.")
    await panel.converse("Who are you?")
    fold = panel.root.locator(".cbai-others")
    await fold.locator("summary").focus()
    await notebook.page.keyboard.press("Enter")
    other = fold.get_by_role("button", name="deepseek/deepseek-v4-pro", exact=True)
    await expect(other).to_be_visible()
    await notebook.screenshot(artefacts, "compare-panel", cell=0)
    await other.click()
    await expect(panel.root).to_contain_text("From the other one.")
    await expect(panel.root.locator(".cbai-branch")).to_contain_text("2/2")
    assert cloud.requests[-1].json["model"] == "deepseek-v4-pro"
    await expect(panel.root.locator(".cbai-others")).to_have_count(1)
