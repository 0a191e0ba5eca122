"""The offline model in a kernel: it answers without configuration, and ends with the kernel."""

from __future__ import annotations

import psutil
import pytest

from tests.kernel.conftest import StartKernel
from tests.kernel.harness import PATIENCE, Kernel

pytestmark = pytest.mark.local_model

# The first use may download 93 MB.
FIRST_USE = 300.0


@pytest.fixture
def offline(start_kernel: StartKernel) -> Kernel:
    """A kernel without configuration that has had one answer, so that the model is running."""
    kernel = start_kernel()
    kernel.must("%load_ext cbai_notebook")
    cell = kernel.run("%cbai --max-tokens 8 用中文说你好。", FIRST_USE)
    assert cell.status == "ok", cell.outputs
    assert "offline demo model" in cell.html
    assert cell.html.count("%cbai login") == 1, "one hint is enough"
    return kernel


def test_killed_kernel_leaves_no_process_behind(offline: Kernel) -> None:
    children = offline.children()
    assert children, "the model is a process of its own"
    cell = offline.send("%cbai --max-tokens 400 Count from one to one hundred.")
    shown = len(cell.html)
    offline.wait_for(lambda: len(cell.html) > shown + 50, "an answer that grows")
    offline.kill()
    _, alive = psutil.wait_procs(children, PATIENCE)
    assert alive == []


def test_restart_and_shutdown_end_the_model_too(offline: Kernel) -> None:
    children = offline.children()
    offline.restart()
    _, alive = psutil.wait_procs(children, PATIENCE)
    assert alive == []


def test_interrupt_leaves_the_model_ready(offline: Kernel) -> None:
    cell = offline.send("%cbai --max-tokens 400 Count from one to one hundred.")
    offline.wait_for(lambda: len(cell.html) > 300, "an answer that grows")
    offline.interrupt()
    assert offline.finish(cell).status == "error"
    assert offline.run("%cbai --max-tokens 8 Say hello.", FIRST_USE).status == "ok"
