"""What a user sees when the history cannot be written, and when a tool cannot be stopped."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.panel_page import PanelPage, until_in_kernel
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling

DEAF = """
import time

def deaf() -> str:
    "Go on after an interrupt."
    try:
        began.append(1)
        time.sleep(20)
    except BaseException:
        time.sleep(20)
    return "never sent"

began = []
"""


async def test_answers_come_while_another_program_locks_the_history(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    notebook = await open_notebook(
        "%load_ext cbai_notebook\n"
        "import cbai_notebook as cbai\n"
        f"cbai.configure(history={str(file)!r})\n"
        "panel = cbai.ChatPanel()\n"
        "panel",
        "%%cbai\nBefore",
        "%%cbai\nBehind the lock",
    )
    cloud.script("say:Stored.", "say:Answered at once.", "say:In the panel, too.")
    await notebook.run_from(0)
    panel = await PanelPage.shown(notebook)
    await notebook.run_from(1)
    await expect(notebook.cell(1)).to_contain_text("Stored.")
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await notebook.run_from(2)
    cell = notebook.cell(2)
    await expect(cell).to_contain_text("Answered at once.")
    await expect(cell).to_contain_text("is locked by another program")
    await notebook.screenshot(artefacts, "history-locked", cell=2, end=True)
    await panel.converse("And here?")
    await expect(panel.root).to_contain_text("In the panel, too.")
    await expect(panel.root).to_contain_text("Not stored: The history in")
    await notebook.screenshot(artefacts, "history-locked-panel", cell=0)
    lock.close()
    await expect(panel.root).not_to_contain_text("Not stored")
    await until_in_kernel(notebook, "[len(cbai.chat().turns), cbai.chat().not_stored]", [3, ""])


async def test_a_tool_that_cannot_be_stopped_is_named(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(
        "%load_ext cbai_notebook\n"
        "import cbai_notebook as cbai\n" + DEAF + "panel = cbai.ChatPanel(tools=[deaf])\npanel",
        "%%cbai --tool deaf\nGo",
        "len(began)",
    )
    cloud.script(calling(Call("deaf"), text="Let me see."), calling(Call("deaf"), text="Again."))
    await notebook.run_from(0)
    panel = await PanelPage.shown(notebook)
    await notebook.run_from(1)
    await expect(notebook.output(1)).to_contain_text("deaf")
    await notebook.stop()
    await expect(notebook.cell(1)).to_contain_text(
        "deaf still runs: its function cannot be stopped. Its result is dropped."
    )
    await notebook.run_from(2)
    await notebook.see(2, "1")
    await notebook.screenshot(artefacts, "still-runs", cell=2, end=True)
    await panel.ask("Go")
    await until_in_kernel(notebook, "len(began)", 2)
    await panel.stop_button.click()
    await expect(panel.root).to_contain_text("deaf still runs: its function cannot be stopped.")
    await notebook.screenshot(artefacts, "still-runs-panel", cell=0)
