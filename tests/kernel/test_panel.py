"""The messages of a panel that a frontend gets from a real kernel."""

from __future__ import annotations

import pytest

from tests.gateway import Gateway
from tests.kernel.harness import Kernel

_LOAD = """
import cbai_notebook as cbai, gc, time
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
"""


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


def test_a_click_that_comes_after_closing_makes_no_widget(panels: Kernel) -> None:
    panels.must("panel = filled('late', 50)\ndisplay(panel)")
    panels.must("composer = panel.widget.children[-1]\npanel.close()")
    panels.must("composer._handle_custom_msg({'type': 'act', 'action': 'earlier'}, [])")
    panels.must("time.sleep(0.2)")
    assert panels.value("len(_instances)") == 0
