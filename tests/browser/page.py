"""A notebook in a browser page: what a user can do with it and see of it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
from playwright.async_api import Locator, Page, expect

from tests.browser.leaks import Watch
from tests.browser.server import CLOUD_KERNEL, JupyterServer

Theme = Literal["light", "dark"]
_THEMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
PATIENCE = 90_000  # milliseconds that a test waits for an expected event
expect.set_options(timeout=PATIENCE)  # five seconds are too short on a busy machine

_PANEL = "window.jupyterapp.shell.currentWidget"
_KERNEL_IDLE = f"{_PANEL}?.sessionContext?.session?.kernel?.status === 'idle'"
_CELLS = f"Array.from({_PANEL}.content.widgets)"
_PROMPTS = (
    f"{_CELLS}.filter(cell => cell.model.type === 'code')"
    ".map(cell => cell.node.querySelector('.jp-InputPrompt')?.textContent ?? '')"
)


def write_notebook(
    file: Path, cells: Sequence[str], kernel: str = CLOUD_KERNEL, **metadata: Any
) -> Path:
    """Write a notebook of code cells that were never run."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={
            "kernelspec": {"name": kernel, "display_name": "Python 3", "language": "python"},
            **metadata,
        },
    )
    nbformat.write(notebook, file)
    return file


