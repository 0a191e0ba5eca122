"""The stop button: the request ends, the received text is kept, the kernel is ready again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import Fault, Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.kernel.harness import Kernel


def interrupt_and_measure(kernel: Kernel, gateway: Gateway, record_property: Any) -> None:
    """Interrupt, wait until the gateway notices it, and record the time that took."""
    pressed = time.monotonic()
    kernel.interrupt()
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert gateway.last.disconnected_at is not None
    record_property("interrupt_to_disconnect_s", round(gateway.last.disconnected_at - pressed, 3))


@pytest.mark.each_variant
def test_interrupt_in_the_middle_keeps_the_partial_answer(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    # The gateway sends nothing after these words, so only the interrupt can end the request.
    gateway.script(
        Scenario(text=("Half ", "an ", "answer ", "never sent"), faults=(Fault("pause", 3),))
    )
    cell = kernel.send("%%cbai\nHi")
    kernel.wait_for(lambda: "Half an answer" in cell.html, "the first words")
    interrupt_and_measure(kernel, gateway, record_property)
    kernel.finish(cell)
    assert cell.status == "error"
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert "Half an answer" in cell.html
    assert "stopped" in cell.html
    assert "cancelled" not in cell.html
    assert kernel.value("1 + 1") == 2


@pytest.mark.each_variant
def test_interrupt_stops_the_demo_model_too(kernel: Kernel) -> None:
    kernel.must("import cbai_notebook as cbai\ncbai.demo('Half an answer ' * 10_000, pace=0.1)")
    cell = kernel.send("%%cbai -m demo\nHi")
    kernel.wait_for(lambda: "Half an answer" in cell.html, "the first words")
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    status, text = kernel.value("[cbai.chat().messages[-1][key] for key in ('status', 'content')]")
    assert status == "cancelled"
    assert text.startswith("Half an answer")
    assert len(text) < 10_000


@pytest.mark.each_variant
def test_interrupt_ends_a_slow_stream_before_its_next_token(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    # The next token comes late enough for a busy machine.
    cell = kernel.send("%%cbai -m tokens:100+pause:2:60\nHi")
    gateway.wait_until(lambda: gateway.requests and gateway.last.tokens_sent >= 2)
    interrupt_and_measure(kernel, gateway, record_property)
    assert gateway.last.tokens_sent == 2
    assert kernel.finish(cell).status == "error"


@pytest.mark.each_variant
@pytest.mark.parametrize(
    "options", ["-m hang:headers", "-m hang:body", "--no-stream -m hang:headers"]
)
def test_interrupt_before_the_first_token(
    kernel: Kernel, gateway: Gateway, options: str, record_property: Any
) -> None:
    cell = kernel.send(f"%%cbai {options}\nHi")
    gateway.wait_until(lambda: gateway.requests)
    interrupt_and_measure(kernel, gateway, record_property)
    assert kernel.finish(cell).status == "error"
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert kernel.value("1 + 1") == 2


@pytest.mark.each_variant
def test_an_interrupted_turn_is_kept_once(kernel: Kernel, gateway: Gateway) -> None:
    gateway.script(
        Scenario(text=("Half", " more"), faults=(Fault("pause", 1),)), Scenario(text="Whole")
    )
    cell = kernel.send("%%cbai\nFirst")
    kernel.wait_for(lambda: "Half" in cell.html, "the first word")
    kernel.interrupt()
    kernel.finish(cell)
    kernel.must("%%cbai\nSecond")
    messages = kernel.value(
        "[(m['role'], m['content'], m['status']) for m in __import__('cbai_notebook').chat().messages]"
    )
    assert [message[:2] for message in messages] == [
        ["user", "First"],
        ["assistant", "Half"],
        ["user", "Second"],
        ["assistant", "Whole"],
    ]
    assert messages[1][2] == "cancelled"
    roles = [message["role"] for message in gateway.last.json["messages"]]
    assert all(roles[i : i + 2] != ["user", "user"] for i in range(len(roles)))


@pytest.mark.each_variant
def test_interrupt_stops_what_cbai_run_waits_for(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    gateway.always("hang:2")
    kernel.must("import cbai_notebook as cbai; model = cbai.create_model('cloudbase')")
    cell = kernel.send(
        "cbai.run(model.generate_text(messages=[dict(role='user', content='Hi')], model='m'))"
    )
    gateway.wait_until(lambda: gateway.requests)
    interrupt_and_measure(kernel, gateway, record_property)
    assert kernel.finish(cell).status == "error"
    assert kernel.value("1 + 1") == 2


@pytest.mark.each_variant
def test_interrupt_stops_a_top_level_await(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    gateway.always("hang:headers")
    kernel.must("import cbai_notebook as cbai; model = cbai.create_model('cloudbase')")
    cell = kernel.send(
        "await model.generate_text(messages=[dict(role='user', content='Hi')], model='m')"
    )
    gateway.wait_until(lambda: gateway.requests)
    interrupt_and_measure(kernel, gateway, record_property)
    assert kernel.finish(cell).status == "error"
    assert kernel.value("1 + 1") == 2


# Tools that do not end when they are told to. Each leaves a file when it has begun, and one when it
# has ended.
TOOLS = """
import asyncio, time
from pathlib import Path
import cbai_notebook as cbai

