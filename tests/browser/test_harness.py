"""The browser harness itself, with plain cells: the basis of the other browser tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.leaks import LeakListener
from tests.browser.page import until

_HOSTILE = """
from IPython.display import HTML, display
display(HTML(
    '<img src="{url}/image">'
    '<img src="x:" onerror="alert(1); console.log(\\'pwned\\')">'
    '<a id="out" href="{url}/link" target="_blank">out</a>'
))
"""


async def test_cells_run_by_clicking(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook("print('one')", "print('two')")
    await notebook.run_to_end()
    assert await notebook.prompts() == ["[1]:", "[2]:"]
    for index, printed in enumerate(("one", "two")):
        await expect(notebook.output(index)).to_have_text(printed)
    assert notebook.watch.strangers == []


async def test_typed_cell_runs(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook("a = 20")
    await notebook.run_to_end()
    await notebook.add_cell("print(a + 1)")
    await notebook.press("Shift+Enter")
    await notebook.see(1, "21")


@pytest.mark.each_variant
async def test_stop_button_interrupts(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(
        "print('started', flush=True)\nimport time\nwhile True: time.sleep(0.05)", "print('no')"
    )
    await notebook.run_all()
    await notebook.see(0, "started")
    await notebook.stop()
    await notebook.idle()
    await notebook.see(0, "KeyboardInterrupt")
    assert (await notebook.prompts())[1] == "[ ]:"


@pytest.mark.parametrize("server", ["notebook7"], indirect=True)
async def test_saved_notebook_is_reopened(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook("from IPython.display import HTML\nHTML('<b>kept</b>')")
    await notebook.run_to_end()
    await notebook.save()
    await notebook.close()
    again = await open_notebook(file=notebook.file)
    await again.see(0, "kept")
    assert await again.trusted(0)

    content = json.loads(notebook.file.read_text())
    content["metadata"]["from"] = "a stranger"
    file = notebook.file.with_name("stranger.ipynb")
    file.write_text(json.dumps(content))
    stranger = await open_notebook(file=file)
    await stranger.see(0, "kept")
    assert not await stranger.trusted(0)


async def test_witnesses_see_what_hostile_content_does(
    open_notebook: OpenNotebook, leaks: LeakListener
) -> None:
    """A test that finds no attack is only valid if it can find one."""
    notebook = await open_notebook(_HOSTILE.format(url=leaks.url))
    await notebook.run_to_end()
    await until(
        lambda: leaks.hits and notebook.watch.marks, "the image and what runs after the alert"
    )
    assert set(leaks.hits) == {"GET /image"}
    assert set(notebook.watch.strangers) == {f"{leaks.url}/image"}
    assert notebook.watch.dialogs == ["1"]
    assert notebook.watch.marks == ["pwned"]
    await notebook.output(0).locator("#out").click()
    await until(lambda: notebook.watch.popups, "the window that the link opens")
    assert notebook.watch.popups == [f"{leaks.url}/link"]
    assert set(leaks.hits) == {"GET /image"}, "a page that a click opens must not load either"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_themes_can_be_looked_at(
    open_notebook: OpenNotebook, artefacts: Path, theme: str
) -> None:
    notebook = await open_notebook("print('hello')")
    await notebook.use_theme(theme)  # type: ignore[arg-type]
    await notebook.run_to_end()
    picture = await notebook.screenshot(artefacts, f"plain-{theme}", cell=0)
    assert picture.stat().st_size > 10_000
