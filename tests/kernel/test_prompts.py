"""What a real kernel sends of a cell, and which lines it does not send."""

from __future__ import annotations

from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import Kernel, assert_one_readable_line


def test_a_prompt_arrives_as_it_is_written(kernel: Kernel, gateway: Gateway) -> None:
    prompt = "  What is wrong here?\n>>> 1 + '1'\n    \n... TypeError\n!ls\nIn [1]: why?"
    kernel.must(f"%%cbai --no-history\n{prompt}")
    assert gateway.last.json["messages"][-1]["content"] == prompt
    kernel.must("%cbai\t--no-history >>> why?")
    assert gateway.last.json["messages"][-1]["content"] == ">>> why?"


def test_a_question_beside_load_ext_fails_its_cell(
    start_kernel: StartKernel, gateway: Gateway
) -> None:
    kernel = start_kernel(**gateway_variables(gateway))
    cell = kernel.run("%load_ext cbai_notebook\n%cbai Why is the sky blue?")
    assert_one_readable_line(cell)
    assert "Put %load_ext in a cell of its own" in cell.error["evalue"]
    assert "not found" not in cell.text
    assert not gateway.requests
    kernel.must("%load_ext cbai_notebook")
    kernel.must("%cbai Why is the sky blue?")
    assert gateway.last.json["messages"][-1]["content"] == "Why is the sky blue?"


def test_a_mistyped_command_costs_nothing(kernel: Kernel, gateway: Gateway) -> None:
    cell = kernel.run("%cbai histroy -c \x1b[31mpoems")
    assert_one_readable_line(cell)
    assert "%cbai history?" in cell.error["evalue"]
    assert "\x1b" not in cell.error["evalue"]
    assert "\x1b" not in "".join(cell.error["traceback"])
    assert not gateway.requests
