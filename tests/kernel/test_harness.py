"""The kernel harness itself, with plain cells: the basis of the other kernel tests."""

from __future__ import annotations

import psutil
import pytest

from tests.kernel.conftest import StartKernel

pytestmark = pytest.mark.each_variant


def test_kernel_runs_the_ipykernel_that_was_asked_for(
    start_kernel: StartKernel, ipykernel_path: str
) -> None:
    kernel = start_kernel()
    version = kernel.value("__import__('ipykernel').__version__")
    major = int(version.split(".")[0])
    assert (major == 6) if ipykernel_path else (major >= 7)


def test_queued_cells_run_in_order(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    cells = [kernel.send(f"order = [*globals().get('order', []), {i}]") for i in range(20)]
    for cell in cells:
        assert kernel.finish(cell).status == "ok"
    assert kernel.value("order") == list(range(20))


def test_an_error_aborts_what_is_queued(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    waiting = kernel.send("input(); 1/0")
    behind = kernel.send("print('never')")
    kernel.answer_prompt("")
    assert kernel.finish(waiting).status == "error"
    assert kernel.finish(behind).status == "aborted"
    assert waiting.error["ename"] == "ZeroDivisionError"


def test_display_updates_replace_what_is_on_screen(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    cell = kernel.must(
        "from IPython.display import display, HTML, clear_output\n"
        "gone = display(HTML('gone'), display_id=True); clear_output(wait=True)\n"
        "kept = display(HTML('first'), display_id=True); kept.update(HTML('second'))"
    )
    assert cell.html == "second"
    assert cell.bytes > 0


def test_interrupt_reaches_a_running_cell(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    cell = kernel.send("print('started', flush=True)\nimport time\nwhile True: time.sleep(0.05)")
    kernel.wait_for(lambda: "started" in cell.stdout, "the loop to start")
    kernel.interrupt()
    assert kernel.finish(cell).status == "error"
    assert cell.error["ename"] == "KeyboardInterrupt"


def test_kernel_restarts_with_nothing_left(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.must("left = 1")
    before = kernel.pid
    kernel.restart()
    assert kernel.pid != before
    assert kernel.value("'left' in globals()") is False


def test_prompts_and_completion_are_answered(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    cell = kernel.send("import getpass; got = getpass.getpass('Key: ')")
    assert kernel.answer_prompt("secret") == ("Key: ", True)
    assert kernel.finish(cell).status == "ok"
    assert kernel.value("got") == "secret"
    assert "getpass" in kernel.complete("import getpa")


def test_killed_kernel_is_gone(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    pid = kernel.pid
    kernel.kill()
    assert not psutil.pid_exists(pid)
