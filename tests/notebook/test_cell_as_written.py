"""`%%cbai` cells: what is written in them is what is sent."""

from __future__ import annotations

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell

from cbai_notebook.notebook import cell_as_written
from tests.gateway import Gateway
from tests.notebook.cells import must

PROMPTS = [
    "What is wrong here?\n>>> 1 + '1'\nTypeError",
    ">>> import os\n>>> os\n<module>",
    "... and so on\n... or not",
    "In [1]: x = 1\n   ...: y",
    "    def f():\n        return 1",
    "\ta tab\n  two blanks",
    "before\n    \nafter a line of blanks",
    "!ls -l\n?\n%time x\nwhat is x?\n%%bash",
    "x = !ls\ny = %time\n",
    'He said """ and\n>>> went on',
    "C:\\new\\\nnext line\\",
    "a form feed \x0c and a line separator \u2028 in it",
    "{'a': 1} and {{x}}",
]


@pytest.fixture
def writing_shell(bare_shell: InteractiveShell) -> InteractiveShell:
    cell_as_written.register(bare_shell)
    return bare_shell


def call(line: str, body: str, name: str = "cbai") -> str:
    return f"get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})\n"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_sent_as_it_is_written(
    shell: TerminalInteractiveShell, gateway: Gateway, prompt: str
) -> None:
    must(shell, f"%%cbai --no-history\n{prompt}")
    assert gateway.last.json["messages"][-1]["content"] == prompt.strip("\n")


@pytest.mark.parametrize("magic", ["%%time", "%%capture shown"])
def test_a_prompt_below_another_magic_too(
    shell: TerminalInteractiveShell, gateway: Gateway, magic: str
) -> None:
    must(shell, f"\n\n{magic}\n%%cbai\t--no-history\nWhat is this?\n>>> 1\n    \n  ... 2\n")
    assert gateway.last.json["messages"][-1]["content"] == "What is this?\n>>> 1\n    \n  ... 2"
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_indentation_of_the_whole_cell_is_left_out(
    writing_shell: InteractiveShell, prompt: str
) -> None:
    cell = "".join(f"  {line}\n" for line in f"%%cbai -t 0\n{prompt}".split("\n"))
    assert writing_shell.transform_cell(cell) == call("-t 0", f"{prompt}\n")


@pytest.mark.parametrize(
    ("cell", "line", "body"),
    [
        ("%%cbai", "", ""),
        ("%%cbai\n", "", ""),
        ("%%cbai -t 0  \nhi", "-t 0", "hi\n"),
        ("%%cbai\t-t 0\nhi", "-t 0", "hi\n"),
        ("%%cbai　-t 0\nhi", "-t 0", "hi\n"),
        ('%%cbai -s "a\u2028b"\r\nhi\r\n', '-s "a\u2028b"', "hi\r\n"),
        (">>> %%cbai\n... hi", "", "hi\n"),
    ],
)
def test_the_first_line_holds_the_options(
    writing_shell: InteractiveShell, cell: str, line: str, body: str
) -> None:
    assert writing_shell.transform_cell(cell) == call(line, body)


@pytest.mark.parametrize(
    "cell",
    [
        "%%cbai?",
        "%%cbai2\n>>> x",
        "%%bash\n>>> x\n%%cbai\n>>> y",
        ">>> x = 1\n>>> x",
        "  x = 1\n  %%cbai\n",
        "  %%cbai\n>>> x",
        "%cbai hello\n... ",
        "",
        " \n",
    ],
)
def test_other_cells_are_left_alone(writing_shell: InteractiveShell, cell: str) -> None:
    assert writing_shell.transform_cell(cell) == TransformerManager().transform_cell(cell)


@pytest.mark.parametrize("cell", ["%%cbai", "%%cbai\nhi", "%%cbai\n\nhi\n", "%%cbai\nhi\n\n"])
def test_a_console_waits_for_a_blank_line(writing_shell: InteractiveShell, cell: str) -> None:
    complete = writing_shell.input_transformer_manager.check_complete(cell)
    assert complete == TransformerManager().check_complete(cell)


def test_registering_twice_and_taking_it_back(writing_shell: InteractiveShell) -> None:
    cell_as_written.register(writing_shell)
    cell_as_written.unregister(writing_shell)
    assert writing_shell.transform_cell("%%cbai\n>>> x") == call("", "x\n")
