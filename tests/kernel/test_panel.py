"""The messages of a panel that a frontend gets from a real kernel."""

from __future__ import annotations

import re

import pytest

from tests.gateway import Gateway
from tests.kernel.harness import Cell, Kernel

_LOAD = """
import asyncio, cbai_notebook as cbai, gc, threading, time
from ipywidgets.widgets.widget import _instances
def filled(name, turns):
    messages = [
        {"role": role, "content": content}
        for number in range(turns)
        for role, content in (("user", f"question {number}."), ("assistant", f"answer {number}. " * 60))
    ]
    cbai.chat(name).extend(cbai.Conversation.from_messages(messages).turns)
    return cbai.ChatPanel(name)
def converse(panel, prompt):
    assert panel.send(prompt)
    while panel.isLoading:
        time.sleep(0.01)
def written():
    # The writer ends only when it has written the newest state.
    time.sleep(0.3)
    for thread in threading.enumerate():
        if "transcript" in thread.name:
            thread.join(60)
"""


QUIET_BYTES = 2_000
"""A cell that shows nothing sends fewer bytes: its code, and that it has begun and ended."""


@pytest.fixture
def panels(kernel: Kernel) -> Kernel:
    """Return a kernel with helpers that fill panels and talk with them."""
    kernel.must(_LOAD)
    return kernel


@pytest.mark.parametrize(
    "while_open",
    [
        "",
        "converse(panel, 'hello')",
        "panel.send('hello'); time.sleep(0.1)",
        "converse(panel, 'hello'); panel.regenerate(); panel.use('another'); panel.use('ten')",
        "panel.send('hello'); other = cbai.ChatPanel('ten'); other.widget; other.close(); del other",
    ],
    ids=["shown", "answered", "answering", "switched", "two panels"],
)
def test_a_closed_panel_leaves_no_widget(panels: Kernel, gateway: Gateway, while_open: str) -> None:
    gateway.always("say:one two three")
    panels.must(f"panel = filled('ten', 10)\ndisplay(panel)\n{while_open}\ntime.sleep(0.1)")
    panels.wait_for(lambda: len(panels.comms) > 40, "the widgets of ten turns")
    panels.must("panel.close()\ndel panel")
    panels.wait_for(lambda: not panels.comms, "every comm to be closed")
    assert panels.value("gc.collect() and 0 or len(_instances)") == 0
    assert panels.value("len(get_ipython().kernel.comm_manager.comms)") == 0


@pytest.mark.each_variant
def test_a_click_that_comes_after_closing_makes_no_widget(panels: Kernel) -> None:
    panels.must("panel = filled('late', 50)\ndisplay(panel)")
    panels.must("composer = panel.widget.children[-1]\npanel.close()")
    panels.must("composer._handle_custom_msg({'type': 'act', 'action': 'earlier'}, [])")
    panels.wait_for(lambda: not panels.comms, "every comm to be closed")
    panels.must("cbai.run(asyncio.sleep(0))")  # the click is handled on the same loop
    assert panels.value("len(_instances)") == 0


def prompts_in(cell: Cell) -> list[str]:
    """Return the prompts in the transcript below a panel, in order."""
    return re.findall(r"<hr><p[^>]*><strong>(.*?)</strong>", cell.html)


def the_end(kernel: Kernel) -> None:
    """Wait until a panel has shown and written all that it has: nothing more comes."""
    before = -QUIET_BYTES
    while kernel.bytes - before >= QUIET_BYTES:
        before = kernel.bytes
        kernel.must("written()")


@pytest.mark.each_variant
def test_a_prompt_sends_as_much_after_many_turns_as_after_few(
    panels: Kernel, gateway: Gateway
) -> None:
    gateway.always("say:one two three")
    sent = {}
    for turns in (100, 3_000):
        panels.must(f"panel = filled('of {turns}', {turns})\ndisplay(panel)")
        the_end(panels)
        for number in range(3):
            before = panels.bytes
            panels.must(f"converse(panel, 'prompt {number}')")
            the_end(panels)
            sent[turns, number] = panels.bytes - before
        panels.must("panel.close()")
    assert max(sent.values()) < 60_000
    for number in range(3):
        assert sent[3_000, number] == pytest.approx(sent[100, number], rel=0.1)


def test_the_transcript_holds_the_newest_turns_and_names_the_export(
    panels: Kernel, gateway: Gateway
) -> None:
    gateway.always("say:one two three")
    cell = panels.must("panel = filled('my long talk', 3_000)\ndisplay(panel)")
    the_end(panels)
    assert prompts_in(cell) == [f"question {number}." for number in range(2_800, 3_000)]
    assert "The last 200 of 3,000 turns" in cell.html
    assert "%cbai export --to markdown -c &#x27;my long talk&#x27;" in cell.html
    panels.must("converse(panel, 'prompt')")
    the_end(panels)
    assert prompts_in(cell)[-2:] == ["question 2999.", "prompt"]
    assert "The last 201 of 3,001 turns" in cell.html
    assert cell.html.count("%cbai export") == 1
    assert cell.text.count("> prompt") == 1


def test_the_transcript_follows_the_conversation(panels: Kernel, gateway: Gateway) -> None:
    gateway.always("say:one two three")
    cell = panels.must("panel = cbai.ChatPanel('followed')\ndisplay(panel)\nasked = []")
    panels.must(
        "for number in range(50):\n    converse(panel, f'prompt {number}.')\n"
        "    asked.append(f'prompt {number}.')"
    )
    the_end(panels)
    assert prompts_in(cell) == panels.value("asked")
    changes = (
        "converse(panel, 'one more')",
        "panel.regenerate()\nwhile panel.isLoading: time.sleep(0.01)",
        "panel.conversation.delete(panel.conversation.turns[3])",
        "panel.send('edited', branch_of=panel.conversation.turns[44])\n"
        "while panel.isLoading: time.sleep(0.01)",
        "panel.conversation.choose(panel.conversation.alternatives(panel.conversation.turns[44])[0])",
        "panel.conversation.delete(panel.conversation.turns[-1])",
        "panel.use('another')",
        "converse(panel, 'elsewhere')",
        "panel.use('followed')",
        "panel.conversation.clear()",
    )
    for change in changes:
        panels.must(change)
        the_end(panels)
        assert prompts_in(cell) == panels.value(
            "[turn.prompt for turn in panel.conversation.turns]"
        ), change
    assert len(cell.outputs) <= 6


def test_the_oldest_turns_leave_the_transcript(panels: Kernel, gateway: Gateway) -> None:
    gateway.always("say:ok")
    cell = panels.must("panel = filled('moving', 300)\ndisplay(panel)")
    the_end(panels)
    panels.must("for number in range(220):\n    converse(panel, f'prompt {number}.')")
    the_end(panels)
    prompts = prompts_in(cell)
    assert prompts == panels.value(
        f"[turn.prompt for turn in panel.conversation.turns[-{len(prompts)}:]]"
    )
    assert 200 <= len(prompts) <= 400
