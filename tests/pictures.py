"""Make the moving pictures of the READMEs: ``python -m tests.pictures``.

A cell asks the test gateway in a real JupyterLab, and each frame is a screenshot of it. The pictures
are in ``docs/images/``; look at them before you commit them.
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


@dataclass(frozen=True)
class Picture:
    """A picture in one language: the prompt, and the answer that the gateway gives."""

    language: str
    prompt: str
    answer: str


PICTURES = (
    Picture(
        "en",
        "Which product grew most? Show each growth, then the code.",
        "**Tea** grew most: from 120 to 168, which is 40 %.\n\n"
        "| product | growth |\n|---|--:|\n| tea | +40 % |\n| cocoa | +5 % |\n| coffee | −2 % |\n"
        + CODE,
    ),
    Picture(
        "zh",
        "哪种产品增长最多？请列出全部增长率，并给出代码。",
        "**茶（tea）**增长最多：从 120 增加到 168，增长 40 %。\n\n"
        "| 产品 | 增长率 |\n|---|--:|\n| tea | +40 % |\n| cocoa | +5 % |\n| coffee | −2 % |\n"
        + CODE,
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


async def make(running: Lab, picture: Picture) -> Path:
    """Make one picture and return its file."""
    cells = (
        f"%load_ext cbai_notebook\nimport cbai_notebook as cbai\n"
        f'cbai.configure(language="{picture.language}")',
        SALES,
        f"%%cbai -m hy3\n{picture.prompt}\n\n{{sales}}",
    )
    running.gateway.script(Scenario(text=picture.answer, rate=TOKENS_PER_S))
    notebook = await running.notebook(*cells)
    await notebook.page.set_viewport_size({"width": WIDTH + 92, "height": HEIGHT + 500})
    for side in ("Left", "Right"):
        await notebook.page.evaluate(f"() => window.jupyterapp.shell.collapse{side}()")
    for index in (0, 1):
        await notebook.run_from(index)
        await notebook.idle()
    file = FOLDER / f"cell-{picture.language}.webp"
    _write(await _frames(notebook), file)
    await notebook.close()
    return file


async def main() -> None:
    """Make all pictures and print their files and sizes."""
    async with lab() as running:
        for picture in PICTURES:
            file = await make(running, picture)
            print(file, f"{file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    asyncio.run(main())
