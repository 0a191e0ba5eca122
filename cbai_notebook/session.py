"""What this process runs for: a notebook, a visitor of an app, or a run without a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""Environment variable in which a Jupyter server gives a kernel the path of its notebook, at each
start: after a rename and a restart it is the new path (jupyter_server 2.21 with JupyterLab 4.6 and
Notebook 7.6)."""

VS_CODE_PATH = "__vsc_ipynb_file__"
"""Variable of the user in which VS Code puts the path of the notebook:
https://github.com/microsoft/vscode-jupyter/pull/8531"""

_has_cells = False
_has_marimo = False


def ipython_shell() -> InteractiveShell | None:
    """Return the IPython shell of this process, or None in a script.

    IPython is not imported: a script or a web server may run without it.
    """
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell: InteractiveShell | None = find() if find is not None else None
    return shell


def draws_mathml() -> bool:
    """Return whether the notebook is in VS Code, Colab or marimo, whose outputs have no MathJax.

    VS Code sets `VS_CODE_PATH`; Colab's kernel is one of its own package.
    """
    if _has_marimo or "google.colab" in sys.modules:
        return True
    shell = ipython_shell()
    return shell is not None and VS_CODE_PATH in shell.user_ns


def note_marimo() -> None:
    """Remember that marimo runs this process. Only the thread of a cell can tell."""
    global _has_marimo
    _has_marimo = True


def note_cells() -> None:
    """Remember that a frontend with cells runs this kernel, because it sends the ids of its cells."""
    global _has_cells
    _has_cells = True


def leaves_entries() -> bool:
    """Return whether new conversations of this process appear in pickers and lists.

    Those of scripts, consoles, nbconvert and papermill do not: nobody looks for them there. These
    send no ids of cells. JupyterLab's console sends some, but has a session that is no notebook.

    A kernel that knows its notebook does not have to ask.
    """
    if is_app():  # the author shares a conversation on purpose; all others are in memory
        return True
    return _has_cells and os.environ.get(NOTEBOOK_VARIABLE, ".ipynb").endswith(".ipynb")


def is_marimo_app() -> bool:
    """Return whether marimo serves this notebook as an app: one process runs for all visitors."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and marimo.app_meta().mode == "run"


def is_app(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether this kernel serves a visitor of an app, who is not its author.

    Voilà starts a kernel for each visitor, with ``SERVER_SOFTWARE`` set as a web server sets it for
    a CGI script (RFC 3875, 4.1.17). A kernel that it starts before the visitor comes has
    ``VOILA_PREHEAT`` instead. Servers that run one process for all visitors, as Panel and Solara
    do, are not recognised.

    Args:
        environ: Environment variables; those of the process by default.
    """
    environ = os.environ if environ is None else environ
    return environ.get("SERVER_SOFTWARE", "").startswith("voila/") or "VOILA_PREHEAT" in environ
