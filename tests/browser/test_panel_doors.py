"""What a panel opens beside text: tools that ask first, pictures, agents with their questions."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.async_api import expect

from tests.browser.axe import serious_violations
from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage
from tests.browser.panel_page import PanelPage, in_kernel
from tests.gateway import Gateway
from tests.gateway.pictures import png
from tests.gateway.tools import Call, calling

TOOLS = """
import cbai_notebook as cbai

def add(x: int, y: int) -> int:
    "Add two numbers."
    return x + y

@cbai.tool(confirm=True)
def drop(path: str) -> str:
    "Delete a file."
    dropped.append(path)
    return "gone"

dropped = []
panel = cbai.ChatPanel(tools=[add, drop])
panel
"""

AGENT = "import cbai_notebook as cbai\npanel = cbai.ChatPanel(agent='bot-reader')\npanel"

# What the browser does when a picture is pasted, or let go over the box.
HAND_OVER = """async ([area, kind, data]) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "a.png", { type: "image/png" }));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
    area.dispatchEvent(event);
}"""


async def test_a_tool_asks_first_and_shows_what_it_did(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(TOOLS)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    for click, dropped, words in (("refuse", [], "As you wish."), ("allow", ["a.csv"], "Gone.")):
        cloud.script(calling(Call("drop", {"path": "a.csv"}), text="I shall clean up."))
        cloud.script(f"say:{words}")
        await panel.ask("Clean up")
        question = panel.root.locator(".cbai-question")
        await expect(question).to_contain_text("Run drop?")
        await expect(question).to_contain_text("a.csv")
        assert await serious_violations(notebook.page, panel.root) == []
        await notebook.screenshot(artefacts, f"panel-question-{click}", cell=0, end=True)
        await question.locator(f"[data-cbai={click}]").click()
        await panel.settled()
        await expect(panel.answer).to_contain_text(words)
        await expect(question).to_have_count(0)
        assert await in_kernel(notebook, "dropped") == dropped
    line = panel.answer.locator("details", has_text="drop")
    await line.locator("summary").first.click()
    await expect(line).to_contain_text("gone")
    await notebook.use_theme("dark")
    await notebook.screenshot(artefacts, "panel-call-dark", cell=0, end=True)
    roles = await in_kernel(notebook, "[m['role'] for m in panel.messages][-4:]")
    assert roles == ["user", "assistant", "tool", "assistant"]


async def test_a_waiting_question_can_be_stopped(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    notebook = await open_notebook(TOOLS)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    cloud.script(calling(Call("drop", {"path": "a.csv"})))
    await panel.ask("Clean up")
    await expect(panel.root.locator(".cbai-question")).to_be_visible()
    await panel.stop_button.click()
    await panel.settled()
    await expect(panel.root.locator(".cbai-question")).to_have_count(0)
    assert await in_kernel(notebook, "[dropped, panel.messages[-1]['status']]") == [[], "cancelled"]


async def test_pictures_are_pasted_dropped_taken_out_and_sent(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, artefacts: Path
) -> None:
    data = base64.b64encode(png(64, 48)).decode()
    area = await panel.area.element_handle()
    for kind in ("paste", "drop"):
        await notebook.page.evaluate(HAND_OVER, [area, kind, data])
    thumbnails = panel.root.locator(".cbai-composer .cbai-thumbnail")
    await expect(thumbnails).to_have_count(2)
    await notebook.screenshot(artefacts, "panel-pictures", cell=0, end=True)
    await panel.root.get_by_role("button", name="Remove picture 2").click()
    await expect(thumbnails).to_have_count(1)
    cloud.always("say:A small picture.")
    await panel.converse("What is this?")
    await expect(thumbnails).to_have_count(0)
    content = cloud.last.json["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    assert content[1]["image_url"]["url"] == f"data:image/png;base64,{data}"
    await expect(panel.answer.locator(".cbai-thumbnail")).to_be_visible()
    assert await in_kernel(notebook, "len(panel.messages[0]['images'])") == 1


async def test_an_agent_suggests_questions_and_takes_feedback(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(AGENT)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await panel.converse("Who was Li Bai?")
    chips = panel.root.locator(".cbai-chip")
    await expect(chips).to_have_count(3)
    assert await serious_violations(notebook.page, panel.root) == []
    await panel.answer.hover()
    await notebook.screenshot(artefacts, "panel-agent", cell=0, end=True)
    await chips.first.click()
    await expect(panel.prompts.last).to_have_text("Who was Du Fu?")
    await panel.settled()
    await panel.act("up")
    await expect(panel.root.locator(".cbai-composer [role=status]")).to_contain_text("Thank you")
    assert [one["type"] for one in cloud.agents.feedback][-1] == "upvote"
