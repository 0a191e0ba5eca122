"""The chat panel among cells, pages and kernels: shared, reloaded, scrolled, closed, saved."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys

import pytest
from markdown_it import MarkdownIt
from playwright.async_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.leaks import LeakListener
from tests.browser.page import NotebookPage, until
from tests.browser.panel_page import (
    LEFT_BEHIND,
    MAKE,
    NOTHING,
    PanelPage,
    in_kernel,
    left_behind,
    until_in_kernel,
)
from tests.gateway import Fault, Gateway, Scenario

# The number of the last visible word in every frame, until word 1,200.
_LAST_NUMBERS = """() => new Promise(resolve => {
  const seen = window.seen = [];
  const look = () => {
    const shown = [...document.querySelectorAll(".cbai-answer")].filter(
      one => one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().height > 0);
    const words = shown.map(one => one.textContent).join(" ").match(/w\\d+/g);
    if (words) seen.push(Number(words.at(-1).slice(1)));
    seen.at(-1) === 1199 ? resolve(seen) : setTimeout(() => requestAnimationFrame(look));
  };
  look();
})"""

LONG = tuple(
    piece
    for number in range(30)
    for piece in (f"Paragraph {number} ", *["of many words "] * 29, "of many words\n\n")
)

# Measure after the scrolling has ended: during it, positions change.
AT_REST = """node => new Promise(resolve => {
  let last = NaN, frames = 0;
  const look = () => {
    frames = node.scrollTop === last ? frames + 1 : 0;
    last = node.scrollTop;
    frames === 10 ? resolve() : requestAnimationFrame(look);
  };
  look();
})"""


async def test_panels_stream_while_a_cell_sleeps_and_do_not_mix(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    two = "a = cbai.ChatPanel('a'); b = cbai.ChatPanel('b')"
    sleep = "import pathlib, time\nprint('asleep')\nwhile not pathlib.Path('wake').exists(): time.sleep(0.05)"
    notebook = await open_notebook(f"import cbai_notebook as cbai\n{two}\na", "b", sleep)
    wake = notebook.file.with_name("wake")
    for cell in (0, 1):
        await notebook.run_from(cell)
    await notebook.idle()
    first, second = await PanelPage.shown(notebook, 0), await PanelPage.shown(notebook, 1)
    cloud.script("english+paced:100+hold:60", "chinese+paced:100+hold:60")
    await first.ask("in English")
    await expect(first.answer).to_contain_text("hash table keeps pairs")
    await second.ask("in Chinese")
    await expect(second.answer).to_contain_text("李白")
    await notebook.run_from(2)
    await notebook.see(2, "asleep")
    cloud.let_go()
    for panel in (first, second):
        await panel.settled()
    assert await notebook.cell(2).locator(".jp-InputPrompt").inner_text() == "[*]:"
    await expect(first.answer).to_contain_text("In short")
    await expect(second.answer).to_contain_text("总之")
    assert "李白" not in await first.answer.inner_text()
    assert "hash table" not in await second.answer.inner_text()
    wake.touch()
    await notebook.idle()
    wake.unlink()


async def test_cells_and_panel_share_a_conversation_live(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    notebook = await open_notebook(
        "%load_ext cbai_notebook\nimport cbai_notebook as cbai\ncbai.ChatPanel('poems')",
        "%%cbai -c poems\nfrom a cell",
    )
    await notebook.run_from(0)
    await notebook.idle()
    panel = await PanelPage.shown(notebook)
    cloud.script("english+hold:60")
    await notebook.run_from(1)
    await expect(panel.prompts).to_have_text(["from a cell"])
    # The gateway holds the answer until the panel shows its beginning.
    await expect(panel.answer).to_contain_text("hash table keeps pairs")
    cloud.let_go()
    await notebook.idle()
    await expect(panel.answer).to_contain_text("In short")
    await panel.converse("from the panel")
    contents = [message["content"] for message in cloud.last.json["messages"]]
    assert contents[0] == "from a cell"
    assert contents[-1] == "from the panel"


async def test_no_text_goes_away_while_more_comes(panel: PanelPage, cloud: Gateway) -> None:
    tokens = tuple(f"w{number} " + ("\n\n" if number % 60 == 59 else "") for number in range(1200))
    # Held several times, so that the growth is visible in a slow browser too.
    stops = range(100, 1200, 100)
    holds = tuple(Fault("hold", number) for number in stops)
    cloud.always(Scenario(text=tokens, rate=300, faults=holds))
    watching = asyncio.ensure_future(panel.page.evaluate(_LAST_NUMBERS))
    await panel.ask("count")
    for number in stops:
        await panel.page.wait_for_function("last => window.seen.at(-1) === last", arg=number - 1)
        cloud.let_go()
    shown = await watching
    await panel.settled()
    assert shown == sorted(shown), "what was on the screen already went away for a moment"
    # Meanwhile three parts of at least 1,500 characters each were sealed.
    assert len(set(shown)) > 10


async def test_the_reader_stays_at_the_end_or_where_they_are(
    panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always(Scenario(text=LONG))
    await panel.converse("long")
    await expect(panel.answer.locator("p", has_text="Paragraph 29")).to_be_in_viewport()
    jump = panel.root.get_by_role("button", name="Jump to latest")
    await expect(jump).to_be_hidden()
    begin = [LONG.index(f"Paragraph {number} ") for number in (6, 16, 26)]
    holds = tuple(Fault("hold", place + 2) for place in begin)
    cloud.always(Scenario(text=LONG, rate=150, faults=holds))
    await panel.ask("longer")
    await expect(panel.answer).to_contain_text("Paragraph 6 of")
    offset = "node => node.scrollHeight - node.clientHeight + node.scrollTop"
    assert await panel.scroller.evaluate("node => node.scrollTop") == 0
    await panel.scroller.hover()
    await panel.page.mouse.wheel(0, -700)
    await expect(jump).to_be_visible()
    await panel.scroller.evaluate(AT_REST)
    place = await panel.scroller.evaluate(offset)
    cloud.let_go()
    await expect(panel.answer).to_contain_text("Paragraph 16 of")
    moved = await panel.scroller.evaluate(offset) - place
    assert abs(moved) < 4, f"the text under the reader's eyes moved by {moved} px"
    await jump.click()
    await expect(jump).to_be_hidden()
    cloud.let_go()
    await expect(panel.answer).to_contain_text("Paragraph 26 of")
    assert await panel.scroller.evaluate("node => node.scrollTop") == 0
    await panel.stop_button.click()
    await panel.settled()


@pytest.mark.each_variant
async def test_a_long_conversation_is_whole_on_the_screen_also_after_a_reload(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    # Notebook 7 puts tall outputs into a low box; the folded transcript is not tall.
    cloud.always(Scenario(text=LONG))
    await panel.converse("long")
    await expect(notebook.output(0).locator(".cbai-transcript")).to_contain_text("(1 turn)")
    last = panel.answer.locator("p", has_text="Paragraph 29")
    await expect(last).to_be_in_viewport(ratio=1)
    await expect(panel.area).to_be_in_viewport(ratio=1)
    await notebook.save()
    await notebook.page.reload()
    panel = await PanelPage.shown(notebook)
    await expect(last).to_be_in_viewport(ratio=1)
    await expect(panel.area).to_be_in_viewport(ratio=1)


@pytest.mark.each_variant
async def test_a_reload_in_mid_answer_loses_nothing(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.script("say:before")
    await panel.converse("first")
    transcript = notebook.output(0).locator(".cbai-transcript")
    await expect(transcript).to_contain_text("(1 turn)")
    await notebook.save()
    cloud.always("english+paced:100+hold:60")
    await panel.ask("second")
    await expect(panel.answer).to_contain_text("hash table keeps pairs")
    await panel.area.fill("a draft")
    await notebook.page.reload()
    panel = await PanelPage.shown(notebook)
    await expect(panel.prompts).to_have_text(["first", "second"])
    await expect(panel.turns.first).to_contain_text("before")
    await expect(panel.area).to_have_value("a draft")
    await expect(panel.answer).to_contain_text("hash table keeps pairs")
    cloud.let_go()
    await expect(panel.answer).to_contain_text("In short")
    await panel.settled()
    cloud.always("say:after")
    await panel.area.fill("")
    await panel.converse("third")
    await expect(transcript).to_contain_text("(3 turns)")
    await notebook.save()
    assert "third" in str(notebook.saved().cells[0].outputs)


async def test_deleting_the_output_stops_the_answer(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    notebook = await open_notebook(MAKE, "x = 1")
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    cloud.always("english+hang:12")
    await panel.ask("Go on")
    await expect(panel.answer).to_contain_text("hash")
    await notebook.cell(0).locator(".jp-InputArea-editor").click()
    await notebook.choose("Edit", "Clear Cell Output(s)?|Clear Output(s)?")
    await expect(panel.root).to_have_count(0)
    await until(lambda: cloud.last.disconnected, "the request to end")
    # The request ends before the turn, which records the status.
    await until_in_kernel(notebook, "panel.isLoading", False)
    await until_in_kernel(notebook, LEFT_BEHIND, NOTHING)


@pytest.mark.each_variant
async def test_restarting_the_kernel_ends_the_answer_and_a_new_panel_works(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("english+hang:12")
    await panel.ask("Go on")
    await expect(panel.answer).to_contain_text("hash")
    await notebook.page.evaluate(
        "async () => {"
        " await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    await until(lambda: cloud.last.disconnected, "the request to end")
    cloud.always("say:again")
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await panel.converse("hello")
    await expect(panel.answer).to_contain_text("again")


async def test_closing_leaves_nothing_behind(
    notebook: NotebookPage, panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("english+hang:12")
    await panel.ask("Go on")
    await expect(panel.answer).to_contain_text("hash")
    await in_kernel(notebook, "panel.close()")
    await until(lambda: cloud.last.disconnected, "the request to end")
    await expect(panel.root).to_have_count(0)
    await until_in_kernel(notebook, LEFT_BEHIND, NOTHING)
    assert await in_kernel(notebook, "panel.messages[-1]['status']") == "cancelled"


@pytest.mark.each_variant
async def test_the_transcript_is_readable_without_kernel_and_widgets(
    notebook: NotebookPage, panel: PanelPage, open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    cloud.always("english")
    await panel.converse("What is <b>this</b>?")
    await expect(notebook.output(0)).to_contain_text("(1 turn)")
    await notebook.save()
    for form, suffix in (("html", "html"), ("markdown", "md")):
        command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", form, str(notebook.file)]
        subprocess.run(command, check=True, capture_output=True)
        text = notebook.file.with_suffix(f".{suffix}").read_text(encoding="utf-8")
        assert "keeps pairs of" in text
        assert "<b>this</b>" not in text
    # A Markdown parser reads all of it as one HTML block, including blank lines in code.
    (html,) = [
        token.content
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "html_block" and "cbai-transcript" in token.content
    ]
    assert html.rstrip().endswith("</details>")
    assert "return value" in html
    again = await open_notebook(file=notebook.file, wait_for_kernel=False)
    transcript = again.output(0).locator(".cbai-transcript")
    await expect(transcript).to_contain_text("What is <b>this</b>?")
    # The kernel still runs, so the panel is restored too, and folds it; what is unfolded stays so.
    panel = await PanelPage.shown(again)
    await expect(transcript.get_by_text("In short")).to_be_hidden()
    await transcript.locator("summary").click()
    await left_behind(again)
    cloud.always("say:more")
    await panel.converse("And?")
    await expect(transcript).to_contain_text("(2 turns)")
    await expect(transcript.get_by_text("In short")).to_be_visible()
    await again.save()
    await again.page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
    )
    await again.page.reload()
    await expect(transcript.get_by_text("In short")).to_be_visible()


async def test_a_long_transcript_stands_in_parts_also_after_a_reload(
    open_notebook: OpenNotebook, cloud: Gateway
) -> None:
    fill = """
