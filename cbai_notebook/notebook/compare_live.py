"""Shows the comparisons of ``cbai.compare`` below the cell that runs them, while they run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from cbai_notebook.comparison.compare import show_in
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.notebook.frontend import is_kernel, names_cell
from cbai_notebook.session import ipython_shell


def register() -> None:
    """Show the comparisons of this kernel below their cells, also without ``%load_ext``."""
    show_in(_in_running_cell)


def _in_running_cell(made: Comparison) -> Callable[[], None] | None:
    """Return what runs a comparison and shows it; None where no output can change while it runs."""
    shell = ipython_shell()
    if shell is None or not is_kernel(shell) or not names_cell(shell):
        return None
    if threading.current_thread() is not threading.main_thread():
        return None
    # Imported when first used: the screen imports the Markdown renderer.
    from cbai_notebook.notebook.compare_cell import run_below_cell

    return partial(run_below_cell, shell, made, list(made.hints))