def deaf() -> str:
    '''Go on after the first interrupt, which can come only while it sleeps.'''
    until = time.monotonic() + SLEEP_S
    def sleep():
        while time.monotonic() < until:
            Path(FOLDER, "begun").touch()
            time.sleep(0.05)
    try:
        sleep()
    except BaseException:
        sleep()
    Path(FOLDER, "ended").touch()
    return "never sent"

async def stubborn() -> str:
    '''Swallow the cancellation.'''
    Path(FOLDER, "begun").touch()
    until = time.monotonic() + SLEEP_S
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
    Path(FOLDER, "ended").touch()
    return "never sent"

nested = cbai.tool(stubborn, name="nested", nested=True)

async def blocking() -> str:
    '''Hold the event loop.'''
    Path(FOLDER, "begun").touch()
    time.sleep(SLEEP_S)
    Path(FOLDER, "ended").touch()
    return "never sent"
"""


@pytest.mark.parametrize("tool", ["deaf", "stubborn", "nested", "blocking"])
def test_the_next_cell_runs_while_a_stopped_tool_goes_on(
    kernel: Kernel, gateway: Gateway, tool: str, tmp_path: Path
) -> None:
    gateway.script(calling(Call(tool, {}), text="Let me see."), "say:Next.")
    kernel.must(f"SLEEP_S, FOLDER = 6, {str(tmp_path)!r}\n{TOOLS}")
    cell = kernel.send(f"%%cbai --tool {tool}\nGo")
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert f"{tool} still runs: its function cannot be stopped." in cell.text
    # The tool goes on in these cells, and the turn has its end already.
    statuses = "[m['status'] for m in __import__('cbai_notebook').chat().messages][-1]"
    assert kernel.value(f"[Path(FOLDER, 'ended').exists(), {statuses}]") == [False, "cancelled"]
    shown = cell.html
    kernel.must("while not Path(FOLDER, 'ended').exists(): await asyncio.sleep(0.02)")
    kernel.must("%%cbai\nNext")
    assert [message["role"] for message in gateway.last.json["messages"]] == [
        "user",
        "assistant",
        "user",
    ]
    assert "never sent" not in str(gateway.last.json)
    assert cell.html == shown


@pytest.mark.each_variant
def test_a_prompt_behind_a_tool_that_holds_the_loop_says_so(
    kernel: Kernel, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.script(calling(Call("blocking", {})), "say:Next.")
    kernel.must(f"SLEEP_S, FOLDER = 6, {str(tmp_path)!r}\n{TOOLS}")
    cell = kernel.send("%%cbai --tool blocking\nGo")
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    kernel.interrupt()
    kernel.finish(cell)
    behind = kernel.send("%%cbai\nNever sent")
    kernel.wait_for(
        lambda: "Waiting for blocking, which still runs, then for cloudbase" in behind.html,
        "what it waits for",
    )
    kernel.interrupt()
    assert kernel.finish(behind).error["ename"] == "KeyboardInterrupt"
    assert "blocking still runs: its function cannot be stopped." in behind.text
    kernel.must("while not Path(FOLDER, 'ended').exists(): time.sleep(0.02)")
    after = kernel.must("%%cbai\nNext")
    assert "Next." in after.text
    assert "Never sent" not in str(gateway.last.json)
    gateway.script("hang:headers")
    after = kernel.send("%%cbai\nWait")
    kernel.wait_for(lambda: "Waiting for cloudbase" in after.html, "the usual line")
    kernel.interrupt()
    assert "still runs" not in kernel.finish(after).text


@pytest.mark.each_variant
def test_the_next_cell_runs_while_a_stopped_prompt_cleans_up(
    kernel: Kernel, gateway: Gateway, tmp_path: Path
) -> None:
    kernel.must(
        f"FOLDER = {str(tmp_path)!r}\nimport asyncio, cbai_notebook as cbai\nfrom pathlib import Path\n"
        "async def slow(messages):\n"
        "    Path(FOLDER, 'begun').touch()\n"
        "    try:\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        await asyncio.sleep(60)\n"
        "cbai.configure(before_send=slow)"
    )
    cell = kernel.send("%%cbai\nGo")
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    kernel.interrupt()
    assert kernel.finish(cell).error["ename"] == "KeyboardInterrupt"
    kernel.must("cbai.configure(before_send=None)")
    gateway.script("say:It works.")
    assert "It works." in kernel.must("%%cbai\nAgain").text


# `before_send` functions that take an interrupt for themselves and return as if nothing had been.
HOOKS = """
import asyncio, time
from pathlib import Path
import cbai_notebook as cbai

