"""Every shipped notebook runs from top to bottom with the offline model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import cbai_notebook
from tests.isolation import isolated_environment
from tests.require import require

QUICKSTART = Path(cbai_notebook.__file__).with_name("quickstart.ipynb")
NOTEBOOKS = [QUICKSTART, *sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))]

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.local_model,
    pytest.mark.timeout(600),  # the first test may download the weights of the model
]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebook_runs(file: Path, tmp_path: Path) -> None:
    require(find_spec("xllamacpp"), "the offline model is missing: pip install -e '.[local]'")
    notebook = nbformat.read(file, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=500, startup_timeout=200, resources=where)
    client.execute(env=isolated_environment(tmp_path / "home"))
    nbformat.validate(notebook)
    prompts = [cell for cell in notebook.cells if cell.source.startswith("%%cbai")]
    assert all(cell.outputs for cell in prompts)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebook_is_shipped_clean(file: Path) -> None:
    """Check that the notebook has no outputs and no data of the machine on which it was written."""
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert notebook.metadata.kernelspec.name == "python3"
