"""A prompt is prepared once: from the cell to the socket nothing is resolved a second time."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from tests.call_counts import ONCE, CallCounts, counting
from tests.gateway import Gateway
from tests.notebook.cells import must


def counts_of(shell: TerminalInteractiveShell, gateway: Gateway, code: str) -> CallCounts:
    """Run a cell and return what was called before its request."""
    with counting(urlsplit(gateway.base_url).port or 0) as counts:
        must(shell, code)
    assert counts.sent
    return counts


@pytest.mark.parametrize("history", ["off", "file"])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%cbai\nAnd now?", {"settings": 1, "context": 1, "model spec": 1}),
        ("%%cbai -m deepseek/m\nAnd now?", {"settings": 1, "context": 1, "model spec": 1}),
        ("%%cbai --draw\nA cat", {"settings": 1, "context": 0, "model spec": 0}),
    ],
    ids=["cell", "named model", "drawing"],
)
def test_settings_context_and_model_are_resolved_once(
    shell: TerminalInteractiveShell,
    gateway: Gateway,
    tmp_path: object,
    history: str,
    cell: str,
    expected: dict[str, int],
) -> None:
    cbai.configure(history="off" if history == "off" else f"{tmp_path}/history.sqlite")
    try:
        must(shell, "%%cbai\nHello")
        counts = counts_of(shell, gateway, cell)
    finally:
        cbai.configure(history=None)
    assert {name: counts.of(*ONCE[name]) for name in ONCE} == expected


def test_a_panel_prepares_once_too(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    panel = cbai.ChatPanel("counted")
    with counting(urlsplit(gateway.base_url).port or 0) as counts:
        assert panel.send("Hello")
        gateway.wait_until(lambda: gateway.requests and gateway.last.finished)
    assert counts.sent
    assert {name: counts.of(*ONCE[name]) for name in ONCE} == {
        "settings": 1,
        "context": 1,
        "model spec": 1,
    }
    panel.close()