import cbai_notebook as cbai
turns = [(f"question {number}.", f"answer {number}") for number in range(1, 231)]
messages = [
    {"role": role, "content": text} for turn in turns for role, text in zip(("user", "assistant"), turn)
]
cbai.chat("parts").extend(cbai.Conversation.from_messages(messages).turns)
panel = cbai.ChatPanel("parts")
panel
"""
    notebook = await open_notebook(fill)
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    parts = notebook.output(0).locator(".cbai-transcript")
    await expect(parts).to_contain_text(["(turns 31–225)", "(turns 226–230)"])
    await expect(notebook.output(0)).to_contain_text("The last 200 of 230 turns.")
    await expect(panel.turns).to_have_count(20)
    # This answer fills the part, so the next turn needs another one.
    cloud.script(Scenario(text=("many words " * 3_000,)))
    await panel.converse("a long one")
    await expect(parts).to_contain_text(["(turns 31–225)", "(turns 226–231)"])
    await left_behind(notebook)
    await notebook.save()
    await notebook.page.reload()
    panel = await PanelPage.shown(notebook)
    await expect(panel.turns).to_have_count(21)
    cloud.always("say:short")
    await panel.converse("after the reload")
    await expect(parts).to_contain_text(["(turns 31–225)", "(turns 226–231)", "(turn 232)"])
    await panel.converse("the last one")
    await expect(parts).to_contain_text(["(turns 31–225)", "(turns 226–231)", "(turns 232–233)"])
    await parts.last.locator("summary").click()
    await expect(parts.last.get_by_text("the last one")).to_be_visible()
    await notebook.save()
    outputs = "".join(
        str(output.data["text/html"])
        for output in notebook.saved().cells[0].outputs
        if "text/html" in output.data
    )
    prompts = re.findall(r"<hr><p[^>]*><strong>(.*?)</strong>", outputs)
    assert prompts == [
        *(f"question {number}." for number in range(31, 231)),
        "a long one",
        "after the reload",
        "the last one",
    ]


async def test_hostile_answers_run_and_load_nothing(
    notebook: NotebookPage,
    panel: PanelPage,
    open_notebook: OpenNotebook,
    cloud: Gateway,
    leaks: LeakListener,
) -> None:
    run = "console.log('pwned')"
    hostile = "\n\n".join(
        [
            f'<script>{run}</script><img src=x onerror="{run}">',
            f"![image]({leaks.url}/image?secret=1)",
            f'<button data-cbai="delete" data-turn="t1" onclick="{run}">Click</button>',
            f"[link](javascript:{run})",
            f'```"><img src="{leaks.url}/fence">\ncode\n```',
            f"<style>@import '{leaks.url}/style'; .cbai-composer {{display: none}}</style>",
            "![inline](data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7)",
        ]
    )
    cloud.always(Scenario(text=hostile, reasoning=hostile))
    await panel.converse(f'<img src=x onerror="{run}">{leaks.url}')
    await expect(panel.area).to_be_visible()
    await panel.answer.locator(".cbai-reasoning summary").click()
    for link in await panel.answer.locator(".cbai-answer a").all():
        assert str(await link.get_attribute("href")).startswith("http")
    await expect(panel.answer.locator(".cbai-answer img")).to_have_count(1)
    await expect(panel.turns).to_have_count(1)
    await notebook.output(0).locator("summary", has_text="Transcript").click()
    await notebook.save()
    again = await open_notebook(file=notebook.file)
    await again.output(0).locator("summary", has_text="Transcript").click()
    assert leaks.hits == []
    assert notebook.watch.marks == []
    assert notebook.watch.dialogs == []
    assert [url for url in notebook.watch.strangers if not url.startswith("blob:")] == []


async def test_reasoning_is_seen_and_folds_when_the_answer_begins(
    panel: PanelPage, cloud: Gateway
) -> None:
    cloud.always("english+reason+paced:100+tokens:60+hold:10")
    await panel.ask("think")
    fold = panel.answer.locator(".cbai-reasoning details")
    await expect(fold).to_contain_text("The user wants")
    await expect(fold).to_have_attribute("open", "")
    cloud.let_go()
    await expect(panel.answer).to_contain_text("How a hash")
    await expect(fold).not_to_have_attribute("open", "")
    await panel.settled()


async def test_two_hundred_turns_open_fast_and_fold_the_old_ones(
    open_notebook: OpenNotebook, cloud: Gateway, record_property: pytest.RecordProperty
) -> None:
    fill = """