async def until(condition: Callable[[], object | Awaitable[object]], what: str) -> None:
    """Wait for a condition that no locator shows, such as a call of a listener."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not (await found if inspect.isawaitable(found := condition()) else found):
        assert time.monotonic() < deadline, f"waited {PATIENCE / 1000:.0f} s for {what}"
        await asyncio.sleep(0.02)


class NotebookPage:
    """One notebook, open in JupyterLab or in Notebook 7.

    Args:
        page: The browser's page.
        server: The page's server.
        name: The notebook's path under the server's root.
        watch: The record of what the page does.
    """

    def __init__(self, page: Page, server: JupyterServer, name: str, watch: Watch) -> None:
        self.page = page
        self.server = server
        self.name = name
        self.watch = watch
        page.set_default_timeout(PATIENCE)
        self._theme: Theme = "light"

    @property
    def file(self) -> Path:
        """The notebook's file on the server's disk."""
        return self.server.root / self.name

    async def open(self, workspace: str, *, wait_for_kernel: bool = True) -> None:
        """Open the notebook and wait until it is ready for use."""
        await self.page.goto(self.server.link(self.name, workspace))
        await self.page.wait_for_function(
            f"() => window.jupyterapp && {_PANEL}?.context?.isReady "
            f"&& {_PANEL}.content?.widgets?.length > 0"
        )
        if wait_for_kernel:
            await self.page.wait_for_function(f"() => {_KERNEL_IDLE}")

    async def close(self) -> None:
        """End the kernel and close the page, unless that was done already."""
        if self.page.is_closed():
            return
        if self._theme != "light":  # otherwise the server keeps the kernel for the next test
            await self.use_theme("light")
        await self.page.evaluate(f"async () => {{ await {_PANEL}?.sessionContext?.shutdown(); }}")
        await self.page.close()

    async def use_theme(self, theme: Theme) -> None:
        """Change the theme and wait until it is on the screen."""
        self._theme = theme
        await self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            _THEMES[theme],
        )
        light = "true" if theme == "light" else "false"
        await self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")

    # Actions

    async def choose(self, menu: str, entry: str) -> None:
        """Click an entry of a menu."""
        bar = self.page.locator("#jp-MainMenu, #menu-panel, .lm-MenuBar").first
        await bar.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
        await self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).click()

    async def run_all(self) -> None:
        """Click Run > Run All Cells, and wait until the kernel has started to run them."""
        async with self._begins():
            await self.choose("Run", "Run All Cells")

    async def run_from(self, index: int) -> None:
        """Select a cell, press Shift+Enter, and wait until the kernel has started to run it."""
        async with self._begins():
            await self.cell(index).locator(".jp-InputArea-editor").click()
            await self.page.keyboard.press("Shift+Enter")

    @contextlib.asynccontextmanager
    async def _begins(self) -> AsyncIterator[None]:
        """Wait, after the block, until the kernel has started to run a cell."""
        # The prompt does not show it: a quick cell has the same prompt before and after.
        await self.page.evaluate(
            f"""() => {{
                const session = {_PANEL}.sessionContext;
                window.cellBegan = false;
                const listen = (_, message) => {{
                    if (message.header.msg_type !== "execute_input") return;
                    session.iopubMessage.disconnect(listen);
                    window.cellBegan = true;
                }};
                session.iopubMessage.connect(listen);
            }}"""
        )
        yield
        await self.page.wait_for_function("() => window.cellBegan")

    async def add_cell(self, source: str) -> None:
        """Add a cell at the end with the toolbar's button, and type into it."""
        await self.cell(-1).locator(".jp-InputArea-editor").click()
        await self.page.keyboard.press("Escape")
        count = await self.page.evaluate(f"() => {_CELLS}.length")
        await self.page.locator("[data-jp-item-name='insert'] >> visible=true").first.click()
        await self.page.wait_for_function(f"count => {_CELLS}.length === count + 1", arg=count)
        await self.page.keyboard.press("Enter")
        await expect(self.cell(-1).locator(".cm-content")).to_be_focused()
        await self.page.keyboard.insert_text(source)

    async def press(self, keys: str) -> None:
        """Press a key or a combination of keys."""
        await self.page.keyboard.press(keys)

    async def stop(self) -> None:
        """Click the toolbar's stop button, which interrupts the kernel."""
        await self.page.locator("[data-jp-item-name='interrupt'] >> visible=true").first.click()

    async def save(self) -> None:
        """Save with the keyboard and wait until the file is written."""
        # Do not wait for a clean model: it may be clean before, and dirty again at once.
        await self.page.evaluate(
            f"""() => {{
                const context = {_PANEL}.context;
                window.saved = "";
                const listen = (_, state) => {{
                    if (state === "started") return;
                    context.saveState.disconnect(listen);
                    window.saved = state;
                }};
                context.saveState.connect(listen);
            }}"""
        )
        await self.page.keyboard.press("Control+s")
        await self.page.wait_for_function("() => window.saved")
        assert await self.page.evaluate("() => window.saved") == "completed"

    async def screenshot(
        self, folder: Path, name: str, *, cell: int | None = None, end: bool = False
    ) -> Path:
        """Save a screenshot of the window that shows the beginning or the end of a cell."""
        if cell is not None:
            await self.cell(cell).evaluate(
                "(node, block) => node.scrollIntoView({block})", "end" if end else "start"
            )
        await self.page.evaluate("() => document.fonts.ready.then(() => true)")
        file = folder / f"{self.server.app}-{name}.png"
        await self.page.screenshot(path=file, animations="disabled")
        return file

    # State

    def cell(self, index: int) -> Locator:
        """A cell of the notebook."""
        return self.page.locator(".jp-Notebook:visible .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """The output area of a cell."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    async def text(self, index: int) -> str:
        """The text of a cell's output, as shown on the screen."""
        return (await self.output(index).inner_text()).strip()

    async def prompts(self) -> list[str]:
        """The prompts of the code cells: ``[1]:``, ``[*]:``, ``[ ]:``."""
        return list(await self.page.evaluate(f"() => {_PROMPTS}"))

    async def idle(self, patience: int = PATIENCE) -> None:
        """Wait until no cell is queued or running and the kernel is idle."""
        await self.page.wait_for_function(
            f"() => {_KERNEL_IDLE} && !{_PROMPTS}.some(prompt => prompt.includes('*'))",
            timeout=patience,
        )

    async def run_to_end(self) -> None:
        """Run all cells by a click, and wait until they have ended."""
        await self.run_all()
        await self.idle()

    async def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs in the notebook's model, as they would be saved."""
        return list(
            await self.page.evaluate(
                f"index => {_CELLS}.at(index).model.sharedModel.getOutputs()", index
            )
        )

    async def trusted(self, index: int) -> bool:
        """Return whether a cell's outputs are trusted."""
        return bool(await self.page.evaluate(f"index => {_CELLS}.at(index).model.trusted", index))

    async def see(self, index: int, text: str) -> None:
        """Wait until a cell's output shows a text."""
        await expect(self.output(index)).to_contain_text(text)

    def saved(self) -> nbformat.NotebookNode:
        """The content of the notebook's file."""
        return nbformat.read(self.file, as_version=4)
