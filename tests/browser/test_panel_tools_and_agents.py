"""Other features of a panel: tools with approval, images, agents with suggested questions."""

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

AGENT = "import cbai_notebook as cbai\npanel = cbai.ChatPanel(agent='bot-reader', params={'search': True})\npanel"

# The events of a browser when a picture is pasted or dropped on the box.
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


async def test_a_call_that_was_unfolded_stays_so_while_others_end(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    notebook = await open_notebook(
        "import asyncio, cbai_notebook as cbai\n"
        "gate = asyncio.Event()\n"
        "async def wait() -> str:\n    await gate.wait()\n    return 'waited'\n"
        "def quick() -> str:\n    return 'quick'\n"
        "panel = cbai.ChatPanel(tools=[quick, wait])\npanel"
    )
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    cloud.script(calling(Call("quick"), Call("wait")), "say:Both are done.")
    await panel.ask("Go")
    calls = panel.answer.locator(".cbai-calls details")
    quick, wait = calls.filter(has_text="quick").first, calls.filter(has_text="wait").last
    await expect(quick).to_contain_text("Result")
    await quick.locator("summary").click()
    await expect(quick).to_have_attribute("open", "")
    await in_kernel(
        notebook,
        "__import__('cbai_notebook.bridge', fromlist=['bridge'])"
        ".background_loop().call_soon_threadsafe(gate.set) and None",
    )
    await panel.settled()
    await expect(panel.answer).to_contain_text("Both are done.")
    await expect(wait).to_contain_text("waited")
    await expect(quick).to_have_attribute("open", "")
    await expect(wait).not_to_have_attribute("open", "")
    await quick.locator("summary").click()
    await expect(quick).not_to_have_attribute("open", "")


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


async def test_pictures_can_go_alone_and_be_changed_with_their_message(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    pictures = [base64.b64encode(png(width, 48)).decode() for width in (64, 32)]
    thumbnails = panel.root.locator(".cbai-composer .cbai-thumbnail")
    area = await panel.area.element_handle()

    async def sent() -> list[str]:
        content = cloud.last.json["messages"][-1]["content"]
        return [part.get("text") or part["image_url"]["url"] for part in content]

    await notebook.page.evaluate(HAND_OVER, [area, "paste", pictures[0]])
    await expect(thumbnails).to_have_count(1)
    await panel.converse("")
    assert await sent() == [f"data:image/png;base64,{pictures[0]}"]
    # An edit begins with the turn's images; the draft's images are put aside until it is sent.
    await notebook.page.evaluate(HAND_OVER, [area, "paste", pictures[1]])
    await panel.area.fill("a draft")
    await expect(thumbnails).to_have_count(1)
    await panel.act("edit")
    await expect(panel.area).to_have_value("")
    await expect(thumbnails).to_have_attribute("src", f"data:image/png;base64,{pictures[0]}")
    await notebook.page.evaluate(HAND_OVER, [area, "paste", pictures[1]])
    await expect(thumbnails).to_have_count(2)
    await panel.root.get_by_role("button", name="Remove picture 1").click()
    await panel.area.fill("And this?")
    await panel.area.press("Enter")
    await expect(panel.prompts).to_have_text(["And this?"])
    await panel.settled()
    assert await sent() == ["And this?", f"data:image/png;base64,{pictures[1]}"]
    await expect(panel.area).to_have_value("a draft")
    await expect(thumbnails).to_have_count(1)


async def test_a_picture_by_address_is_a_link_and_loads_nothing(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    address = "https://pictures.invalid/cat.png"
    too_long = f"{address}?signature={'a' * 2_100}"
    notebook = await open_notebook(
        "import cbai_notebook as cbai\npanel = cbai.ChatPanel()\npanel",
        f"panel.send('What is it?', images=[{address!r}, {too_long!r}])",
    )
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await expect(panel.prompts).to_have_count(1)
    await panel.settled()
    link = panel.answer.get_by_role("link", name="Image from pictures.invalid")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", address)
    await panel.act("edit")
    await expect(panel.root.locator(".cbai-composer")).to_contain_text(
        "Image from pictures.invalid"
    )
    await panel.area.press("Enter")
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2")
    await panel.settled()
    images = cloud.last.json["messages"][-1]["content"][1:]
    assert [part["image_url"]["url"] for part in images] == [address, too_long]
    assert [url for url in notebook.watch.strangers if "pictures.invalid" in url] == []


async def test_an_agent_suggests_questions_and_takes_feedback(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(AGENT)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await panel.converse("Who was Li Bai?")
    chips = panel.root.locator(".cbai-chip")
    await expect(chips).to_have_count(3)
    await expect(panel.answer).to_contain_text("poems · 诗集")
    link = panel.answer.get_by_role("link", name="Li Bai")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    assert await serious_violations(notebook.page, panel.root) == []
    await panel.answer.hover()
    await notebook.screenshot(artefacts, "panel-agent", cell=0, end=True)
    await chips.first.click()
    await expect(panel.prompts.last).to_have_text("Who was Du Fu?")
    await panel.settled()
    await panel.act("up")
    await expect(panel.root.locator(".cbai-composer [role=status]")).to_contain_text("Thank you")
    assert [one["type"] for one in cloud.agents.feedback][-1] == "upvote"
