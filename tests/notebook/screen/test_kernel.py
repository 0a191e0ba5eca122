"""An answer in a real kernel: which cell gets its outputs, and the size of its messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.kernel

SETUP = """
import threading
from cbai_notebook.notebook.screen import CellSurface, Facts, OutputSurface, Screen
go, gone = threading.Event(), threading.Event()
"""

START = """
screen = Screen(CellSurface(owns_cell=True), format="text")
screen.text("started here")

def later():
    go.wait(60)
    screen.text(", continued from a thread")
    screen.reasoning("late thought")
    screen.finish("complete", footer=Facts(label="local"))
    gone.set()

threading.Thread(target=later).start()
"""


@pytest.fixture
def kernel() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel()
    try:
        run(client, SETUP)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, code: str) -> tuple[str, list[dict[str, Any]]]:
    """Run a cell; return its id and every output message until its end, of any cell."""
    cell = client.execute(code)
    messages = []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["msg_type"] in {"display_data", "update_display_data", "clear_output", "stream"}:
            messages.append(message)
        if message["msg_type"] == "error":
            raise AssertionError("\n".join(message["content"]["traceback"]))
        ours = message["parent_header"].get("msg_id") == cell
        if ours and message["content"].get("execution_state") == "idle":
            return cell, messages


def test_an_answer_reaches_its_cell_while_another_runs(kernel: BlockingKernelClient) -> None:
    first, before = run(kernel, START)
    second, during = run(kernel, "print('other cell'); go.set(); gone.wait(60)")
    assert first != second
    ours = [m for m in before + during if m["msg_type"] != "stream"]
    assert {m["parent_header"]["msg_id"] for m in ours} == {first}
    printed = [m for m in during if m["msg_type"] == "stream"]
    assert {m["parent_header"]["msg_id"] for m in printed} == {second}
    assert ours[-1]["content"]["data"]["text/plain"].startswith(
        "started here, continued from a thread"
    )


def test_what_was_printed_before_stays_before(kernel: BlockingKernelClient) -> None:
    _, messages = run(
        kernel,
        "print('before', end='')\n"
        "screen = Screen(CellSurface(owns_cell=False), format='text')\n"
        "thread = threading.Thread(target=screen.text, args=('the answer',))\n"
        "thread.start(); thread.join()",
    )
    assert [m["msg_type"] for m in messages] == ["stream", "display_data"]


def test_merging_clears_only_when_the_new_output_comes(kernel: BlockingKernelClient) -> None:
    _, messages = run(
        kernel,
        "screen = Screen(CellSurface(owns_cell=True), format='text')\n"
        "screen.reasoning('a thought')\n"
        "screen.text('the answer')\n"
        "screen.finish('complete')",
    )
    kinds = [m["msg_type"] for m in messages]
    assert kinds[-2:] == ["clear_output", "display_data"]
    assert messages[-2]["content"] == {"wait": True}


def test_an_output_widget_streams_while_its_cell_is_long_done(
    kernel: BlockingKernelClient,
) -> None:
    run(kernel, "import ipywidgets\nout = ipywidgets.Output()")
    run(
        kernel,
        "screen = Screen(OutputSurface(out), format='text')\n"
        "def later():\n"
        "    go.wait(60)\n"
        "    screen.text('from a thread')\n"
        "    screen.finish('complete')\n"
        "    gone.set()\n"
        "threading.Thread(target=later).start()",
    )
    _, messages = run(kernel, "go.set(); gone.wait(60); print(out.outputs[0]['data'])")
    printed = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
    assert "'text/plain': 'from a thread'" in printed


def test_an_answer_is_as_light_on_the_wire_as_it_is_said_to_be(
    kernel: BlockingKernelClient,
) -> None:
    _, messages = run(
        kernel,
        "from tests.notebook.screen.recording import Clock, markdown, play, tokens\n"
        "clock = Clock()\n"
        "screen = Screen(CellSurface(owns_cell=True), clock=clock)\n"
        "play(screen, clock, tokens(markdown(10_500), 1500), per_s=60)\n"
        "screen.finish('complete', footer=Facts(label='local'))",
    )
    weights = [weight(message) for message in messages]
    assert 60 < len(messages) < 400
    assert sum(weights) <= 800_000
    headers = min(weights) - len(json.dumps(messages[0]["content"]))
    assert headers <= 1000


def weight(message: dict[str, Any]) -> int:
    parts = ("header", "parent_header", "metadata", "content")
    return sum(
        len(json.dumps(message[part], default=str, ensure_ascii=False).encode()) for part in parts
    )
