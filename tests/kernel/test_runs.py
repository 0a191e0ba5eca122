"""Scripts, nbconvert, consoles and notebooks: which conversations appear in pickers and lists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.conversation.store.registry import open_registry
from tests.gateway import Gateway
from tests.gateway_access import gateway_variables
from tests.isolation import isolated_environment
from tests.kernel.conftest import StartKernel

Environment = dict[str, str]
Run = Callable[[Environment, Path], None]

SCRIPT = """
import cbai_notebook as cbai
cbai.chat().append({"role": "user", "content": "asked in the run"})
cbai.chat("named").append({"role": "user", "content": "asked by name"})
"""
CELLS = ["%load_ext cbai_notebook", "%cbai asked in the run", "%cbai -c named asked by name"]


def script(environment: Environment, folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "script.py"], env=environment, cwd=folder, check=True)


def terminal(environment: Environment, folder: Path) -> None:
    (folder / "session.ipy").write_text("\n".join(CELLS))
    command = [sys.executable, "-m", "IPython", "--no-banner", "--simple-prompt", "session.ipy"]
    subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def nbconvert(environment: Environment, folder: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(notebook, folder / "run.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "run.ipynb"]
    subprocess.run(command, env=environment, cwd=folder, check=True)


@pytest.mark.parametrize("run", [script, terminal, nbconvert])
def test_a_run_leaves_no_entry(run: Run, gateway: Gateway, tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite"
    environment = isolated_environment(
        tmp_path / "home", CBAI_HISTORY=str(history), **gateway_variables(gateway)
    )
    run(environment, tmp_path)
    found = open_registry(history)
    assert found.names() == ()
    (own,) = set(found.names(every=True)) - {"named"}
    assert [turn.prompt for turn in found.get(own).turns] == ["asked in the run"]
    assert [turn.prompt for turn in found.get("named").turns] == ["asked by name"]


@pytest.mark.parametrize(
    ("session", "cell_ids", "listed"),
    [
        pytest.param(None, True, True, id="a notebook of VS Code"),
        pytest.param("work/a.ipynb", True, True, id="JupyterLab"),
        pytest.param("work/a.ipynb", False, True, id="a frontend without ids of cells"),
        pytest.param("work/Console 1", True, False, id="a console of JupyterLab"),
        pytest.param(None, False, False, id="jupyter console"),
    ],
)
def test_a_notebook_leaves_an_entry_and_a_console_does_not(
    start_kernel: StartKernel,
    gateway: Gateway,
    tmp_path: Path,
    session: str | None,
    cell_ids: bool,
    listed: bool,
) -> None:
    history = tmp_path / "history.sqlite"
    variables = {} if session is None else {"JPY_SESSION_NAME": session}
    kernel = start_kernel(CBAI_HISTORY=str(history), **variables, **gateway_variables(gateway))
    kernel.names_cells = cell_ids
    kernel.must("%load_ext cbai_notebook")
    kernel.must("%cbai -c poems Hi")
    assert "poems" in kernel.must("%cbai use").stdout, "a kernel lists what it uses itself"
    assert open_registry(history).names() == (("poems",) if listed else ())
    assert "poems" in open_registry(history).names(every=True)


def test_a_panel_in_a_notebook_leaves_an_entry(
    start_kernel: StartKernel, gateway: Gateway, tmp_path: Path
) -> None:
    history = tmp_path / "history.sqlite"
    kernel = start_kernel(CBAI_HISTORY=str(history), **gateway_variables(gateway))
    kernel.must("import cbai_notebook as cbai\npanel = cbai.ChatPanel('poems')\npanel", cell_id="c")
    kernel.must("panel.send('Hi')")
    gateway.wait_until(lambda: gateway.requests)
    assert open_registry(history).names() == ("poems",)
