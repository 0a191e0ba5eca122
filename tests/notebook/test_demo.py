"""The demo model in cells and in the panel: `-m demo` needs no network, no key and no process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

import cbai_notebook as cbai
from cbai_notebook.conversation.formats import export
from cbai_notebook.errors import AuthenticationError
from cbai_notebook.notebook.command_line.at_cursor import _models
from tests.gateway import Gateway
from tests.notebook.cells import error_of, must
from tests.notebook.panel.panels import converse, eventually, shown


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    cbai.demo(pace=0)
    yield
    cbai.demo()


def test_a_cell_asks_it_and_its_footer_says_so(
    shell: TerminalInteractiveShell, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    must(shell, "%cbai -m demo --think Why is the sky blue?")
    shown = capsys.readouterr().out
    assert "“Why is the sky blue?”" in shown
    assert "demo model, not a real one" in shown
    said = cbai.chat().messages[-1]
    assert (said["provider"], said["model"]) == ("demo", "demo")
    assert said["reasoning"]
    assert gateway.requests == []


def test_a_cut_answer_is_continued(shell: TerminalInteractiveShell) -> None:
    must(shell, "%cbai -m demo --max-tokens 6 Why is the sky blue?")
    must(shell, "%cbai continue --max-tokens 100")
    must(shell, "%cbai -m demo -c other Why is the sky blue?")
    assert cbai.chat().messages[-1]["content"] == cbai.chat("other").messages[-1]["content"]


def test_an_error_of_the_script_fails_the_cell(shell: TerminalInteractiveShell) -> None:
    cbai.demo(status=401)
    assert isinstance(error_of(shell, "%cbai -m demo Hello"), AuthenticationError)


def test_it_can_be_the_model_of_all_prompts(shell: TerminalInteractiveShell) -> None:
    cbai.configure(model="demo")
    must(shell, "%cbai Hello")
    assert cbai.chat().messages[-1]["provider"] == "demo"


def test_a_panel_asks_it(shell: TerminalInteractiveShell) -> None:
    cbai.demo("Hello from the script.", pace=0)
    panel = cbai.ChatPanel("demo-panel", model="demo")
    converse(panel, "Hello")
    assert panel.messages[-1]["content"] == "Hello from the script."
    eventually(lambda: "cbai-facts" in shown(panel.widget))
    assert ">demo · " in shown(panel.widget)
    assert "demo/demo" not in shown(panel.widget)
    panel.close()


def test_it_draws_squares(shell: TerminalInteractiveShell, gateway: Gateway) -> None:
    must(shell, "%cbai -m demo --draw -P n=2 -o drawn A cat in the rain")
    pictures = shell.user_ns["drawn"].images
    assert [picture.mime for picture in pictures] == ["image/png"] * 2
    assert pictures[0].data != pictures[1].data
    assert "demo model" in cbai.chat().messages[-1]["content"]
    must(shell, "%cbai -m demo --image drawn.images[0] --image drawn.images[1] What do you see?")
    assert "I was shown 2 images." in cbai.chat().messages[-1]["content"]
    assert gateway.requests == []


def test_tab_offers_it(shell: InteractiveShell) -> None:
    assert "demo" in _models()


def test_an_exported_request_asks_cloudbase_instead(shell: TerminalInteractiveShell) -> None:
    must(shell, "%cbai -m demo Hello")
    script = export(cbai.chat(), "curl").data.decode()
    assert "demo.invalid" not in script
    assert "CloudBase stands in for it" in script


def test_loading_the_extension_does_not_import_it() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'cbai_notebook')\n"
        "import sys\n"
        "print([name for name in sys.modules if name.startswith('cbai_notebook.client.demo')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
