"""The stop button: the request ends, the received text is kept, the kernel is ready again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gateway import Fault, Gateway, Scenario
from tests.kernel.harness import Kernel


def interrupt_and_measure(kernel: Kernel, gateway: Gateway, record_property: Any) -> None:
    """Interrupt, wait until the gateway notices it, and record the time that took."""
    pressed = time.monotonic()
    kernel.interrupt()
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert gateway.last.disconnected_at is not None
    record_property("interrupt_to_disconnect_s", round(gateway.last.disconnected_at - pressed, 3))


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
    assert "stopped" in cell.html.lower() or "cancelled" in cell.html.lower()
    assert kernel.value("1 + 1") == 2


def test_interrupt_ends_a_slow_stream_before_its_next_token(
    kernel: Kernel, gateway: Gateway, record_property: Any
) -> None:
    # The next token comes late enough for a busy machine.
    cell = kernel.send("%%cbai -m tokens:100+pause:2:60\nHi")
    gateway.wait_until(lambda: gateway.requests and gateway.last.tokens_sent >= 2)
    interrupt_and_measure(kernel, gateway, record_property)
    assert gateway.last.tokens_sent == 2
    assert kernel.finish(cell).status == "error"


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