async def waits(messages):
    Path(FOLDER, "begun").touch()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        pass
    Path(FOLDER, "ended").touch()
    return messages

def blocks(messages):
    until = time.monotonic() + 4
    def sleep():
        while time.monotonic() < until:
            Path(FOLDER, "begun").touch()
            time.sleep(0.05)
    try:
        sleep()
    except BaseException:
        sleep()
    Path(FOLDER, "ended").touch()
    return messages

model = cbai.create_model("cloudbase")
go = dict(model="m", messages=[dict(role="user", content="Go")])
"""


@pytest.mark.parametrize("hook", ["waits", "blocks"])
@pytest.mark.parametrize(
    "asked",
    [
        "%%cbai\nGo",
        "%%cbai --no-history --no-stream\nGo",
        "cbai.run(model.generate_text(**go))",
        "await model.stream_text(**go)",
    ],
)
def test_nothing_is_sent_when_before_send_swallows_the_interrupt(
    kernel: Kernel, gateway: Gateway, hook: str, asked: str, tmp_path: Path
) -> None:
    kernel.must("%%cbai --no-history\nThe connection is open.")
    kernel.must(f"FOLDER = {str(tmp_path)!r}\n{HOOKS}\ncbai.configure(before_send={hook})")
    cell = kernel.send(asked)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.status == "error"
    assert cell.error["ename"] in ("KeyboardInterrupt", "CancelledError")
    if hook == "blocks":
        assert kernel.value("Path(FOLDER, 'ended').exists()") is False
    if "%%cbai" in asked and hook == "blocks":
        assert "before_send still runs: its function cannot be stopped." in cell.text
    kernel.must("while not Path(FOLDER, 'ended').exists(): time.sleep(0.02)")
    kernel.must("cbai.configure(before_send=None)")
    kernel.must("%%cbai\nNext")
    assert [exchange.json["messages"][-1]["content"] for exchange in gateway.requests] == [
        "The connection is open.",
        "Next",
    ]


# What goes on after the interrupt, and fails when nobody waits for it any more.
LATE = """
import asyncio, logging
from pathlib import Path
import cbai_notebook as cbai

class Records(logging.Handler):
    def emit(self, record):
        reported.append(record.getMessage())

reported = []
logging.getLogger("asyncio").addHandler(Records())

async def late(messages: list[str] = []) -> str:
    '''Fail after the interrupt.'''
    Path(FOLDER, "begun").touch()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    Path(FOLDER, "ended").touch()
    raise ValueError("too late")

nested = cbai.tool(late, name="nested", nested=True)
"""


@pytest.mark.parametrize(
    "asked",
    [
        "%%cbai --tool late\nGo",
        "%%cbai --tool nested\nGo",
        "cbai.configure(before_send=late)\nget_ipython().run_cell_magic('cbai', '', 'Go')",
        "cbai.run(late())",
        "cbai.run(late(), nested=True)",
    ],
    ids=["tool", "nested tool", "before_send", "run", "nested run"],
)
def test_an_error_after_the_stop_is_not_printed(
    kernel: Kernel, gateway: Gateway, asked: str, tmp_path: Path
) -> None:
    gateway.always(calling(Call("nested" if "--tool nested" in asked else "late", {})))
    kernel.must(f"FOLDER = {str(tmp_path)!r}\n{LATE}")
    cell = kernel.send(asked)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    kernel.must("while not Path(FOLDER, 'ended').exists(): await asyncio.sleep(0.02)")
    kernel.must("import gc; await asyncio.sleep(0.1); gc.collect()")
    assert kernel.value("reported") == []
    assert "too late" not in cell.text


# The display hook of a user, for whom the stop button is clicked in the middle of a publish.
STOPS = """
import signal, sys
import cbai_notebook as cbai
sys.path.insert(0, FOLDER)
clicked, begun, ended = False, 0, 0

