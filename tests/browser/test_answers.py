"""An answer in a real notebook: it streams, looks right, and is still there after a reload."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.page import NotebookPage, Theme, until
from tests.gateway import Fault, Gateway, Scenario
from tests.gateway.texts import CHINESE, ENGLISH

LOAD = "%load_ext cbai_notebook"


@pytest.mark.each_variant
async def test_tokens_are_on_screen_before_the_answer_ends(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    words = [f"word{number} " for number in range(240)]
    stops = range(40, 240, 40)
    holds = tuple(Fault("hold", number) for number in stops)
    cloud.script(Scenario(text=tuple(words), rate=100, faults=holds))
    notebook = await open_notebook(LOAD, "%%cbai\nHow does a hash table work?")
    await notebook.run_all()
    for number in stops:
        # The gateway sends the rest only after this text is on the screen.
        await notebook.see(1, f"word{number - 1}")
        assert f"word{number}" not in await notebook.text(1)
        cloud.let_go()
    await notebook.idle()
    await notebook.see(1, "word239")


async def test_reasoning_shows_and_folds_away(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    thought = "First I wonder. " * 20
    cloud.script(Scenario(text="The answer.", reasoning=thought, faults=(Fault("pause", 40),)))
    notebook = await open_notebook(LOAD, "%%cbai\nThink", "%%cbai\nThink")
    await notebook.run_all()
    await expect(notebook.output(1).get_by_text("First I wonder.").first).to_be_visible()
    await notebook.screenshot(artefacts, "reasoning-live", cell=1)
    await notebook.stop()
    await notebook.idle()
    cloud.script(Scenario(text="The answer.", reasoning=thought))
    await notebook.run_from(2)
    await notebook.see(2, "The answer.")
    await expect(notebook.output(2).get_by_text("First I wonder.").first).to_be_hidden()
    await notebook.screenshot(artefacts, "reasoning-folded", cell=2)


async def assert_rendered(notebook: NotebookPage, index: int) -> None:
    """Check that the Markdown is rendered correctly."""
    output = notebook.output(index)
    for selector in ("h1", "h2", "ol > li", "ul > li", "table td", "blockquote", "pre", "strong"):
        await expect(output.locator(selector).first).to_be_visible()
    await expect(output.locator("mjx-container").first).to_be_visible()
    await expect(output, "formulas are typeset").not_to_contain_text("$$")
    coloured = output.locator("pre span[style*='color']")
    assert await coloured.count() > 5, "code is highlighted"


@pytest.mark.each_variant
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_answers_look_right(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path, theme: Theme
) -> None:
    cloud.script(Scenario(text=ENGLISH), Scenario(text=CHINESE))
    notebook = await open_notebook(LOAD, "%%cbai\nHow does it work?", "%%cbai\n介绍一下李白")
    await notebook.use_theme(theme)
    await notebook.run_to_end()
    for index, name in ((1, "english"), (2, "chinese")):
        await assert_rendered(notebook, index)
        await notebook.screenshot(artefacts, f"{name}-{theme}", cell=index)
        await notebook.screenshot(artefacts, f"{name}-{theme}-end", cell=index, end=True)
    await notebook.see(2, "举头望明月，低头思故乡。")
    body = await notebook.page.evaluate("() => getComputedStyle(document.body).color")
    words = await notebook.output(1).locator("p").first.evaluate("p => getComputedStyle(p).color")
    assert (sum_of(words) > 380) is (theme == "dark"), (body, words)


_STYLES = """area => ["h1", "h2", "p", "ol", "ul", "li", "table", "th", "td", "blockquote", "pre",
    "code", "strong", "em", "hr", "mjx-container"].map(name => {
        const nodes = area.querySelectorAll(`.jp-RenderedMarkdown ${name}`);
        const style = getComputedStyle(nodes[0]);
        return [name, nodes.length, ...["color", "backgroundColor", "display", "fontFamily",
            "fontSize", "fontWeight", "fontStyle", "lineHeight", "marginTop", "marginBottom",
            "paddingLeft", "textAlign"].map(
                property => `${property}: ${style[property]}`
                    .replace("-webkit-", "").replace("Align: start", "Align: left"))];
    })"""


async def test_an_answer_looks_as_jupyters_own_markdown_does(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    # No task lists: Jupyter shows their brackets as text.
    text = "\n".join(line for line in ENGLISH.splitlines() if not line.startswith("- ["))
    cloud.script(Scenario(text=text))
    notebook = await open_notebook(
        LOAD, "%%cbai\nHi", f"from IPython.display import Markdown\nMarkdown({text!r})"
    )
    await notebook.run_to_end()
    await assert_rendered(notebook, 1)
    await expect(notebook.output(2).locator("mjx-container").first).to_be_visible()
    await expect(notebook.output(2).locator("pre span").first).to_be_visible()
    ours, jupyters = [await notebook.output(index).evaluate(_STYLES) for index in (1, 2)]
    different = [
        (one[0], mine, theirs)
        for one, other in zip(ours, jupyters, strict=True)
        for mine, theirs in zip(one[1:], other[1:], strict=True)
        if mine != theirs
    ]
    assert not different, "\n".join(map(str, different))
    colours = [
        await notebook.output(index)
        .locator("pre span", has_text=re.compile(r"^\s*class\s*$"))
        .first.evaluate("span => [getComputedStyle(span).color, getComputedStyle(span).fontWeight]")
        for index in (1, 2)
    ]
    assert colours[0] == colours[1]
    # From the first line to the last: the space around an answer belongs to the output.
    heights = [
        await notebook.output(index).evaluate(
            """area => {
                const lines = area.querySelectorAll(".jp-RenderedMarkdown :is(h1, p)");
                return Array.from(lines).at(-1).getBoundingClientRect().bottom
                    - lines[0].getBoundingClientRect().top;
            }"""
        )
        for index in (1, 2)
    ]
    await notebook.screenshot(artefacts, "jupyters-own-markdown", cell=2)
    # A line may wrap at a different word.
    assert heights[0] == pytest.approx(heights[1], rel=0.05)


def sum_of(colour: str) -> float:
    """Return the sum of red, green and blue in ``rgb(…)`` or ``rgba(…)``."""
    return sum(float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])


@pytest.mark.each_variant
async def test_saved_and_reopened_the_answer_is_still_there(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    cloud.script(Scenario(text=ENGLISH, rate=400))
    notebook = await open_notebook(LOAD, "%%cbai\nHow does it work?")
    await notebook.run_to_end()
    await notebook.save()
    await notebook.close()
    (output,) = notebook.saved().cells[1].outputs
    assert output["output_type"] == "display_data"
    assert ENGLISH.strip() in output["data"]["text/markdown"]
    again = await open_notebook(file=notebook.file)
    await again.see(1, "with open addressing")
    await assert_rendered(again, 1)
    await again.screenshot(artefacts, "reopened", cell=1)


async def test_a_long_answer_is_shown_to_its_end(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    notebook = await open_notebook(LOAD, "%%cbai -m paced:3000+long:30000+usage:absent -o a\nLong")
    await notebook.add_cell("print('length', len(a.text), a.text[-20:])")
    await notebook.run_to_end()
    await notebook.see(2, "length 30000")
    area = await notebook.output(1).element_handle()
    await notebook.page.wait_for_function("area => area.innerText.length > 20_000", arg=area)
    assert "truncated" not in (await notebook.text(1)).lower()


async def test_the_stop_button_keeps_what_had_arrived(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    said = ("Half ", "an ", "answer ", "never sent")
    cloud.script(Scenario(text=said, faults=(Fault("pause", 3),)))
    notebook = await open_notebook(LOAD, "%%cbai\nHi", "print('not run')")
    await notebook.run_all()
    await notebook.see(1, "Half an answer")
    await notebook.stop()
    await notebook.idle()
    await until(lambda: cloud.last.disconnected, "the request to end")
    await notebook.see(1, "Half an answer")
    assert (await notebook.prompts())[2] == "[ ]:"
    await notebook.screenshot(artefacts, "stopped", cell=1)
    await notebook.save()
    assert "Half an answer" in str(notebook.saved().cells[1].outputs)


async def test_a_failed_prompt_shows_one_line(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    cloud.script("error:AI_MODEL_NOT_FOUND", Scenario(text=ENGLISH, stop_after=60))
    notebook = await open_notebook(LOAD, "%%cbai\nHi", "%%cbai\nHi")
    await notebook.run_to_end()
    await notebook.see(1, "ModelNotFoundError")
    assert "Traceback" not in await notebook.text(1)
    assert (await notebook.prompts())[2] == "[ ]:", "Run All stopped"
    await notebook.run_from(2)
    await notebook.idle()
    await notebook.see(2, "StreamCutError")
    await notebook.screenshot(artefacts, "failed", cell=1)


async def test_an_answer_goes_into_a_widget_of_the_users_own(
    open_notebook: OpenNotebook, cloud: Gateway, artefacts: Path
) -> None:
    cloud.script(Scenario(text=ENGLISH, rate=200))
    notebook = await open_notebook(
        f"{LOAD}\nimport ipywidgets\nbox = ipywidgets.Output(layout={{'border': '1px solid gray'}})\n"
        "ipywidgets.VBox([ipywidgets.HTML('<b>Answers</b>'), box])",
        "%%cbai --into box\nHow does it work?",
    )
    await notebook.run_all()
    await notebook.see(0, "hash table")
    await notebook.idle()
    await notebook.see(0, "with open addressing")
    await expect(notebook.output(0).locator("table td").first).to_be_visible()
    await notebook.screenshot(artefacts, "widget", cell=0)


async def test_code_of_an_answer_becomes_a_cell(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    cloud.script(Scenario(text="Here:\n\n```python\nprint(6 * 7)\n```\n"))
    notebook = await open_notebook(LOAD, "%%cbai --insert\nCode, please")
    await notebook.run_to_end()
    await expect(notebook.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(3)
    await expect(notebook.cell(2)).to_contain_text("print(6 * 7)")
