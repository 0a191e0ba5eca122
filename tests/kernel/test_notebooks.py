"""Which conversation a real kernel goes on with, and what its first answer says about it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conversation.store.registry import write_cells
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.kernel.conftest import StartKernel
from tests.kernel.harness import Kernel

NOTICE = "of an earlier session went along"

CHILD = """
import json, nbclient, nbformat
from nbformat.v4 import new_code_cell, new_notebook
cells = ["%load_ext cbai_notebook\\nimport cbai_notebook as cbai", "%%cbai\\nin the child",
         "import json; print(json.dumps([cbai.chat().name, [t.prompt for t in cbai.chat().turns]]))"]
for _ in range(2):
    child = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(child, kernel_name="python3").execute()
    print(child.cells[-1].outputs[0]["text"], end="")
"""
SCRIPT = """
import os, subprocess, sys
code = "import cbai_notebook as cbai; cbai.chat().append({'role': 'user', 'content': 'in a script'})"
print(subprocess.run([sys.executable, "-c", code + "; print(cbai.chat().name)"], capture_output=True, text=True))
"""


class Notebooks:
    """Kernels that a server starts for notebooks of one user."""

    def __init__(self, start: StartKernel, gateway: Gateway, folder: Path) -> None:
        self._start = start
        self._variables = {**gateway_variables(gateway), "CBAI_MODEL": "m"}
        self._variables["CBAI_DATA_DIR"] = str(folder / "data")

    def kernel(self, notebook: Path) -> Kernel:
        """Start a new kernel for a notebook."""
        return ready(self._start(**self._variables, JPY_SESSION_NAME=str(notebook)))

    def kernel_of_vs_code(self, notebook: Path) -> Kernel:
        """Start a new kernel as VS Code does: the path is in a variable of the user."""
        kernel = self._start(**self._variables)
        kernel.must(f"__vsc_ipynb_file__ = {str(notebook)!r}")
        return ready(kernel)


def ready(kernel: Kernel) -> Kernel:
    kernel.must("%load_ext cbai_notebook\nimport cbai_notebook as cbai")
    return kernel


def prompts(kernel: Kernel) -> list[str]:
    found: list[str] = kernel.value("[t.prompt for t in cbai.chat().turns]")
    return found


@pytest.fixture
def notebooks(start_kernel: StartKernel, gateway: Gateway, tmp_path: Path) -> Notebooks:
    gateway.always("echo")
    return Notebooks(start_kernel, gateway, tmp_path)


def test_a_new_untitled_notebook_says_nothing_of_the_former_ones_plans(
    notebooks: Notebooks, gateway: Gateway, tmp_path: Path
) -> None:
    untitled = write_cells(tmp_path / "Untitled.ipynb")
    kernel = notebooks.kernel(untitled)
    kernel.must("%%cbai\nour secret plan", cell_id="c1")
    kernel.restart()  # nothing was saved
    cell = ready(kernel).must("%%cbai\nand step two?", cell_id="c2")
    assert f"1 turn {NOTICE}" in cell.text
    assert "%cbai reset" in cell.html
    assert "secret" in str(gateway.requests[-1].json)

    write_cells(untitled, "c1", "c2")
    plan = untitled.rename(tmp_path / "plan.ipynb")
    new = notebooks.kernel(write_cells(untitled))
    cell = new.must("%%cbai\nhello", cell_id="n1")
    assert NOTICE not in cell.text
    assert "secret" not in str(gateway.requests[-1].json)

    renamed = notebooks.kernel(plan)
    assert f"2 turns {NOTICE}" in renamed.must("%%cbai\nthree", cell_id="c3").text
    assert "secret" in str(gateway.requests[-1].json)
    assert NOTICE not in renamed.must("%%cbai\nfour", cell_id="c4").text, "it is said once"

    copy = notebooks.kernel(Path(shutil.copy(plan, tmp_path / "plan-Copy1.ipynb")))
    assert f"2 turns {NOTICE}" in copy.must("%%cbai\nin the copy", cell_id="k1").text
    assert prompts(copy) == ["our secret plan", "and step two?", "in the copy"]
    assert prompts(renamed) == ["our secret plan", "and step two?", "three", "four"]


def test_the_notice_comes_with_the_first_answer_that_gets_the_past(
    notebooks: Notebooks, tmp_path: Path
) -> None:
    notebook = write_cells(tmp_path / "a.ipynb", "c1", "c2")
    kernel = notebooks.kernel(notebook)
    for cell in ("c1", "c2"):
        kernel.must(f"%%cbai\n{cell}", cell_id=cell)
    kernel.restart()
    ready(kernel)
    assert "earlier" not in kernel.must("%%cbai --no-history\nalone").text
    kernel.must("%%cbai --dry-run\nlook")
    assert NOTICE not in kernel.must("%%cbai\nc1", cell_id="c1").text, "nothing was before it"
    assert f"1 turn {NOTICE}" in kernel.must("%%cbai\nnew", cell_id="c3").text
    kernel.restart()
    ready(kernel)
    kernel.must("%cbai reset")
    assert NOTICE not in kernel.must("%%cbai\nanew", cell_id="c4").text
    assert prompts(kernel) == ["anew"]
    other = ready(kernel).must("%%cbai -c 'two words'\na", cell_id="c5")
    assert NOTICE not in other.text
    kernel.restart()
    other = ready(kernel).must("%%cbai -c 'two words'\nb", cell_id="c6")
    assert f"1 turn {NOTICE}" in other.text
    kernel.must("%cbai reset -c 'two words'")
    assert kernel.value("len(cbai.chat('two words').turns)") == 0


def test_a_notebook_executed_from_a_notebook_has_its_own_conversation(
    notebooks: Notebooks, tmp_path: Path
) -> None:
    notebook = write_cells(tmp_path / "parent.ipynb", "c1")
    kernel = notebooks.kernel(notebook)
    kernel.must("%%cbai\nin the parent", cell_id="c1")
    one, two = kernel.must(CHILD).stdout.splitlines()
    for line in (one, two):
        assert '["in the child"]' in line
        assert "parent.ipynb" not in line
    assert one != two
    assert prompts(kernel) == ["in the parent"]


def test_a_script_run_from_a_notebook_does_not_write_into_its_conversation(
    notebooks: Notebooks, tmp_path: Path
) -> None:
    notebook = write_cells(tmp_path / "parent.ipynb", "c1")
    kernel = notebooks.kernel(notebook)
    kernel.must("%%cbai\nin the parent", cell_id="c1")
    assert "session-" in kernel.must(SCRIPT).stdout
    kernel.restart()
    assert prompts(ready(kernel)) == ["in the parent"]


def test_a_notebook_with_only_a_panel_goes_on_once_it_was_saved(
    notebooks: Notebooks, gateway: Gateway, tmp_path: Path
) -> None:
    untitled = write_cells(tmp_path / "Untitled.ipynb")
    kernel = notebooks.kernel(untitled)
    kernel.must("panel = cbai.ChatPanel()", cell_id="p1")
    kernel.must(
        "cbai.chat().extend(cbai.Conversation.from_messages([{'role': 'user', 'content': 'in the panel'}, {'role': 'assistant', 'content': 'a'}]).turns)"
    )
    write_cells(untitled, "p0", "p1")
    later = notebooks.kernel(untitled.rename(tmp_path / "talk.ipynb"))
    assert prompts(later) == ["in the panel"]


def test_an_unsaved_cell_that_runs_again_is_known(notebooks: Notebooks, tmp_path: Path) -> None:
    untitled = write_cells(tmp_path / "Untitled.ipynb")
    notebooks.kernel(untitled).must("%%cbai\nfirst", cell_id="c1")
    again = notebooks.kernel(untitled)
    again.must("%%cbai\nchanged", cell_id="c1")
    assert prompts(again) == ["changed"]
    assert again.value("len(cbai.chat().versions())") == 2
    assert prompts(notebooks.kernel(untitled)) == []


def test_a_notebook_in_vs_code_goes_on_once_it_was_saved(
    notebooks: Notebooks, gateway: Gateway, tmp_path: Path
) -> None:
    address = "vscode-notebook-cell:/work/Untitled-1.ipynb#W0sZmlsZQ%3D%3D"
    notebook = write_cells(tmp_path / "plan.ipynb", "c1")
    notebooks.kernel_of_vs_code(notebook).must("%%cbai\nour secret plan", cell_id=address)
    again = notebooks.kernel_of_vs_code(notebook.rename(tmp_path / "renamed.ipynb"))
    assert prompts(again) == ["our secret plan"]
    unsaved = tmp_path / "Untitled-1.ipynb"
    for _ in range(2):
        notebooks.kernel_of_vs_code(unsaved).must("%%cbai\nhello", cell_id=address)
        assert "secret" not in str(gateway.requests[-1].json)
        assert len(gateway.requests[-1].json["messages"]) == 1
