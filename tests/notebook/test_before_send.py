"""``cbai.configure(before_send=…)`` holds for cells, drawings, panels and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.errors import PromptRefusedError
from tests.gateway import Gateway, Scenario
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse

PHONE, HIDDEN = "13812345678", "<phone>"


@pytest.fixture
def hook() -> Iterator[Callable[[Any], None]]:
    """Return a function that sets ``before_send``; reset it after the test."""
    yield lambda function: cbai.configure(before_send=function)
    cbai.configure(before_send=None)


def mask(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "content": each["content"].replace(PHONE, HIDDEN)} for each in messages]


async def refuse(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    raise ValueError("no phone numbers, please")


def test_the_request_is_masked_and_the_history_keeps_what_was_written(
    shell: TerminalInteractiveShell, gateway: Gateway, hook: Callable[[Any], None]
) -> None:
    seen: list[int] = []

    def counted(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen.append(len(messages))
        return mask(messages)

    hook(counted)
    must(shell, f"%%cbai\nCall {PHONE}")
    must(shell, "%%cbai\nAgain")
    assert [message["content"] for message in gateway.last.json["messages"]][::2] == [
        f"Call {HIDDEN}",
        "Again",
    ]
    assert [turn.prompt for turn in cbai.chat().turns] == [f"Call {PHONE}", "Again"]
    assert seen == [1, 3]  # once for each prompt


@pytest.mark.parametrize(
    "cell", ["%%cbai", "%%cbai --no-stream", "%%cbai --draw", "%%cbai --agent bot-a"]
)
def test_a_refused_prompt_is_neither_sent_nor_kept(
    shell: TerminalInteractiveShell, gateway: Gateway, hook: Callable[[Any], None], cell: str
) -> None:
    hook(refuse)
    error = error_of(shell, f"{cell}\nCall {PHONE}")
    assert isinstance(error, PromptRefusedError)
    assert "no phone numbers, please" in str(error)
    assert gateway.requests == []
    assert len(cbai.chat()) == 0


def test_a_dry_run_shows_what_would_be_sent(
    shell: TerminalInteractiveShell,
    hook: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    hook(mask)
    must(shell, f"%%cbai --dry-run\nCall {PHONE}")
    out = capsys.readouterr().out
    assert f"Call {HIDDEN}" in out
    assert PHONE not in out


def test_the_settings_name_the_function(
    shell: TerminalInteractiveShell,
    hook: Callable[[Any], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    hook(mask)
    must(shell, "%cbai config")
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "before_send" in line]
    assert "mask" in row


def test_a_drawing_and_a_panel_are_masked_too(
    shell: TerminalInteractiveShell, gateway: Gateway, hook: Callable[[Any], None]
) -> None:
    hook(mask)
    must(shell, f"%%cbai --draw\nA sign with {PHONE}")
    assert gateway.requests[0].json["prompt"] == f"A sign with {HIDDEN}"
    panel = cbai.ChatPanel("masked")
    converse(panel, f"Call {PHONE}")
    assert gateway.last.json["messages"] == [{"role": "user", "content": f"Call {HIDDEN}"}]
    hook(refuse)
    sent = len(gateway.requests)
    converse(panel, f"Call {PHONE} again")
    assert len(gateway.requests) == sent
    assert len(cbai.chat("masked").turns) == 1
    assert panel.inputValue == f"Call {PHONE} again"  # nothing is lost
    panel.close()


def test_an_answer_is_replayed_if_what_is_sent_is_equal(
    shell: TerminalInteractiveShell, gateway: Gateway, hook: Callable[[Any], None]
) -> None:
    hook(mask)
    gateway.script(Scenario(text="First"))
    must(shell, f"%%cbai --cached --no-history\nCall {PHONE}")
    must(shell, f"%%cbai --cached -c one\nCall {PHONE}")
    must(shell, f"%%cbai --cached -c one\nCall {PHONE}")
    count = len(gateway.requests)
    cbai.chat("one").reset()
    must(shell, f"%%cbai --cached -c one\nCall {HIDDEN}")
    assert len(gateway.requests) == count