def stop(message):
    global clicked, begun, ended
    begun += 1
    if WORDS in str(message) and not clicked:
        clicked = True
        import clicks
    ended += 1
    return message

get_ipython().display_pub.register_hook(stop)
"""


def stop_in_a_publish(kernel: Kernel, folder: Path, *, words: str = "", clicks: int = 1) -> None:
    """Let the first publish of these words from now on import a module in which stop is clicked."""
    click = "signal.raise_signal(signal.SIGINT)\n"
    (folder / "clicks.py").write_text(f"import signal\n{click * clicks}whole = True\n")
    kernel.must(f"FOLDER, WORDS = {str(folder)!r}, {words!r}\n{STOPS}")


@pytest.mark.each_variant
@pytest.mark.parametrize("line", ["%%cbai", "%%cbai --models say:A,hang:headers", "%%cbai --draw"])
def test_an_interrupt_tears_no_publish_and_no_import(
    kernel: Kernel, gateway: Gateway, line: str, tmp_path: Path
) -> None:
    stop_in_a_publish(kernel, tmp_path)
    gateway.always("hang:headers")
    cell = kernel.run(f"{line}\nGo")
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert "Waiting" not in cell.html
    assert "Drawing" not in cell.html
    assert kernel.value("[begun - ended, sys.modules['clicks'].whole]") == [0, True]
    gateway.always("say:It works.")
    assert "It works." in kernel.must("%%cbai\nAgain").text


def test_a_second_interrupt_does_not_wait(kernel: Kernel, gateway: Gateway, tmp_path: Path) -> None:
    stop_in_a_publish(kernel, tmp_path, clicks=2)
    gateway.script("hang:headers")
    assert kernel.run("%%cbai\nGo").error["ename"] == "KeyboardInterrupt"
    assert kernel.value("[begun - ended, 'clicks' in sys.modules]") == [1, False]


def test_a_child_forked_meanwhile_can_be_interrupted(kernel: Kernel, gateway: Gateway) -> None:
    kernel.must(
        "import os, signal\n"
        "codes = []\n"
        "def fork(message):\n"
        "    if not (child := os.fork()):\n"
        "        try:\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "        except KeyboardInterrupt:\n"
        "            os._exit(7)\n"
        "        os._exit(1)\n"
        "    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "    return message\n"
        "get_ipython().display_pub.register_hook(fork)"
    )
    gateway.script("say:Done.")
    assert "Done." in kernel.must("%%cbai\nHi").text
    assert set(kernel.value("codes")) == {7}


def test_an_interrupt_in_the_last_publish_leaves_the_whole_answer(
    kernel: Kernel, gateway: Gateway, tmp_path: Path
) -> None:
    stop_in_a_publish(kernel, tmp_path, words="first token")  # they are in the footer
    gateway.script("say:The whole answer.")
    cell = kernel.run("%%cbai\nHi")
    assert kernel.value("[begun - ended, sys.modules['clicks'].whole]") == [0, True]
    assert cell.error["ename"] == "KeyboardInterrupt"
    assert "The whole answer." in cell.text
    assert "stopped" not in cell.text


def test_an_interrupt_goes_to_the_handler_of_the_user(
    kernel: Kernel, gateway: Gateway, tmp_path: Path
) -> None:
    stop_in_a_publish(kernel, tmp_path)
    gateway.always("say:Goes on.")
    cell = kernel.must(
        "came = []\n"
        "def note(*_): came.append(1)\n"
        "signal.signal(signal.SIGINT, note)\n"
        "get_ipython().run_cell_magic('cbai', '', 'Hi')\n"
        "assert signal.getsignal(signal.SIGINT) is note\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "get_ipython().run_cell_magic('cbai', '', 'And now')\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    assert cell.text.count("Goes on.") == 2
    assert kernel.value("came") == [1]
