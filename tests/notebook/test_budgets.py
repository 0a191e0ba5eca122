"""A limit for the session holds for cells, tool loops and panels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.client.budget import SESSION
from cbai_notebook.errors import BudgetError
from tests.gateway import Gateway
from tests.gateway.tools import calling
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse


@pytest.fixture(autouse=True)
def no_limit_afterwards() -> Iterator[None]:
    yield
    cbai.configure(max_total_tokens=None, max_cost=None, prices=None)


def test_a_cell_that_would_be_too_much_is_not_sent_and_says_what_to_do(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    must(shell, "%cbai -m echo Hello")
    cbai.configure(max_total_tokens=SESSION.tokens + 20)
    error = error_of(shell, "%cbai -m echo --max-tokens 100 Hello again")
    assert isinstance(error, BudgetError)
    assert "Nothing was sent." in str(error)
    assert "cbai.configure(max_total_tokens=…)" in str(error)
    assert len(gateway.requests) == 1
    cbai.configure(max_total_tokens=SESSION.tokens + 2000)
    must(shell, "%cbai -m echo --max-tokens 100 Hello again")
    assert len(gateway.requests) == 2


def test_the_tool_loop_of_a_cell_ends_before_the_request_that_is_too_much(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always(calling('add {"x": 1, "y": 2}'))
    must(shell, "from tests.sample_tools import add")
    cbai.configure(max_total_tokens=SESSION.tokens + 500)
    error = error_of(shell, "%cbai --tool add --max-tokens 50 What is 1 + 2?")
    assert isinstance(error, BudgetError)
    assert 2 <= len(gateway.requests) <= 10


def test_a_panel_says_that_the_budget_is_used_up(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    cbai.configure(max_total_tokens=SESSION.tokens)
    panel = cbai.ChatPanel("limited")
    converse(panel, "Hello")
    assert gateway.requests == []
    assert "max_total_tokens" in panel.messages[-1]["error"]
    panel.close()


def test_config_shows_the_limits_and_where_they_come_from(
    shell: TerminalInteractiveShell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CBAI_MAX_COST", "1.5")
    cbai.configure(max_total_tokens=250_000, prices={"hy3": (0.8, 2.0)})
    must(shell, "%cbai config")
    shown = capsys.readouterr().out
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert f"{SESSION.tokens:,} of 250,000 used" in lines["max_total_tokens"]
    assert "of 1.5 used" in lines["max_cost"]
    assert "CBAI_MAX_COST" in lines["max_cost"]
    assert "hy3: 0.8 + 2" in lines["prices"]
