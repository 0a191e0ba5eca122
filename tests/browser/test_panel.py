"""The chat panel in a browser: send, stream, stop, regenerate, switch, copy, fail and retry."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.axe import serious_violations
from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage, until
from tests.browser.panel_page import MAKE, PanelPage, in_kernel, until_in_kernel
from tests.gateway import Gateway, Scenario
from tests.gateway.payloads import streamed


@pytest.mark.each_variant
async def test_an_answer_is_seen_arriving_and_is_shared(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("paced:200+hold:30")
    await panel.ask("How does a hash table work?")
    await expect(panel.prompts).to_have_text(["How does a hash table work?"])
    await expect(panel.area).to_have_value("")
    # The gateway sends the rest only after this text is on the screen.
    await expect(panel.answer).to_contain_text("A hash table keeps pairs")
    assert await in_kernel(notebook, "panel.isLoading") is True
    cloud.let_go()
    await panel.settled()
    await expect(panel.answer).to_contain_text("In short: hash, pick a bucket, compare.")
    facts = await panel.answer.locator(".cbai-facts").inner_text()
    assert re.fullmatch(r"cloudbase/hy3 · 70\d tokens · \d+\.\d s", facts)
    assert await in_kernel(notebook, "panel.isLoading") is False
    roles = await in_kernel(notebook, "[m['role'] for m in panel.messages]")
    assert roles == ["user", "assistant"]
    assert await in_kernel(notebook, "cbai.chat().messages[1]['content'][:10]") == "# How a ha"
    assert await in_kernel(notebook, "list(panel.to_pandas()['role'])") == roles
    # Notebook 7 itself reports one, about a schema, while it starts.
    assert [error for error in notebook.watch.errors if "schema" not in error] == []


async def test_a_blank_message_and_a_second_one_while_loading_do_nothing(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    before = len(cloud.requests)
    await panel.ask("  ")
    await panel.area.fill("")
    cloud.always("english+hang:4")
    await panel.ask("first")
    await expect(panel.answer).to_contain_text("How")
    await panel.ask("second")
    await expect(panel.area).to_have_value("second")
    assert await in_kernel(notebook, "panel.send('third')") is False
    assert await panel.prompt_texts() == ["first"]
    assert len(cloud.requests) == before + 1
    await panel.stop_button.click()
    await panel.settled()


@pytest.mark.parametrize("way", ["Escape", "button"])
async def test_stopping_keeps_and_marks_what_has_come(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, way: str
) -> None:
    cloud.always("english+hang:12")
    await panel.ask("Go on")
    await expect(panel.answer).to_contain_text("How a hash")
    if way == "Escape":
        await panel.area.press("Escape")
    else:
        await panel.stop_button.click()
    await panel.settled()
    await expect(panel.answer.locator(".cbai-mark")).to_contain_text("stopped")
    await expect(panel.answer).to_contain_text("How a hash")
    await until(lambda: cloud.last.disconnected, "the connection to end")
    assert await in_kernel(notebook, "panel.messages[-1]['status']") == "cancelled"
    assert await in_kernel(notebook, "panel.isLoading") is False


async def test_a_prompt_stopped_at_once_is_kept(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("english+hang:headers")
    assert await in_kernel(notebook, "(panel.send('wait'), panel.stop())[0]") is True
    await expect(panel.prompts).to_have_text(["wait"])
    await panel.settled()
    assert await in_kernel(notebook, "panel.messages[-1]['status']") == "cancelled"


@pytest.mark.each_variant
async def test_keys_stay_in_the_panel(open_notebook: OpenNotebook, cloud: Gateway) -> None:
    notebook = await open_notebook(MAKE, "x = 1")
    await notebook.run_all()
    await notebook.idle()
    panel = await PanelPage.shown(notebook)
    prompts = await notebook.prompts()
    await panel.area.click()
    before = len(cloud.requests)
    # In command mode these would delete, insert, merge, undo and run cells.
    for key in ["d", "d", "x", "a", "b", "z", "m", "y", "0", "0", "i", "i"]:
        await panel.page.keyboard.press(key)
    await panel.page.keyboard.press("Shift+Enter")
    await panel.page.keyboard.type("second line")
    await expect(panel.area).to_have_value("ddxabzmy00ii\nsecond line")
    await panel.page.keyboard.press("Alt+Enter")
    await panel.send_button.focus()
    for key in ["d", "d", "x", "b", "ArrowDown", "Escape"]:
        await panel.page.keyboard.press(key)
    await panel.scroller.focus()
    for key in ["d", "d", "x", "b", "Shift+Enter"]:
        await panel.page.keyboard.press(key)
    assert await notebook.prompts() == prompts
    assert len(cloud.requests) == before
    await panel.area.click()
    await panel.page.keyboard.press("Control+Enter")
    await expect(panel.prompts).to_have_count(1)
    await panel.settled()
    assert await notebook.prompts() == prompts


async def test_enter_that_confirms_a_candidate_never_sends(
    panel: PanelPage, context: BrowserContext, cloud: Gateway
) -> None:
    before = len(cloud.requests)
    await panel.area.click()
    protocol = await context.new_cdp_session(panel.page)
    await protocol.send(
        "Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6}
    )
    # Chromium and Firefox: Enter arrives during the composition.
    enter = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    await protocol.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await panel.area.evaluate(
        "node => node.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    await protocol.send("Input.insertText", {"text": "你好"})
    # Safari: Enter arrives after the composition has ended, with key code 229.
    await panel.area.evaluate(
        "node => node.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    await expect(panel.area).to_have_value("你好")
    assert await panel.prompts.count() == 0
    assert len(cloud.requests) == before
    await panel.page.keyboard.press("Enter")
    await expect(panel.prompts).to_have_text(["你好"])
    await panel.settled()


async def test_the_box_grows_recalls_and_keeps_every_key(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("paced:100+tokens:40")
    await panel.converse("one")
    await panel.converse("two")
    await panel.area.press("ArrowUp")
    await expect(panel.area).to_have_value("two")
    await panel.area.press("ArrowUp")
    await expect(panel.area).to_have_value("one")
    low = (await panel.area.bounding_box())["height"]  # type: ignore[index]
    await panel.area.fill("a\nb\nc\nd")
    assert (await panel.area.bounding_box())["height"] > low + 30  # type: ignore[index]
    await panel.area.fill("")
    await panel.ask("three")
    # Keys that are pressed while the kernel answers, sets traits and paints are not lost.
    typed = "the quick brown fox jumps over the lazy dog " * 4
    await panel.page.keyboard.type(typed, delay=2)
    await expect(panel.turns).to_have_count(3)
    await panel.settled()
    await until_in_kernel(notebook, "panel.inputValue", typed)
    await expect(panel.area).to_have_value(typed)
    await in_kernel(notebook, "setattr(panel, 'inputValue', 'from a program')")
    await expect(panel.area).to_have_value("from a program")


async def test_regenerate_edit_switch_and_delete(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.script("say:one", "say:two", "say:two again", "say:two edited", "say:three")
    await panel.converse("first")
    await panel.converse("second")
    await panel.act("again")
    await expect(panel.answer).to_contain_text("two again")
    await panel.settled()
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2")
    sent = [message["content"] for message in cloud.last.json["messages"]]
    assert sent == ["first", "one", "second"]

    await panel.area.fill("a draft")
    await panel.act("edit")
    await expect(panel.area).to_have_value("second")
    await panel.area.press("Escape")
    await expect(panel.area).to_have_value("a draft")
    await panel.act("edit")
    await panel.area.fill("second, edited")
    await panel.area.press("Enter")
    await expect(panel.answer).to_contain_text("two edited")
    await panel.settled()
    await expect(panel.area).to_have_value("a draft")
    assert await panel.prompt_texts() == ["first", "second, edited"]
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("3/3")
    await panel.area.fill("")
    await panel.converse("third")

    await panel.act("back", 1)
    await expect(panel.prompts).to_have_text(["first", "second"])
    await panel.act("back", 1)
    await expect(panel.answer).to_contain_text("two")
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("1/3")
    contents = await in_kernel(notebook, "[m['content'] for m in panel.messages]")
    assert contents == ["first", "one", "second", "two"]
    await panel.act("next", 1)
    # The next click must hit the buttons of the new version, so wait for them.
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/3")
    await panel.act("next", 1)
    await expect(panel.prompts).to_have_text(["first", "second, edited", "third"])
    await panel.act("delete", 0)
    await expect(panel.prompts).to_have_text(["second, edited", "third"])


@pytest.mark.each_variant
async def test_copying_and_inserting(
    open_notebook: OpenNotebook, context: BrowserContext, cloud: Gateway
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = await open_notebook(MAKE, "after = 1")
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    answer = "Run **this**:\n\n```python\nif x < 1:\n    print('<b>')\n```\n\nDone."
    cloud.always(Scenario(text=answer))
    await panel.converse("code")

    async def is_copied(text: str) -> bool:
        return bool(await panel.page.evaluate("() => navigator.clipboard.readText()") == text)

    await panel.act("copy")
    await expect(panel.root.locator(".cbai-toast")).to_have_text("Copied")
    assert await is_copied(answer)
    code = "if x < 1:\n    print('<b>')"
    await panel.answer.locator("pre").first.hover()
    await panel.answer.get_by_role("button", name="Copy code").click()
    # The notice is already on the page, so only the clipboard shows the change.
    await until(lambda: is_copied(code), "the code in the clipboard")
    await panel.answer.get_by_role("button", name="Insert code into a new cell").click()
    await expect(panel.root.locator(".cbai-toast")).to_have_text("Inserted in a new cell below.")
    sources = await panel.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.getSource())"
    )
    assert sources == [MAKE, code, "after = 1"]


async def test_a_failure_is_a_notice_that_can_be_retried(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.script("error:404:AI_MODEL_NOT_FOUND", "midstream-error:5", "say:well again")
    await panel.converse("Will it work?")
    await expect(panel.problem).to_have_count(1)
    await expect(panel.problem).to_contain_text("model")
    await expect(panel.problem.get_by_text("AI_MODEL_NOT_FOUND")).to_be_hidden()
    await panel.problem.locator("summary").click()
    await expect(panel.problem.get_by_text("AI_MODEL_NOT_FOUND")).to_be_visible()
    assert await panel.prompt_texts() == ["Will it work?"]
    await panel.problem.get_by_role("button", name="Retry").click()
    await expect(panel.answer.locator(".cbai-mark")).to_contain_text("incomplete")
    await panel.settled()
    assert await panel.prompt_texts() == ["Will it work?"]
    await panel.problem.get_by_role("button", name="Retry").click()
    await expect(panel.answer).to_contain_text("well again")
    await panel.settled()
    await expect(panel.problem).to_have_count(0)
    roles = await in_kernel(notebook, "[m['role'] for m in panel.messages]")
    assert roles == ["user", "assistant"]


async def test_a_refused_prompt_goes_back_into_the_box(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    before = len(cloud.requests)
    secret = "ghp-4Xq9LmZ2"
    await in_kernel(notebook, f"__import__('os').environ.update(GIT_TOKEN={secret!r})")
    await panel.ask(f"my token is {secret}, is it safe?")
    await expect(panel.problem).to_contain_text("GIT_TOKEN")
    await expect(panel.area).to_have_value(f"my token is {secret}, is it safe?")
    assert len(cloud.requests) == before
    await panel.area.fill("")
    await panel.converse("Is it safe?")
    await expect(panel.problem).to_have_count(0)
    # A refused edit is restored as an edit, and the draft from before it is kept.
    await panel.area.fill("a draft")
    await panel.act("edit")
    await panel.area.fill(f"Is {secret} safe?")
    await panel.area.press("Enter")
    await expect(panel.problem).to_contain_text("GIT_TOKEN")
    await expect(panel.area).to_have_value(f"Is {secret} safe?")
    await expect(panel.root.locator(".cbai-editing")).to_be_visible()
    await panel.area.press("Escape")
    await expect(panel.area).to_have_value("a draft")
    assert len(cloud.requests) == before + 1


async def test_a_prompt_whose_place_is_gone_goes_back_into_the_box(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    await panel.converse("first")
    before = len(cloud.requests)
    # The turn is deleted after the kernel received the edit and before the request is sent.
    await in_kernel(
        notebook,
        "(lambda loop, gate: [setattr(__import__('builtins'), 'gate', gate)] + ["
        " loop.call_soon_threadsafe(*call) and None for call in"
        " ((gate.wait, 60), (panel.conversation.delete, panel.conversation.turns[0]))])("
        "__import__('cbai_notebook.bridge', fromlist=['bridge']).background_loop(),"
        " __import__('threading').Event()) and None",
    )
    await panel.act("edit")
    await panel.area.fill("first, edited")
    await panel.area.press("Enter")
    await expect(panel.area).to_have_value("")
    await panel.page.keyboard.type("typed meanwhile")
    await in_kernel(notebook, "gate.set()")
    await expect(panel.problem).to_contain_text("no longer in the conversation")
    await expect(panel.area).to_have_value("first, edited\n\ntyped meanwhile")
    await panel.settled()
    assert len(cloud.requests) == before
    await panel.converse("")
    assert await panel.prompt_texts() == ["first, edited\n\ntyped meanwhile"]


async def test_choices_reach_the_wire_and_conversations_can_be_switched(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    await panel.root.get_by_role("button", name="Settings").click()
    await panel.root.get_by_label("System prompt").fill("Be brief.")
    await panel.root.get_by_label("Temperature").fill("0.3")
    model = panel.root.locator(".cbai-model")
    await model.fill("moonshot/echo")
    await model.press("Enter")
    await panel.converse("hello")
    await expect(panel.answer).to_contain_text("hello")
    assert cloud.last.provider == "moonshot"
    assert cloud.last.json["temperature"] == 0.3
    assert cloud.last.json["messages"][0] == {"role": "system", "content": "Be brief."}

    await panel.root.get_by_role("button", name="New conversation").click()
    await expect(panel.turns).to_have_count(0)
    await panel.converse("fresh")
    assert [message["content"] for message in cloud.last.json["messages"]] == ["fresh"]
    assert (await panel.offered())[:2] == ["fresh", notebook.name]
    await panel.pick(notebook.name)
    await expect(panel.prompts).to_have_text(["hello"])
    await expect(panel.root.get_by_label("System prompt")).to_have_value("Be brief.")


async def test_conversations_are_searched_renamed_and_deleted(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("say:ok")
    await panel.converse("not kept")
    await panel.area.fill("a draft")
    await panel.root.locator(".cbai-icon-undo").click()
    await expect(panel.turns).to_have_count(0)
    await expect(panel.root.locator(".cbai-toast")).to_contain_text("stays in the message box")
    await expect(panel.area).to_have_value("a draft")
    await panel.area.fill("")
    await panel.converse("one")
    await panel.root.locator(".cbai-icon-undo").click()
    await expect(panel.area).to_have_value("one")
    await expect(panel.turns).to_have_count(0)
    await panel.area.fill("")
    await panel.root.locator("[data-cbai=example]").first.click()
    await expect(panel.area).to_have_value("Explain recursion with an example from everyday life.")
    await panel.page.keyboard.press("Enter")
    await panel.settled()
    await panel.root.get_by_role("button", name="New conversation").click()
    await expect(panel.turns).to_have_count(0)
    await panel.converse("two words")
    await expect(panel.picker).to_have_text("two words")
    line = panel.root.locator(".cbai-line", has_text="two words")
    await panel.picker.click()
    await panel.page.keyboard.type("WORDS")
    await expect(panel.root.locator("button.cbai-name")).to_have_text(["two words"])
    await line.get_by_role("button", name="Rename").click()
    await notebook.screenshot(artefacts, "panel-picker", cell=0)
    await panel.page.keyboard.type("three words")
    await panel.page.keyboard.press("Enter")
    await expect(panel.picker).to_have_text("three words")
    line = panel.root.locator(".cbai-line", has_text="three words")
    await line.get_by_role("button", name="Delete conversation").click()
    await expect(panel.root.get_by_role("button", name="Cancel")).to_be_focused()
    assert await serious_violations(panel.page, panel.root) == []
    await panel.root.get_by_role("button", name="Delete for good").click()
    await expect(panel.picker).to_have_text(notebook.name)
    await panel.page.keyboard.press("Escape")
    await expect(panel.root.get_by_role("dialog")).to_be_hidden()
    assert "three words" not in await panel.offered()


async def test_export_gives_files(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, artefacts: Path
) -> None:
    cloud.always("say:the answer")
    await panel.converse("the prompt")
    files = {}
    for form in ("Markdown", "Messages", "Mini Program"):
        await panel.root.get_by_role("button", name="Export").click()
        async with panel.page.expect_download() as download:
            await panel.root.get_by_role("menuitem", name=form).click()
        file = await (await download.value).path()
        files[(await download.value).suggested_filename] = file.read_bytes()
        await expect(panel.root.get_by_role("button", name="Export")).to_be_focused()
    stem = notebook.name.removesuffix(".ipynb")
    toast = panel.root.locator(".cbai-toast")
    await expect(toast).to_contain_text(f"{stem}.zip")
    await notebook.screenshot(artefacts, "panel-exported", cell=0)
    await panel.area.click()  # the next action
    await expect(toast).to_be_hidden()
    assert set(files) == {f"{stem}.md", f"{stem}.messages.jsonl", f"{stem}.zip"}
    written = files[f"{stem}.md"].decode()
    assert "> the prompt" in written
    assert "the answer" in written
    records = [json.loads(line) for line in files[f"{stem}.messages.jsonl"].splitlines()]
    assert [record["content"] for record in records] == ["the prompt", "the answer"]
    with zipfile.ZipFile(io.BytesIO(files[f"{stem}.zip"])) as packed:
        assert any(name.endswith("pages/chat/chat.wxml") for name in packed.namelist())
    await panel.root.get_by_role("button", name="Export").press("Enter")
    await expect(panel.root.get_by_role("menuitem", name="Markdown")).to_be_focused()
    await expect(panel.root.get_by_text(f"Downloaded: {stem}.zip")).to_be_visible()
    await notebook.screenshot(artefacts, "panel-export-menu", cell=0)
    for key, focused in (
        ("ArrowDown", "Messages"),
        ("ArrowUp", "Markdown"),
        ("ArrowUp", "Web page"),
    ):
        await panel.page.keyboard.press(key)
        await expect(panel.root.get_by_role("menuitem", name=focused)).to_be_focused()
    assert await serious_violations(panel.page, panel.root) == []
    await panel.page.keyboard.press("Escape")
    await expect(panel.root.get_by_role("menu")).to_be_hidden()


async def test_a_cut_answer_goes_on_and_a_refusal_is_told(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, artefacts: Path
) -> None:
    cloud.script(
        Scenario(text="A list:\n\n1. one\n2. tw", finish_reason="length"),
        Scenario(text="o\n3. three"),
        streamed({"refusal": "I cannot help with that."}),
    )
    await panel.converse("Count")
    note = panel.answer.get_by_role("note")
    await expect(note).to_contain_text("cut at the token limit")
    await notebook.screenshot(artefacts, "panel-cut-answer", cell=0)
    await note.get_by_role("button", name="Continue").click()
    await expect(panel.answer.locator(".cbai-answer li")).to_have_text(["one", "two", "three"])
    await panel.settled()
    await expect(note).to_have_count(0)
    await expect(panel.answer.locator(".cbai-branch")).to_contain_text("2/2")
    await panel.converse("Help me")
    await expect(panel.answer).to_contain_text("I cannot help with that.")
    await expect(panel.answer.get_by_role("note")).to_contain_text("the model's refusal")
    await notebook.screenshot(artefacts, "panel-refusal", cell=0)
    assert await serious_violations(notebook.page, panel.root) == []
