"""A chat panel in a browser page: what a user can do with it and see of it."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.browser.page import NotebookPage, until

MAKE = "import cbai_notebook as cbai\npanel = cbai.ChatPanel()\npanel"


class PanelPage:
    """One panel.

    Args:
        page: The browser's page.
        root: The panel's element.
    """

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root
        self.area = root.locator(".cbai-area")
        self.turns = root.locator(".cbai-turn")
        self.prompts = root.locator(".cbai-prompt")
        self.scroller = root.locator(".cbai-scroll")
        self.stop_button = root.locator(".cbai-row .cbai-icon-stop")
        self.send_button = root.locator(".cbai-row .cbai-icon-send")
        self.problem = root.locator(".cbai-problem")

    @classmethod
    async def shown(cls, notebook: NotebookPage, cell: int = 0, number: int = 0) -> PanelPage:
        """Wait for a panel below a cell."""
        made = cls(notebook.page, notebook.output(cell).locator(".cbai-panel").nth(number))
        await expect(made.root).to_have_attribute("data-lm-suppress-shortcuts", "true")
        return made

    @property
    def answer(self) -> Locator:
        """The newest turn."""
        return self.turns.last

    async def ask(self, prompt: str) -> None:
        """Type a prompt and press Enter."""
        await self.area.click()
        await self.page.keyboard.type(prompt)
        await self.page.keyboard.press("Enter")

    async def settled(self) -> None:
        """Wait until no answer is streaming and every turn is shown with its footer."""
        await expect(self.send_button).to_be_visible()
        await expect(self.root.locator(".cbai-turn:not(:has(.cbai-facts))")).to_have_count(0)

    async def converse(self, prompt: str) -> None:
        """Send a prompt and wait for the end of the answer."""
        count = await self.turns.count()
        await self.ask(prompt)
        await expect(self.turns).to_have_count(count + 1)
        await self.settled()

    async def act(self, action: str, turn: int = -1) -> None:
        """Click one of a turn's buttons, which are visible while the mouse is over the turn."""
        chosen = self.turns.nth(turn)
        await chosen.hover()
        await chosen.locator(f"[data-cbai='{action}']").click()

    @property
    def picker(self) -> Locator:
        """The button that opens the list of conversations."""
        return self.root.locator(".cbai-opener")

    async def offered(self) -> list[str]:
        """The names of the conversations, the newest first; the picker is hidden without a choice."""
        if not await self.picker.is_visible():
            return []
        await self.picker.click()
        names = await self.root.locator("button.cbai-name").all_text_contents()
        await self.page.keyboard.press("Escape")
        return names

    async def pick(self, name: str) -> None:
        """Search for a conversation and show it."""
        await self.picker.click()
        await self.page.keyboard.type(name)
        await self.page.keyboard.press("Enter")
        await expect(self.picker).to_have_text(name)

    async def prompt_texts(self) -> list[str]:
        """The prompts on the page."""
        return await self.prompts.all_inner_texts()

    async def scroll_up(self) -> None:
        """Scroll to the top of the conversation."""
        await self.scroller.hover()
        await self.page.mouse.wheel(0, -100_000)
        await self.page.wait_for_function(
            "node => node.scrollTop < -100", arg=await self.scroller.element_handle()
        )


async def in_kernel(notebook: NotebookPage, expression: str) -> Any:
    """Evaluate an expression in the notebook's kernel and return its value, sent as JSON."""
    code = f"import json; print(json.dumps({expression}))"
    printed = await notebook.page.evaluate(
        """async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({code, store_history: false});
            let text = "";
            future.onIOPub = message => {
                if (message.header.msg_type === "stream") text += message.content.text;
                if (message.header.msg_type === "error") text += message.content.traceback.join("\\n");
            };
            await future.done;
            return text;
        }""",
        code,
    )
    try:
        return json.loads(printed)
    except json.JSONDecodeError:
        raise AssertionError(printed) from None


async def until_in_kernel(notebook: NotebookPage, expression: str, wanted: Any) -> None:
    """Wait until an expression in the notebook's kernel has a given value."""

    async def is_so() -> bool:
        return bool(await in_kernel(notebook, expression) == wanted)

    await until(is_so, f"{expression} to be {wanted!r}")


# The tasks on the kernel's background loop, and our threads after the transcripts are written.
LEFT_BEHIND = (
    "(lambda loop, threading: {"
    " 'tasks': [str(task) for task in __import__('asyncio').all_tasks(loop)],"
    " 'threads': [thread.name for thread in threading.enumerate()"
    "  if 'cbai' in thread.name and ('transcript' not in thread.name or thread.join(60))]})("
    "__import__('cbai_notebook.bridge', fromlist=['bridge']).background_loop(),"
    " __import__('threading'))"
)
NOTHING = {"tasks": [], "threads": ["cbai-notebook"]}


async def left_behind(notebook: NotebookPage) -> Any:
    """Return the tasks and threads left in the kernel after the transcripts are written."""
    return await in_kernel(notebook, LEFT_BEHIND)
