"""Showing an answer loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"IPython", "ipywidgets", "markdown_it", "nh3", "pygments", "httpx", "msgspec", "pandas"}


@pytest.mark.parametrize(
    "code",
    [
        "import cbai_notebook.notebook.screen",
        "from cbai_notebook.notebook.screen import Screen, TerminalSurface\n"
        "screen = Screen(TerminalSurface())\n"
        "screen.text('# hello')\n"
        "screen.finish('complete')",
    ],
    ids=["import", "terminal"],
)
def test_nothing_heavy_is_loaded_for_it(code: str) -> None:
    probe = f"{code}\nimport sys\nprint('loaded:', *sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded:\n")
