"""``%%cbai --each`` in JupyterLab and Notebook 7: the progress moves, and its end is in the file."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage, until
from tests.browser.server import JupyterServer
from tests.gateway import Gateway

LOAD = "%load_ext cbai_notebook"
ROWS = "reviews = [{'text': f'review {number}'} for number in range(24)]"
# Ten tokens at twenty a second, four at once: the progress has time to be seen.
CELL = "%%cbai --each reviews --concurrency 4 -m paced:20x10 -o rated\nRate {text}"
_VALUES = """node => {
    window.seen = [];
    const look = () => {
        const bar = node.querySelector("[role=progressbar]");
        if (bar) window.seen.push(Number(bar.getAttribute("aria-valuenow")));
    };
    new MutationObserver(look).observe(node, {childList: true, subtree: true});
}"""


def bar(notebook: NotebookPage, index: int) -> Locator:
    return notebook.output(index).get_by_role("progressbar")


async def fits(notebook: NotebookPage, index: int) -> bool:
    """Return whether nothing of the progress reaches over the right end of its cell."""
    return bool(
        await notebook.output(index).evaluate(
            """output => [...output.querySelectorAll(".cbai-batch, .cbai-batch *")].every(
                node => node.getBoundingClientRect().right <= output.getBoundingClientRect().right + 1
            )"""
        )
    )


@pytest.mark.parametrize("server", ["lab"], indirect=True)
async def test_progress_moves_and_its_end_is_saved(
    open_notebook: OpenNotebook, server: JupyterServer, cloud: Gateway, artefacts: Path
) -> None:
    notebook = await open_notebook(LOAD, ROWS, CELL)
    await notebook.cell(2).evaluate(_VALUES)
    await notebook.run_all()
    await expect(bar(notebook, 2)).to_be_visible()
    await expect(bar(notebook, 2)).to_have_accessible_name("reviews → rated")
    await notebook.see(2, "at once")
    await until(lambda: notebook.page.evaluate("() => window.seen.at(-1) > 6"), "some rows")
    await notebook.screenshot(artefacts, "each-running", cell=2)
    await notebook.idle()
    seen = await notebook.page.evaluate("() => window.seen")
    assert seen == sorted(seen)
    assert len(set(seen)) >= 4, "it moved"
    assert seen[-1] == 24
    await notebook.see(2, "24 of 24 rows")
    assert len(await notebook.outputs(2)) == 1
    await notebook.save()
    await notebook.close()

    again = await open_notebook(file=notebook.file)
    await again.see(2, "reviews → rated 24 of 24 rows")
    await expect(bar(again, 2)).to_have_attribute("aria-valuenow", "24")
    for theme in ("light", "dark"):
        await again.use_theme(theme)  # type: ignore[arg-type]
        await again.screenshot(artefacts, f"each-saved-{theme}", cell=2)
    assert again.watch.strangers == again.watch.dialogs == []

    changed = notebook.saved()
    changed.cells[0].source += "  # by somebody else"
    file = server.root / f"changed-{notebook.file.name}"
    nbformat.write(changed, file)
    stranger = await open_notebook(file=file)
    assert not await stranger.trusted(2)
    await stranger.see(2, "reviews → rated 24 of 24 rows")
    await stranger.screenshot(artefacts, "each-untrusted", cell=2)


@pytest.mark.parametrize("server", ["notebook7"], indirect=True)
async def test_failed_rows_and_an_interrupt_are_told_in_a_narrow_window(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    cloud.script(*["say:Good."] * 3, *["error:400"] * 2, *["hang:headers"])
    notebook = await open_notebook(
        LOAD, ROWS, CELL.replace("--concurrency 4 -m paced:20x10", "--concurrency 1")
    )
    await notebook.run_all()
    await notebook.see(2, "2 failed")
    await until(lambda: len(cloud.requests) >= 6, "the last row")
    await notebook.stop()
    await notebook.idle()
    await notebook.see(2, "interrupted · 5 of 24 rows")
    await notebook.see(2, "rated has the rows so far.")
    await notebook.see(2, "KeyboardInterrupt")
    for theme in ("light", "dark"):
        await notebook.use_theme(theme)  # type: ignore[arg-type]
        await notebook.page.set_viewport_size({"width": 500, "height": 800})
        await notebook.screenshot(artefacts, f"each-narrow-{theme}", cell=2)
        assert await fits(notebook, 2)
    await notebook.page.set_viewport_size({"width": 1280, "height": 960})