import cbai_notebook as cbai, datetime
from cbai_notebook.conversation import Turn
talk = cbai.chat("many")
for number in range(200):
    turn = Turn(prompt=f"question {number}", created_at=datetime.datetime.now(datetime.timezone.utc), status="complete")
    turn.add(f"## Answer {number}\\n\\n" + "Some **words** and `code`. " * 40, "")
    talk.open(turn).wait(30)
"""
    notebook = await open_notebook(fill, "panel = cbai.ChatPanel('many')\npanel")
    await notebook.run_from(0)
    await notebook.idle()
    await notebook.cell(1).locator(".jp-InputArea-editor").click()
    seconds = await notebook.page.evaluate(
        """async () => {
            const started = performance.now();
            const shown = new Promise(resolve => {
                const look = () => document.body.innerText.includes("Answer 199") ? resolve() : requestAnimationFrame(look);
                look();
            });
            window.jupyterapp.commands.execute("notebook:run-cell");
            await shown;
            return (performance.now() - started) / 1000;
        }"""
    )
    record_property("a panel on 200 turns opens in (s)", round(seconds, 2))
    panel = await PanelPage.shown(notebook, 1)
    await expect(panel.turns).to_have_count(20)
    await panel.scroller.evaluate("node => node.scrollTop = -node.scrollHeight")
    await panel.root.get_by_role("button", name="Show earlier messages (180 hidden)").click()
    await expect(panel.turns).to_have_count(40)
    cloud.always("say:newest")
    await panel.ask("one more")
    await expect(panel.answer).to_contain_text("newest")
    await expect(panel.turns).to_have_count(20)
    assert await in_kernel(notebook, "len(panel.messages)") == 402


async def test_without_credentials_the_panel_says_who_answers(open_notebook: OpenNotebook) -> None:
    notebook = await open_notebook(MAKE, kernel="python3")
    await notebook.run_to_end()
    panel = await PanelPage.shown(notebook)
    await expect(panel.root.locator(".cbai-note")).to_contain_text("offline demo model")
    await expect(panel.root.locator(".cbai-note")).to_contain_text("%cbai login")
    placeholder = await panel.root.locator(".cbai-model").get_attribute("placeholder")
    assert placeholder == "local"
