"""Tools of servers, called by a model from a cell and from a panel of a real kernel."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.kernel.harness import PATIENCE, Kernel
from tests.mcp_servers.conftest import PLAIN, SDK

DEFINE = f"""
import cbai_notebook as cbai
plain = cbai.mcp({PLAIN!r})
"""


def running(kernel: Kernel) -> list[psutil.Process]:
    """Return the processes below a kernel that still run: two for each server."""
    return [each for each in kernel.children() if _runs(each)]


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it ended just now
        return False


def wait_until(seen: Callable[[], bool]) -> None:
    """Wait for what no message of the kernel tells, such as the end of a process."""
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_cell_starts_a_server_asks_and_calls(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(DEFINE)
    assert kernel.children() == [], "nothing starts before it is used"
    for answer, result in (("y", "3"), ("n", "Refused")):
        gateway.script(calling(Call("add", {"x": 2})), "say:Done.")
        cell = kernel.send("%%cbai --tool plain.add\nAdd")
        prompt, _ = kernel.answer_prompt(answer)
        asks = "The model wants to run add of the server plain_server:"
        assert prompt == f'{asks}\n  "x": 2\nAllow it? [y/N] '
        assert "Done." in kernel.finish(cell).html
        told = sum("Starting plain_server …" in str(each.get("content")) for each in cell.messages)
        assert told == (1 if answer == "y" else 0), "only while it starts"
        assert "Starting" not in cell.html
        assert gateway.last.json["messages"][-1]["content"].startswith(result)
        (sent,) = gateway.last.json["tools"]
        assert sent["function"]["name"] == "add"
    assert "plain.add" in kernel.complete("%%cbai --tool plain.a")
    # A crash of the server is a result that the model reads; the loop goes on.
    kernel.must("plain = cbai.mcp(plain.target.words, trust=True)")
    gateway.script(calling("crash"), calling(Call("add", {"x": 4})), "say:Five.")
    cell = kernel.must("%%cbai --tool plain\nCrash")
    assert "Five." in cell.html
    assert "MemoryError: too much" in cell.html
    kernel.must("plain.close()\nimport gc; gc.collect()  # the first server has gone, too")
    wait_until(lambda: not running(kernel))


def test_an_interrupt_gives_the_prompt_back(
    kernel: Kernel, gateway: Gateway, tmp_path: Path, record_property: Any
) -> None:
    env = {"WAITING": str(tmp_path / "waiting")}
    kernel.must(DEFINE + f"plain = cbai.mcp(plain.target.words, trust=True, env={env})")
    gateway.script(calling("wait"))
    cell = kernel.send("%%cbai --tool plain\nWait")
    wait_until(lambda: (tmp_path / "waiting").exists())
    pressed = time.monotonic()
    kernel.interrupt()
    assert kernel.finish(cell).status == "error"
    record_property("interrupt_of_a_call_s", round(time.monotonic() - pressed, 3))
    assert kernel.value("cbai.run(plain.call('add', {'x': 1})).text") == "2"
    # So does an interrupt of a start that never ends.
    kernel.must("silent = cbai.mcp([*plain.target.words, 'silent'])")
    cell = kernel.send("%%cbai --tool silent\nGo")
    wait_until(lambda: len(running(kernel)) == 4)
    pressed = time.monotonic()
    kernel.interrupt()
    assert kernel.finish(cell).status == "error"
    record_property("interrupt_of_a_start_s", round(time.monotonic() - pressed, 3))
    wait_until(lambda: len(running(kernel)) == 2)


def test_a_session_that_a_cell_has_opened(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "import sys\nimport cbai_notebook as cbai\n"
        "from mcp.client import Client\nfrom mcp.client.stdio import StdioServerParameters\n"
        f"client = Client(StdioServerParameters(command=sys.executable, args={SDK[1:]!r}))\n"
        "await client.__aenter__()\nserver = cbai.mcp(client, trust=True)"
    )
    gateway.script(calling(Call("add", {"x": 2})), "say:Three.")
    assert "Three." in kernel.must("%%cbai --tool server\nAdd").html
    assert gateway.last.json["messages"][-1]["content"] == "3"
    gateway.script(calling("picture"), "say:One point.")
    assert 'src="data:image/png;base64,iVBOR' in kernel.must("%%cbai --tool server\nDraw").html
    # The panel runs on the same loop, which is free between cells.
    gateway.script(calling(Call("add", {"x": 3})), "say:Four.")
    kernel.must("panel = cbai.ChatPanel('sums', tools=[server])\nassert panel.send('Add')")
    wait_until(lambda: not kernel.value("panel.isLoading"))
    assert kernel.value("panel.messages[-1]['content']") == "Four."


def test_a_panel_has_the_tools_of_a_server(kernel: Kernel, gateway: Gateway) -> None:
    make = "panel = cbai.ChatPanel('sums', tools=[cbai.mcp(plain.target.words, trust='add')])"
    cell = kernel.must(f"{DEFINE}print('before')\n{make}")
    assert any("Starting plain_server …" in str(each.get("content")) for each in cell.messages)
    assert "Starting" not in cell.html + cell.text
    assert cell.stdout == "before\n", "what else the cell has shown stays"
    gateway.script(calling(Call("add", {"x": 3})), "say:Four.")
    kernel.must("assert panel.send('Add')")
    wait_until(lambda: not kernel.value("panel.isLoading"))
    assert kernel.value("[m['content'] for m in panel.messages[-2:]]") == ["4", "Four."]
