"""``%%cbai --prompt``: the prompt and its settings stand in a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

from cbai_notebook.errors import UsageError
from tests.gateway import Gateway
from tests.notebook.cells import error_of, must, run

FILE = """---
model: deepseek-v4-pro
system: You sort the mail of a shop.
temperature: 0.1
schema:
  intent: refund | other
---
What does {customer} want? {text}
"""


@pytest.fixture
def file(shell: TerminalInteractiveShell, gateway: Gateway, tmp_path: Path) -> Path:
    shell.user_ns["customer"] = "Ms Li"
    gateway.always('say:{"intent": "refund"}')
    path = tmp_path / "intent.md"
    path.write_text(FILE, "utf-8")
    return path


def test_the_text_of_the_cell_is_filled_into_the_prompt_of_the_file(
    shell: TerminalInteractiveShell, gateway: Gateway, file: Path
) -> None:
    must(shell, f"%%cbai --prompt {file} --no-history -o answer\nMy money back!")
    sent = gateway.last.json
    assert sent["messages"] == [
        {"role": "system", "content": "You sort the mail of a shop."},
        {"role": "user", "content": "What does Ms Li want? My money back!"},
    ]
    assert (sent["model"], sent["temperature"]) == ("deepseek-v4-pro", 0.1)
    assert shell.user_ns["answer"].parsed.intent == "refund"


def test_options_win_over_the_file_and_a_line_is_enough(
    shell: TerminalInteractiveShell, gateway: Gateway, file: Path
) -> None:
    shell.user_ns["text"] = "Hello."
    must(shell, f"%cbai --prompt {file} -m hy3 -t 1 -s Sort. --no-history")
    sent = gateway.last.json
    assert (sent["model"], sent["temperature"]) == ("hy3", 1)
    assert [each["content"] for each in sent["messages"]] == [
        "Sort.",
        "What does Ms Li want? Hello.",
    ]


def test_each_row_gets_the_prompt_of_the_file(
    shell: TerminalInteractiveShell, gateway: Gateway, file: Path
) -> None:
    shell.user_ns["mail"] = pd.DataFrame({"text": ["My money back!", "Nice shop!"]})
    result = run(shell, f"%cbai --prompt {file} --each mail")
    result.raise_error()
    assert list(result.result["intent"]) == ["refund", "refund"]
    prompts = sorted(request.json["messages"][-1]["content"] for request in gateway.requests)
    assert prompts == ["What does Ms Li want? My money back!", "What does Ms Li want? Nice shop!"]


def test_a_text_that_the_file_does_not_take_is_an_error(
    shell: TerminalInteractiveShell, gateway: Gateway, file: Path
) -> None:
    shell.user_ns["mail"] = pd.DataFrame({"text": ["My money back!"]})
    error = error_of(shell, f"%%cbai --prompt {file} --each mail\nHello")
    assert isinstance(error, UsageError)
    assert "leave the cell empty" in str(error)
    file.write_text("Say hello.", "utf-8")
    assert "{text}" in str(error_of(shell, f"%%cbai --prompt {file}\nHello"))
    assert gateway.requests == []
