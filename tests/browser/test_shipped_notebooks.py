"""The notebooks about history, tools, images, servers and ways out, run by clicks."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.panel_page import in_kernel
from tests.browser.server import JupyterServer
from tests.require import require

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FIRST_USE = 400_000  # milliseconds; the first use may download 93 MB
SAID = "[[m['role'], m['cell_id'], m['stale']] for m in cbai.chat().messages]"


@pytest.mark.parametrize(
    "name",
    ["batch", "compare", "evaluate", "history", "tools", "images_and_agents", "servers",
     "to_mini_program"],
)  # fmt: skip
async def test_a_notebook_runs_by_clicking(
    open_notebook: OpenNotebook, server: JupyterServer, artefacts: Path, name: str
) -> None:
    file = server.root / f"{name}.ipynb"
    shutil.copy(NOTEBOOKS / file.name, file)
    notebook = await open_notebook(file=file)
    await notebook.run_all()
    if name == "tools":
        # The tool asks for approval; an empty answer means no.
        question = notebook.page.locator(".jp-Stdin-input")
        await question.wait_for()
        await notebook.screenshot(artefacts, "tools-question", cell=13)
        await question.press("Enter")
    await notebook.idle()
    await notebook.save()
    cells = [cell for cell in notebook.saved().cells if cell.cell_type == "code"]
    failed = [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert failed == []
    for number, index in enumerate(range(0, len(notebook.saved().cells), 4)):
        await notebook.screenshot(artefacts, f"{name}-{number}", cell=index)
    assert notebook.watch.strangers == notebook.watch.dialogs == []


@pytest.mark.local_model
@pytest.mark.timeout(600)
async def test_restart_and_run_all_gives_the_conversation_once(
    open_notebook: OpenNotebook, server: JupyterServer
) -> None:
    require(find_spec("xllamacpp"), "the offline model is missing: pip install -e '.[local]'")
    notebook = await open_notebook(
        "%load_ext cbai_notebook\nimport cbai_notebook as cbai",
        "%%cbai --max-tokens 8\nSay hello.",
        "%%cbai --max-tokens 8\nSay goodbye.",
        kernel="python3",
    )
    await notebook.run_all()
    await notebook.idle(FIRST_USE)
    first = await in_kernel(notebook, SAID)
    assert [role for role, _, _ in first] == ["user", "assistant"] * 2
    assert all(cell for _, cell, _ in first), "the frontend tells which cell asks"
    await notebook.page.evaluate(
        "async () => await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    await notebook.run_all()
    await notebook.idle(FIRST_USE)
    assert await in_kernel(notebook, SAID) == first
