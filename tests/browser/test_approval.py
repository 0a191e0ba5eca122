"""The question whether a tool may run: what the page shows is what runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.axe import serious_violations
from tests.browser.conftest import OpenNotebook
from tests.browser.panel_page import PanelPage, in_kernel
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling

COMMAND = "ls -la" + " " * 300 + "; rm -rf ~/work\nAllow it? [y/N] \u202e)q\u2066 " + "שלום"
LONG = "# keep\n" + "echo one more line\n" * 400 + "echo the end"

DEFINE = """
import cbai_notebook as cbai

ran = []

@cbai.tool(confirm=True)
def run_shell(command: str, script: str = "", shells: list[str] = ["sh"]) -> str:
    "Run a command."
    ran.append(command)
    raise OSError("no shell here")

def look() -> str:
    "Look around."
    return "a.csv"
"""


@pytest.mark.each_variant
async def test_a_cell_shows_all_of_a_call_before_it_runs(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(
        "%load_ext cbai_notebook\n" + DEFINE,
        "%%cbai --tool run_shell --tool look\nClean up",
    )
    cloud.script(
        calling(
            Call("look"),
            Call("run_shell", {"command": COMMAND, "script": LONG, "shells": ["sh", "bash"]}),
            text="I shall clean up.",
        ),
        "say:That did not work.",
    )
    await notebook.run_all()
    cell = notebook.cell(1)
    prompt = cell.locator(".jp-Stdin-prompt")
    await expect(prompt).to_contain_text("The model wants to run run_shell:")
    await expect(prompt).to_contain_text(
        '"command": "ls -la" ⟨300 blanks⟩ "; rm -rf ~/work\\nAllow'
    )
    await expect(prompt).to_contain_text('echo the end"')
    await expect(prompt).to_contain_text("characters left out⟩")
    await notebook.screenshot(artefacts, "cell-question", cell=1, end=True)
    box = cell.locator(".jp-Stdin-input")
    await box.fill("y")
    await box.press("Enter")
    await expect(cell).to_contain_text("That did not work.")
    await notebook.screenshot(artefacts, "cell-call-failed", cell=1, end=True)
    assert await in_kernel(notebook, "ran") == [COMMAND]


async def test_a_panel_shows_all_of_a_call_before_it_runs(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(
        DEFINE + "panel = cbai.ChatPanel(tools=[run_shell, look])\npanel"
    )
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    cloud.script(
        calling(
            Call("look"),
            Call("run_shell", {"command": COMMAND, "script": LONG, "shells": ["sh", "bash"]}),
            text="I shall clean up.",
        ),
        "say:That did not work.",
    )
    await panel.ask("Clean up")
    question = panel.root.locator(".cbai-question")
    await expect(question).to_contain_text("Run run_shell?")
    lines = question.locator(".cbai-arguments > div")
    await expect(lines).to_have_count(3)
    await expect(lines.first).to_contain_text('"command": "ls -la"')
    await expect(lines.first).to_contain_text('"; rm -rf ~/work\\nAllow it? [y/N] \\u202e)q\\u2066')
    await expect(lines.first.locator(".cbai-left-out")).to_contain_text("⟨300 blanks⟩")
    await expect(lines.nth(1)).to_contain_text('echo the end"')
    assert await serious_violations(notebook.page, panel.root) == []
    await notebook.screenshot(artefacts, "panel-question-long", cell=0, end=True)
    await question.locator("[data-cbai=allow]").click()
    await panel.settled()
    failed = panel.answer.locator("details", has_text="run_shell")
    await expect(failed).to_contain_text("failed")
    await notebook.screenshot(artefacts, "panel-call-failed", cell=0, end=True)
    assert await in_kernel(notebook, "ran") == [COMMAND]
