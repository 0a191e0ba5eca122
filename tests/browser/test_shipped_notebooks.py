"""The notebooks about history, tools, images, servers and ways out, run by clicks."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage
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
    if name == "evaluate":
        await _assert_shown_again(notebook, open_notebook, artefacts)


async def _assert_shown_again(
    notebook: NotebookPage, open_notebook: OpenNotebook, artefacts: Path
) -> None:
    """The verdicts of an evaluation are in the file; the plot is shown to who trusts it."""
    changed = notebook.saved()
    await notebook.close()
    changed.cells[0].source += "\n\nSent by somebody else."
    file = notebook.file.with_name("evaluate-of-a-stranger.ipynb")
    nbformat.write(changed, file)
    for name, where in (("reopened", notebook.file), ("untrusted", file)):
        again = await open_notebook(file=where)
        shown = again.page.locator(".jp-OutputArea-output:has(table)", has_text="better").first
        await shown.scroll_into_view_if_needed()
        await expect(shown.locator("table").first).to_be_visible()
        if name == "reopened":
            await expect(shown.locator("svg")).to_be_visible()
        else:
            await expect(shown.locator("svg")).to_have_count(0)
            words = shown.get_by_text("Dot: mean.")
            assert await words.evaluate("words => getComputedStyle(words).fontSize") == "0px"
        await again.page.screenshot(path=artefacts / f"evaluate-{name}.png")
        await again.close()


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
