"""Frontends that cannot change an output: consoles, and programs that run a whole notebook."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from tests.gateway import Fault, Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.kernel.harness import PATIENCE, Cell, Kernel, assert_one_readable_line
from tests.require import require

WHOLE = {"text/html", "text/markdown", "text/plain"}

DEFINE = '''
import cbai_notebook as cbai
model = cbai.create_model("cloudbase")

def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y

@cbai.tool(confirm=True)
def drop(path: str) -> str:
    """Delete a file."""
    return "gone"
'''
STREAM = "model.stream_text(model='m', messages=[{'role': 'user', 'content': 'Hi'}])"


@pytest.fixture
def console(kernel: Kernel) -> Kernel:
    """A kernel whose requests name no cell, as those of a console."""
    kernel.names_cells = False
    kernel.must(DEFINE)
    return kernel


def answer_of(cell: Cell) -> dict[str, str]:
    """Return the only output with an answer; nothing was updated or cleared for it."""
    kinds = [message["msg_type"] for message in cell.messages]
    assert "update_display_data" not in kinds
    assert "clear_output" not in kinds
    (shown,) = [
        output["data"] for output in cell.outputs if output["output_type"] == "display_data"
    ]
    return dict(shown)


@pytest.mark.parametrize("loop", [False, True], ids=["%%cbai", "a cell with more in it"])
def test_an_answer_is_shown_once_and_whole(console: Kernel, gateway: Gateway, loop: bool) -> None:
    gateway.script(
        Scenario(text=("It ", "is ", "*blue*."), reasoning="Hm.", faults=(Fault("hold", 2),))
    )
    asking = "get_ipython().run_cell_magic('cbai', '', 'Colour? {typo}')"
    cell = console.send(asking if loop else "%%cbai\nColour? {typo}")
    gateway.wait_until(lambda: gateway.requests and gateway.last.tokens_sent >= 2)
    assert cell.outputs == []
    gateway.let_go()
    console.finish(cell)
    shown = answer_of(cell)
    assert set(shown) == WHOLE
    assert "<em>blue</em>" in shown["text/html"]
    assert "Hm." in shown["text/html"]
    assert shown["text/plain"].startswith("It is *blue*.\n\n")
    for part in ("text/plain", "text/html"):
        assert "{typo}" in shown[part], "the hint"
        assert "tokens in" in shown[part], "the footer"


def test_a_long_answer_is_one_output(console: Kernel) -> None:
    shown = answer_of(console.must("%%cbai -m long:50000\nHi"))
    assert len(shown["text/plain"]) > 50_000
    assert set(shown) == WHOLE


@pytest.mark.parametrize("form", ["text", "code", "json"])
def test_every_format_is_shown(console: Kernel, gateway: Gateway, form: str) -> None:
    gateway.script('say:```json\n{"a": 1}\n```')
    shown = answer_of(console.must(f"%%cbai --format {form}\nHi"))
    assert '"a": 1' in shown["text/plain"]
    assert ("```" in shown["text/plain"]) is (form == "text")


def test_tools_are_called_and_the_user_is_asked_first(console: Kernel, gateway: Gateway) -> None:
    gateway.script(calling(Call("add", {"x": 2, "y": 3}), text="Let me see."), "say:It is 5.")
    shown = answer_of(console.must("%%cbai --tool add --no-history\nWhat is 2 + 3?"))
    said, called, result, _ = shown["text/plain"].split("\n\n")
    assert said == "Let me see."
    assert called.startswith("▸ add(x=2, y=3)")
    assert result == "It is 5."
    for reply, told in (("n", "✗ drop"), ("y", "▸ drop")):
        gateway.script(calling(Call("drop", {"path": "a.csv"})), "say:Done.")
        cell = console.send("%%cbai --tool drop --no-history\nClean up")
        prompt, _ = console.answer_prompt(reply)
        assert "The model wants to run drop:" in prompt
        assert cell.outputs == []
        plain = answer_of(console.finish(cell))["text/plain"]
        assert plain.startswith(told)
        assert "Done." in plain


def test_what_came_before_an_interrupt_is_shown(console: Kernel, gateway: Gateway) -> None:
    console.must(
        "import time\ndef slow() -> str:\n    '''Wait.'''\n    print('started')\n    time.sleep(60)"
    )
    gateway.script(calling("slow", text="Let me see."))
    cell = console.send("%%cbai --tool slow\nGo")
    console.wait_for(lambda: "started" in cell.stdout, "the tool")
    console.interrupt()
    console.finish(cell)
    assert cell.error["ename"] == "KeyboardInterrupt"
    plain = answer_of(cell)["text/plain"]
    assert plain.startswith("Let me see.\n\n▸ slow() · stopped")
    assert "stopped" in plain


def test_reasoning_is_shown_where_no_answer_came(console: Kernel, gateway: Gateway) -> None:
    gateway.script("reason-only")
    plain = answer_of(console.must("%%cbai\nThink"))["text/plain"]
    assert plain.startswith("Reasoning:\n")
    assert "The answer is empty" in plain


def test_a_continued_answer_is_shown_whole(console: Kernel, gateway: Gateway) -> None:
    gateway.script(Scenario(text="Once *upon* a", finish_reason="length"), "say: time.")
    assert "cut at the token limit" in answer_of(console.must("%%cbai\nTell"))["text/plain"]
    whole = answer_of(console.must("%cbai continue"))
    assert whole["text/plain"].startswith("Once *upon* a time.\n")


def test_a_broken_answer_is_shown_before_its_error(console: Kernel, gateway: Gateway) -> None:
    gateway.script("say:one two three four+midstream-error:3")
    cell = console.run("%%cbai\nCount")
    assert_one_readable_line(cell)
    assert [output["output_type"] for output in cell.outputs] == ["display_data", "error"]
    plain = answer_of(cell)["text/plain"]
    assert plain.startswith("one two three")
    assert "incomplete" in plain
    gateway.script("error:401:INVALID_CREDENTIALS")
    failed = console.run("%%cbai\nCount")
    assert_one_readable_line(failed)
    assert answer_of(failed)["text/plain"].startswith("failed")


@pytest.mark.parametrize(
    "code", [f"cbai.show(cbai.run({STREAM}))", f"await cbai.show(await {STREAM})"]
)
def test_a_stream_is_shown_once(console: Kernel, gateway: Gateway, code: str) -> None:
    gateway.script("say:It is *blue*.")
    cell = console.must(code)
    assert len(cell.outputs) == 1
    assert answer_of(cell)["text/plain"].startswith("It is *blue*.")


def test_pictures_and_agents_are_shown(console: Kernel, gateway: Gateway) -> None:
    cell = console.must("%%cbai --draw\nA cat")
    picture, footer = (output["data"] for output in cell.outputs)
    assert set(picture) == {"image/png", "text/plain"}
    assert picture["text/plain"].startswith("A picture (image/png, ")
    assert "Drawn as: A cat" in footer["text/plain"]
    gateway.script("say:A poem.")
    assert answer_of(console.must("%%cbai --agent bot-poet\nHi"))["text/plain"].startswith(
        "A poem."
    )


def test_an_output_widget_still_streams(console: Kernel, gateway: Gateway) -> None:
    gateway.script(Scenario(text=("Half ", "an ", "answer"), faults=(Fault("hold", 2),)))
    console.must("import ipywidgets\nout = ipywidgets.Output()")
    cell = console.send("%%cbai --into out\nHi")
    console.wait_for(lambda: "Half an" in str(cell.messages), "the first words")
    gateway.let_go()
    console.finish(cell)
    assert cell.outputs == []


def test_a_frontend_that_names_its_cells_in_its_own_way_streams(
    console: Kernel, gateway: Gateway
) -> None:
    gateway.script(Scenario(text=("Half ", "an ", "answer"), faults=(Fault("hold", 2),)))
    cell = console.send(
        "get_ipython().get_parent()['metadata']['colab'] = {'cell_id': 'one'}\n"
        "get_ipython().run_cell_magic('cbai', '', 'Hi')"
    )
    console.wait_for(lambda: "Half an" in cell.html, "the first words")
    gateway.let_go()
    console.finish(cell)


# Real programs ------------------------------------------------------------------------------------


class Terminal:
    """A real Jupyter Console in a pseudo-terminal.

    Args:
        environment: The environment of its process.
        directory: The working directory of its process.
    """

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        import pexpect

        self._cells = 0
        self._process = pexpect.spawn(
            sys.executable,
            ["-m", "jupyter_console", "--no-confirm-exit"],
            env={**environment, "TERM": "dumb"},
            cwd=str(directory),
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(60, 160),
        )

    def ask(self, cell: str) -> None:
        """Type a cell when the console is ready for it."""
        self._cells += 1
        self.until(f"In [{self._cells}]: ")
        # A cell with a magic is sent by Enter behind two blank lines.
        self.type("\r".join([*cell.splitlines(), "", ""]) if "\n" in cell else cell)

    def type(self, text: str) -> None:
        """Type a text and Enter."""
        self._process.send(text + "\r")

    def until(self, text: str) -> str:
        """Wait for a text on the screen, and return what stands before it."""
        self._process.expect_exact(text)
        return str(self._process.before)

    def close(self) -> None:
        """End the console; its kernel ends with it."""
        self._process.close(force=True)


@pytest.fixture
def terminal(gateway: Gateway, tmp_path: Path) -> Iterator[Terminal]:
    if sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminal for pexpect.")
    require(find_spec("jupyter_console"), "jupyter-console is missing: pip install -e '.[test]'")
    (tmp_path / "tools.py").write_text(DEFINE)
    environment = isolated_environment(tmp_path / "home", **gateway_variables(gateway))
    terminal = Terminal(environment, tmp_path)
    yield terminal
    terminal.close()


def test_jupyter_console_shows_each_answer_once(terminal: Terminal, gateway: Gateway) -> None:
    gateway.script("reason+say:It is *blue*.")
    gateway.script(calling(Call("drop", {"path": "a.csv"})), "say:Done.")
    terminal.ask("%load_ext cbai_notebook")
    terminal.ask("from tools import drop")
    terminal.ask("%%cbai -m m\nWhich colour?")
    terminal.until("\nIt is *blue*.\r\n\r\ncloudbase/m · ")
    terminal.ask("%%cbai -m m --tool drop\nClean up")
    terminal.until("Allow it? [y/N] ")
    terminal.type("y")
    terminal.until('\n▸ drop(path="a.csv")\r\n\r\nDone.\r\n\r\ncloudbase/m · ')
    terminal.ask("print('the' + ' end')")
    last = terminal.until("\nthe end")
    assert "blue" not in last
    assert "Done." not in last


@pytest.mark.parametrize("program", ["nbclient", "nbconvert", "papermill"])
def test_a_notebook_that_is_run_has_one_output_for_each_answer(
    program: str, gateway: Gateway, tmp_path: Path
) -> None:
    require(find_spec(program), f"{program} is missing: pip install -e '.[test]'")
    commands = {
        "nbclient": ["-c", "from nbclient.cli import main; main()", "in.ipynb", "--output=out"],
        "nbconvert": [
            *("-m", "nbconvert", "--to=notebook", "--execute", "in.ipynb"),
            *("--output=out.ipynb", "--ExecutePreprocessor.kernel_name=python3"),
        ],
        "papermill": ["-m", "papermill", "in.ipynb", "out.ipynb", "--kernel=python3"],
    }
    cells = ["%load_ext cbai_notebook", "%%cbai -m m\nColour?", "%%cbai -m long:50000\nLong"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    gateway.script("say:It is *blue*.")
    environment = isolated_environment(tmp_path / "home", **gateway_variables(gateway))
    subprocess.run([sys.executable, *commands[program]], env=environment, cwd=tmp_path, check=True)
    written = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    for cell in written.cells[1:]:
        (output,) = cell.outputs
        assert set(output["data"]) == WHOLE
    assert "<em>blue</em>" in written.cells[1].outputs[0]["data"]["text/html"]
