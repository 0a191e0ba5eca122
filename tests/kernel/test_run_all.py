"""Run All: prompt cells with plain cells queued behind them."""

from __future__ import annotations

import pytest

from tests.gateway import Gateway, Scenario
from tests.kernel.harness import Kernel

pytestmark = pytest.mark.each_variant


def test_no_queued_cell_is_lost_and_the_order_is_kept(kernel: Kernel, gateway: Gateway) -> None:
    queued = [kernel.send("seen = []")]
    for number in range(5):
        queued.append(kernel.send(f"%%cbai -m paced:200x40\nquestion {number}"))
        queued.append(kernel.send(f"seen.append(('before', {number}))"))
        queued.append(kernel.send(f"%cbai -m blast:50 line {number}"))
        queued.append(kernel.send(f"seen.append(('after', {number}))"))
    for cell in queued:
        assert kernel.finish(cell).status == "ok", cell.outputs
    order = [(where, number) for number in range(5) for where in ("before", "after")]
    assert [tuple(pair) for pair in kernel.value("seen")] == order
    prompts = [request.json["messages"][-1]["content"] for request in gateway.requests]
    assert prompts == [f"{kind} {n}" for n in range(5) for kind in ("question", "line")]


def test_every_way_to_ask_leaves_the_queue_alone(kernel: Kernel, gateway: Gateway) -> None:
    gateway.always(Scenario(text="an answer", rate=50))
    ask = "model.stream_text(messages=[dict(role='user', content='Hi')], model='m')"
    cells = [
        "import cbai_notebook as cbai; model = cbai.create_model('cloudbase'); got = []",
        f"stream = cbai.run({ask}); got.append(cbai.run(stream.finish()).text)",
        "got.append('plain')",
        f"got.append((await (await {ask}).finish()).text)",
        "got.append('plain')",
        f"got.append(cbai.show(cbai.run({ask})).text)",
        "got.append('plain')",
        f"got.append((await cbai.show(await {ask})).text)",
        "got.append('plain')",
        "%%cbai --output answer --no-stream\nHi",
        "got.append(answer.text)",
    ]
    queued = [kernel.send(cell) for cell in cells]
    for cell in queued:
        assert kernel.finish(cell).status == "ok", cell.outputs
    assert kernel.value("got") == ["an answer", "plain"] * 4 + ["an answer"]


def test_a_failed_prompt_stops_the_run(kernel: Kernel, gateway: Gateway) -> None:
    # The answer fails only after all cells are queued, as after a click on Run All.
    gateway.script("hold:headers+error:AI_MODEL_NOT_FOUND")
    failing = kernel.send("%%cbai\nHi")
    behind = [kernel.send("ran = True"), kernel.send("%cbai never sent")]
    gateway.wait_until(lambda: gateway.requests)
    gateway.let_go()
    assert kernel.finish(failing).status == "error"
    assert [kernel.finish(cell).status for cell in behind] == ["aborted", "aborted"]
    assert len(gateway.requests) == 1
    assert kernel.value("'ran' in globals()") is False
