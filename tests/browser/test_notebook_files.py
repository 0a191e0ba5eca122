"""A conversation belongs to its notebook in JupyterLab and Notebook 7: renamed, copied, made anew."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage, write_notebook
from tests.browser.panel_page import MAKE, PanelPage
from tests.browser.server import JupyterServer
from tests.gateway import Gateway

LOAD = "%load_ext cbai_notebook"
NOTICE = "of an earlier session went along"
SECRET = "our secret plan"
_CONTEXT = "window.jupyterapp.shell.currentWidget.context"
_SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
_folders = itertools.count(1)


def new_untitled(folder: Path) -> Path:
    """Make a notebook as the launcher does: a file without cells."""
    return write_notebook(folder / "Untitled.ipynb", [])


async def write_first(notebook: NotebookPage, source: str = LOAD) -> None:
    await notebook.cell(0).locator(".jp-InputArea-editor").click()
    await notebook.page.keyboard.insert_text(source)
    await notebook.run_from(0)
    await notebook.idle()


async def restart(notebook: NotebookPage) -> None:
    await notebook.page.evaluate(f"async () => await {_SESSION}.restartKernel()")
    await notebook.run_from(0)
    await notebook.idle()


async def rename(notebook: NotebookPage, name: str) -> None:
    await notebook.page.evaluate(f"async name => await {_CONTEXT}.rename(name)", name)
    notebook.name = str(Path(notebook.name).with_name(name))


async def copy(notebook: NotebookPage) -> Path:
    """Duplicate the notebook as the file browser does; return the path of the copy."""
    made = await notebook.page.evaluate(
        "path => window.jupyterapp.serviceManager.contents"
        ".copy(path, path.split('/').slice(0, -1).join('/')).then(made => made.path)",
        notebook.name,
    )
    return notebook.server.root / made


async def ask(notebook: NotebookPage, prompt: str, cloud: Gateway) -> tuple[str, Any]:
    """Ask in a new cell at the end; return what is shown, and what was sent."""
    await notebook.add_cell(f"%%cbai -m say:yes\n{prompt}")
    count = await notebook.page.locator(".jp-Notebook:visible .jp-Cell").count()
    await notebook.run_from(count - 1)
    await notebook.idle()
    await notebook.see(count - 1, "yes")
    return await notebook.text(count - 1), str(cloud.requests[-1].json)


# In one of the two: the past is the kernel's work.
@pytest.mark.parametrize("server", ["notebook7"], indirect=True)
async def test_each_notebook_goes_on_with_its_own_past_only(
    open_notebook: OpenNotebook, server: JupyterServer, cloud: Gateway, artefacts: Path
) -> None:
    folder = server.root / f"files{next(_folders)}"
    folder.mkdir()
    plan = await open_notebook(file=new_untitled(folder))
    await write_first(plan)
    shown, _ = await ask(plan, SECRET, cloud)
    assert NOTICE not in shown
    await restart(plan)  # nothing was saved
    shown, sent = await ask(plan, "two", cloud)
    assert f"1 turn {NOTICE}" in shown
    assert SECRET in sent
    await plan.screenshot(artefacts, "earlier-session", cell=2)
    await rename(plan, "plan.ipynb")  # still not saved
    shown, sent = await ask(plan, "three", cloud)
    assert NOTICE not in shown
    assert SECRET in sent
    await restart(plan)
    shown, sent = await ask(plan, "four", cloud)
    assert f"3 turns {NOTICE}" in shown
    assert SECRET in sent
    await plan.save()

    new = await open_notebook(file=new_untitled(folder))
    await write_first(new)
    shown, sent = await ask(new, "hello", cloud)
    assert NOTICE not in shown
    assert SECRET not in sent
    await new.save()
    await new.close()

    duplicate = await copy(plan)
    await ask(plan, "only in the plan", cloud)
    await plan.save()
    await plan.close()  # the kernel ends
    (folder / "plan.ipynb").rename(folder / "moved.ipynb")
    moved = await open_notebook(file=folder / "moved.ipynb")
    await moved.run_from(0)
    await moved.idle()
    shown, sent = await ask(moved, "six", cloud)
    assert f"5 turns {NOTICE}" in shown
    assert SECRET in sent
    await moved.close()

    copied = await open_notebook(file=duplicate)
    await copied.run_from(0)
    await copied.idle()
    shown, sent = await ask(copied, "in the copy", cloud)
    assert f"4 turns {NOTICE}" in shown
    assert SECRET in sent
    assert "only in the plan" not in sent


async def test_a_panel_says_which_past_went_along(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("say:yes")
    notebook = await open_notebook(MAKE)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await panel.converse("first")
    await expect(panel.answer).not_to_contain_text(NOTICE)
    await notebook.page.evaluate(f"async () => await {_SESSION}.restartKernel()")
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await panel.converse("second")
    await expect(panel.answer).to_contain_text(f"1 turn {NOTICE}")
    await notebook.screenshot(artefacts, "earlier-session-panel", cell=0)
    await panel.converse("third")
    await expect(panel.answer).not_to_contain_text(NOTICE)
