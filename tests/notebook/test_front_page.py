"""The code of the README runs as it stands, cell after cell, with the demo model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from tests.gateway import DEFAULT_KEY, Gateway
from tests.manual import pages
from tests.notebook.cells import must

CELLS = [
    (language, code)
    for language, code in pages.code_blocks(pages.read(pages.FRONT_PAGES[0]))
    if language != "sh"
]
SERVER = '"base_url": "http://localhost:11434/v1", "model": "qwen3:4b"'


@pytest.fixture(autouse=True)
def demo_model(shell: TerminalInteractiveShell) -> Iterator[None]:
    cbai.demo(pace=0)
    cbai.configure(model="demo")
    yield
    cbai.configure(servers=None)
    cbai.demo()


def test_the_cells_of_the_front_page_run_in_their_order(
    shell: TerminalInteractiveShell, gateway: Gateway
) -> None:
    gateway.always("say:Petals on the wind.")
    here = f'"base_url": "{gateway.base_url}", "api_key": "{DEFAULT_KEY}", "model": "echo"'
    assert sum(SERVER in code for _, code in CELLS) == 1
    for _, code in CELLS:
        must(shell, code.replace(SERVER, here).strip())
    sales, famous = shell.user_ns["sales"], shell.user_ns["famous"]
    assert [*famous.columns] == [*sales.columns, "answer", "error"]
    assert "Beijing" in famous["answer"][0]
    said = [turn["content"] for turn in cbai.chat().messages]
    assert "Shanghai" in said[0], "the table is in the prompt"
    assert said[-1] == "Petals on the wind."
