"""Make the pictures of the READMEs: ``python -m tests.pictures``.

A cell asks the test gateway in a real JupyterLab, and each frame is a screenshot of it; a panel is
shown with its last answers. The pictures are in ``docs/images/``; look at them before you commit them.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import FloatRect, expect

from tests.benchmarks.lab import Lab, lab
from tests.browser.page import NotebookPage
from tests.browser.panel_page import PanelPage
from tests.gateway import Scenario

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 760, 630
"""The size of a picture, in pixels."""

FRAME_MS = 250
FIRST_MS, LAST_MS = 1_500, 5_000
TOKENS_PER_S = 20
QUALITY = 75

SALES = """import pandas as pd

sales = pd.DataFrame(
    {"q1": [120, 210, 80], "q2": [168, 205, 84]}, index=["tea", "coffee", "cocoa"]
)
sales"""

CODE = """
```python
growth = sales["q2"] / sales["q1"] - 1
growth.idxmax(), growth.max()
```
"""

AGES = """
```python
ages = {"Ada": 36, "Alan": 41}
ages["Grace"] = 85
print(ages.get("Ada"))  # 36
```
"""


@dataclass(frozen=True)
class Picture:
    """The pictures of one language: what a cell and a panel are asked, and what the gateway answers.

    Attributes:
        language: ``"en"`` or ``"zh"``.
        prompt: The prompt of the cell.
        answer: Its answer.
        talk: Prompts of the panel, each with its answer.
    """

    language: str
    prompt: str
    answer: str
    talk: tuple[tuple[str, str], ...]


PICTURES = (
    Picture(
        "en",
        "Which product grew most? Show each growth, then the code.",
        "**Tea** grew most: from 120 to 168, which is 40 %.\n\n"
        "| product | growth |\n|---|--:|\n| tea | +40 % |\n| cocoa | +5 % |\n| coffee | −2 % |\n"
        + CODE,
        (
            ("What is a hash table?", "A table that finds a value by its *key*, in one step."),
            (
                "Show me one in Python.",
                "Python's own `dict` is one. Looking a value up takes $O(1)$ on average, however many "
                f"there are:\n{AGES}\nIts keys must be *hashable*, as text and numbers are.",
            ),
        ),
    ),
    Picture(
        "zh",
        "哪种产品增长最多？请列出全部增长率，并给出代码。",
        "**茶（tea）**增长最多：从 120 增加到 168，增长 40 %。\n\n"
        "| 产品 | 增长率 |\n|---|--:|\n| tea | +40 % |\n| cocoa | +5 % |\n| coffee | −2 % |\n"
        + CODE,
        (
            ("什么是哈希表？", "一种按**键**查找值的表，一步就能找到。"),
            (
                "用 Python 举个例子。",
                "Python 自带的 `dict` 就是哈希表。不管有多少项，查找一个值平均只需 $O(1)$："
                f"\n{AGES}\n键必须是**可哈希**的，例如文字和数字。",
            ),
        ),
    ),
)


async def _frames(notebook: NotebookPage) -> list[bytes]:
    """Run the last cell and return screenshots: before it, while it runs, and after it."""
    page = notebook.page
    await notebook.cell(1).evaluate("node => node.scrollIntoView()")
    box = await notebook.cell(1).bounding_box()
    assert box is not None
    clip: FloatRect = {"x": box["x"], "y": box["y"], "width": WIDTH, "height": HEIGHT}
    frames = [await page.screenshot(clip=clip)]
    await notebook.cell(2).locator(".jp-InputArea-editor").click()
    await page.mouse.move(0, 0)
    await notebook.press("Control+Enter")  # Shift+Enter would add a cell below
    await expect(notebook.cell(2).locator(".jp-InputPrompt")).to_have_text("[*]:")
    ended = asyncio.ensure_future(notebook.idle())
    while not ended.done():
        await asyncio.wait([ended], timeout=FRAME_MS / 1000)
        frames.append(await page.screenshot(clip=clip))
    await ended
    frames.append(await page.screenshot(clip=clip))
    return frames


def _write(frames: list[bytes], file: Path) -> None:
    pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    changed = [
        picture
        for before, picture in zip([None, *pictures], pictures, strict=False)
        if before is None or before.tobytes() != picture.tobytes()
    ]
    durations = [FIRST_MS, *[FRAME_MS] * (len(changed) - 2), LAST_MS]
    changed[0].save(
        file,
        save_all=True,
        append_images=changed[1:],
        duration=durations,
        loop=0,
        quality=QUALITY,
        method=6,
    )


async def make_cell(running: Lab, picture: Picture) -> Path:
    """Make the moving picture of a cell and return its file."""
    running.gateway.script(Scenario(text=picture.answer, rate=TOKENS_PER_S))
    asked = f"%%cbai -m hy3\n{picture.prompt}\n\n{{sales}}"
    notebook = await _opened(running, picture, SALES, asked)
    await notebook.run_from(1)
    await notebook.idle()
    file = FOLDER / f"cell-{picture.language}.webp"
    _write(await _frames(notebook), file)
    await notebook.close()
    return file


async def make_panel(running: Lab, picture: Picture) -> Path:
    """Make the picture of a panel and return its file."""
    running.gateway.script(
        *(Scenario(text=answer, rate=TOKENS_PER_S) for _, answer in picture.talk)
    )
    name = "hash tables" if picture.language == "en" else "哈希表"
    notebook = await _opened(running, picture, f"cbai.ChatPanel({name!r})")
    await notebook.run_from(1)
    await notebook.idle()
    panel = await PanelPage.shown(notebook, 1)
    for prompt, _ in picture.talk:
        await panel.converse(prompt)
    file = FOLDER / f"chat-panel-{picture.language}.png"
    await panel.root.screenshot(path=file)
    await notebook.close()
    return file


async def _opened(running: Lab, picture: Picture, *cells: str) -> NotebookPage:
    """Open a notebook whose first cell, which is run, chooses the language; without side bars."""
    notebook = await running.notebook(
        f"%load_ext cbai_notebook\nimport cbai_notebook as cbai\n"
        f'cbai.configure(language="{picture.language}")',
        *cells,
    )
    await notebook.page.set_viewport_size({"width": WIDTH + 92, "height": HEIGHT + 500})
    for side in ("Left", "Right"):
        await notebook.page.evaluate(f"() => window.jupyterapp.shell.collapse{side}()")
    await notebook.run_from(0)
    await notebook.idle()
    return notebook


async def main() -> None:
    """Make all pictures and print their files and sizes."""
    async with lab() as running:
        for picture in PICTURES:
            for make in (make_cell, make_panel):
                file = await make(running, picture)
                print(file, f"{file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    asyncio.run(main())
