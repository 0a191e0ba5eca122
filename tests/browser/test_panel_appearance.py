"""The look and accessibility of the panel: themes, widths, languages, keyboard, screen readers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.axe import serious_violations
from tests.browser.leaks import Watch
from tests.browser.page import NotebookPage, Theme, write_notebook
from tests.browser.panel_page import MAKE, PanelPage
from tests.browser.server import JupyterServer
from tests.gateway import Gateway, Scenario

_SHORT = """\
Python's own `dict` is one. Looking a value up takes $O(1)$ on average, however many there are:

```python
ages = {"Ada": 36, "Alan": 41}
ages["Grace"] = 85
print(ages.get("Ada"))  # 36
```

Its keys must be *hashable*, as text and numbers are.
"""


# What a reader or a screen reader gets of a panel, without its texts that wait in the other language.
_SAID = """root => {
    const found = [];
    for (const element of [root, ...root.querySelectorAll("*")]) {
        if (element.closest("[hidden], script, style")) continue;
        for (const name of ["aria-label", "title", "placeholder", "alt"])
            if (element.getAttribute(name)) found.push(element.getAttribute(name));
        const shown = getComputedStyle(element).display !== "none" && !element.closest("[data-say=en]");
        const own = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
        const text = own.map(node => node.textContent).join("").trim();
        if (shown && text) found.push(text);
    }
    return found;
}"""


@pytest.mark.each_variant
@pytest.mark.parametrize(
    ("name", "theme", "width", "language"),
    [
        ("light", "light", 1180, "en-US"),
        ("dark", "dark", 1180, "en-US"),
        ("narrow", "light", 360, "en-US"),
        ("chinese", "light", 1180, "zh-CN"),
    ],
)
async def test_it_looks_right_and_serves_everyone(
    browser: Browser,
    server: JupyterServer,
    cloud: Gateway,
    watch: Watch,
    artefacts: Path,
    name: str,
    theme: Theme,
    width: int,
    language: str,
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, locale=language, reduced_motion="reduce"
    )
    page = await context.new_page()
    low = 'cbai.ChatPanel("low", height=320)'
    file = write_notebook(server.root / f"looks-{name}.ipynb", [MAKE, low])
    notebook = NotebookPage(page, server, file.name, watch)
    await notebook.open(f"looks-{name}")
    if width < 700 and server.app == "lab":
        for side in ("left", "right"):
            await page.evaluate(f"() => window.jupyterapp.shell.collapse{side.capitalize()}()")
    await notebook.use_theme(theme)
    await page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    panel = await PanelPage.shown(notebook)
    problems = await serious_violations(page, panel.root)
    await _shows_all_of_a_low_panel(await PanelPage.shown(notebook, 1))
    await notebook.screenshot(artefacts, f"panel-{name}-low", cell=1)
    chinese = language == "zh-CN"
    first = Scenario(text="A table keeps *pairs*.", reasoning="They ask for a definition.")
    # The first screenshot, in JupyterLab, is the one in the manual: it shows a whole conversation.
    second = Scenario(text=_SHORT) if name == "light" else "default"
    cloud.script(first, second, "error:404:AI_MODEL_NOT_FOUND")
    await panel.converse("什么是哈希表？" if chinese else "What is a hash table?")
    await panel.converse("介绍一下李白" if chinese else "Show me one in Python.")
    await notebook.screenshot(artefacts, f"panel-{name}", cell=0)
    fold = panel.turns.first.locator(".cbai-reasoning summary")
    # A long reasoning also shows its duration.
    await expect(fold).to_have_text(
        re.compile("思考过程|思考了" if chinese else "Reasoning|Thought")
    )
    transcript = notebook.output(0).locator(".cbai-transcript > summary")
    await expect(transcript).to_contain_text("的对话记录（2 轮）" if chinese else "(2 turns)")
    await panel.answer.hover()
    problems += await serious_violations(page, panel.root)
    await panel.converse("换一个模型" if chinese else "And with a model that is not there?")
    await panel.root.locator(".cbai-icon-settings").click()
    await notebook.screenshot(artefacts, f"panel-{name}-settings", cell=0)
    problems += await serious_violations(page, panel.root)
    await expect(panel.root.locator("mjx-container").first).to_be_visible()
    overflow = await panel.root.evaluate(
        "node => [node, node.querySelector('.cbai-scroll')].map(n => n.scrollWidth - n.clientWidth)"
    )
    assert problems == []
    assert overflow == [0, 0], "something is wider than the panel"
    label = "发送" if chinese else "Send"
    await expect(panel.root.get_by_role("button", name=label, exact=True)).to_be_visible()
    await notebook.close()
    await context.close()


async def _shows_all_of_a_low_panel(low: PanelPage) -> None:
    """Check that an empty low panel begins at its top, and that each form has a line of its own."""
    await low.root.scroll_into_view_if_needed()
    greeting = await low.root.locator(".cbai-welcome strong").bounding_box()
    examples = await low.scroller.bounding_box()
    assert greeting is not None
    assert examples is not None
    assert greeting["y"] >= examples["y"]
    await low.root.locator(".cbai-icon-export").click()
    forms = low.root.get_by_role("menuitem")
    await expect(forms).to_have_count(8)
    rows = await forms.evaluate_all(
        "all => all.map(one => [one.offsetHeight, one.scrollWidth - one.clientWidth])"
    )
    assert rows == [rows[0]] * 8, "one breaks into two lines"
    assert rows[0][1] == 0, "one is cut"


async def test_an_open_panel_changes_its_language(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway, artefacts: Path
) -> None:
    code = Scenario(text="```python\nprint(1)\n```", reasoning="想要代码")
    cloud.script(code, "error:404:AI_MODEL_NOT_FOUND")
    await panel.converse("写代码")
    await panel.converse("再来")
    await panel.root.locator(".cbai-icon-settings").click()
    await panel.area.fill("半句话")
    await expect(panel.problem).to_contain_text("There is no model")
    await notebook.add_cell('cbai.configure(language="zh")')
    await notebook.run_from(1)
    button = panel.root.get_by_role("button", name="发送", exact=True)
    await expect(button).to_be_visible()
    await expect(panel.root).to_have_attribute("aria-label", "聊天")
    await expect(panel.root.get_by_label("消息", exact=True)).to_have_value("半句话")
    await expect(panel.root.locator(".cbai-code-button").first).to_have_text("复制")
    await expect(panel.problem).to_contain_text("找不到模型")
    await expect(panel.root.locator(".cbai-reasoning")).to_contain_text("思考过程")
    await expect(notebook.output(0).locator(".cbai-transcript > summary")).to_contain_text("轮")
    await notebook.screenshot(artefacts, "panel-changed-to-chinese", cell=0)
    said = await panel.root.evaluate(_SAID)
    english = re.compile(r"[^\u4e00-\u9fff]*[a-z]{2,} [a-z]{2,} [a-z]{2,}[^\u4e00-\u9fff]*")
    assert list(filter(english.fullmatch, said)) == []
    await notebook.add_cell("cbai.configure(language=None)")
    await notebook.run_from(3)  # the run before has added an empty one
    await expect(panel.root.get_by_role("button", name="Send", exact=True)).to_be_visible()
    await expect(panel.problem).to_contain_text("There is no model")


@pytest.mark.each_variant
async def test_the_keyboard_alone_is_enough(panel: PanelPage, cloud: Gateway) -> None:
    cloud.always("say:one")
    await panel.converse("hello")
    await panel.picker.focus()
    reached = []
    for _ in range(16):
        reached.append(
            await panel.page.evaluate(
                """() => {
                    const node = document.activeElement;
                    const style = getComputedStyle(node);
                    const box = node.closest(".cbai-box");
                    const seen = style.outlineStyle !== "none" || (box && getComputedStyle(box).boxShadow !== "none");
                    // Past its last part the keyboard goes on into the page, which is not ours.
                    const ours = node.closest(".cbai-panel") !== null;
                    return ours ? [node.getAttribute("aria-label") ?? node.innerText.trim(), seen] : ["", true];
                }"""
            )
        )
        await panel.page.keyboard.press("Tab")
    names = [name for name, _ in reached]
    for wanted in (
        *("New conversation", "Model", "Settings", "Export", "Edit and resend"),
        *("Copy answer", "Regenerate", "Delete turn", "Message", "Attach a picture"),
    ):
        assert wanted in names
    assert names[0].startswith("Conversation: ")
    assert all(seen for name, seen in reached if name), reached
    button = panel.root.get_by_role("button", name="Regenerate")
    await button.focus()
    cloud.always("say:two")
    await panel.page.keyboard.press("Enter")
    await expect(panel.answer).to_contain_text("two")
    await expect(panel.root.locator("[role=status]")).to_have_text("The answer is complete.")


async def test_nothing_moves_for_who_does_not_want_it(panel: PanelPage, cloud: Gateway) -> None:
    cloud.always("english+hang:headers")
    await panel.ask("wait")
    dot = panel.answer.locator(".cbai-thinking i").first
    await panel.page.emulate_media(reduced_motion="no-preference")
    await expect(dot).to_have_css("animation-name", "cbai-breathe")
    await panel.page.emulate_media(reduced_motion="reduce")
    await expect(dot).to_have_css("animation-name", "none")
    await expect(panel.root.locator(".cbai-tip").first).to_have_css("transition-duration", "0s")
    await panel.stop_button.click()
    await panel.settled()
