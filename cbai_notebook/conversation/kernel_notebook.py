"""The notebook that this kernel runs for: its path, the id of the kernel, and the ids of its cells."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbai_notebook.conversation.cell_ids import cell_ids, is_cell_id
from cbai_notebook.session import NOTEBOOK_VARIABLE, VS_CODE_PATH

READ_S = 1.0
"""The most seconds that a prompt waits for the file, which may be in a slow network folder."""


@dataclass(frozen=True)
class KernelNotebook:
    """The notebook of a kernel, as far as the kernel can know it.

    Attributes:
        path: The path of the file when the kernel started; ``None`` if it is not known, or if the
            kernel has no notebook.
        kernel: The id of the kernel, which a restart keeps; ``None`` if it is not known.
    """

    path: str | None = None
    kernel: str | None = None

    def cells(self, path: str | None = None) -> frozenset[str]:
        """Return the ids of the cells in the notebook's file; empty if it cannot be read.

        Args:
            path: Another notebook's path instead, as the same server gives it.
        """
        asked = path or self.path
        return _read_in_time(self._file(asked)) if asked else frozenset()

    def _file(self, path: str) -> Path:
        """Return the file of a path; servers give an absolute path, or one below their folder."""
        folder = Path.cwd()  # the folder of the notebook
        for part in reversed(Path(self.path or "").parent.parts):
            folder = folder.parent if folder.name == part else folder
        return folder / path


def kernel_notebook() -> KernelNotebook:
    """Return the notebook of this kernel, or of this process if it is no kernel."""
    return KernelNotebook(notebook_path(), kernel_id())


def notebook_path() -> str | None:
    """Return the path of the notebook that this kernel runs for; ``None`` if there is none.

    A kernel, a script or a worker that a notebook's kernel has started inherits the notebook's path
    in its environment, but it does not run for that notebook.
    """
    told = getattr(sys.modules.get("__main__"), VS_CODE_PATH, None)
    if isinstance(told, str) and told.endswith(".ipynb"):
        return told
    name = os.environ.get(NOTEBOOK_VARIABLE, "")
    return name if name.endswith(".ipynb") and not _is_inherited(name) else None


def kernel_id() -> str | None:
    """Return the id of this kernel, the name of its connection file; ``None`` outside a kernel."""
    file = _connection_file()
    # A name that ends with a process id is used again by another kernel.
    return None if file is None or re.fullmatch(r"kernel-\d+", file.stem) else file.stem


def running_cell() -> str | None:
    """Return the id that the cell which runs has in the file; ``None`` if the frontend sends none.

    VS Code sends an address with the cell's number, which is the same in other notebooks.
    """
    parent: dict[str, Any] = (
        getattr(getattr(_kernel_app(), "kernel", None), "get_parent", dict)() or {}
    )
    id = (parent.get("metadata") or {}).get("cellId")
    return id if is_cell_id(id) else None


def _kernel_app() -> Any:
    """Return the application of ipykernel; ``None`` if this process is no kernel."""
    kernelapp = sys.modules.get("ipykernel.kernelapp")  # a kernel has imported it
    if kernelapp is None or not kernelapp.IPKernelApp.initialized():
        return None
    return kernelapp.IPKernelApp.instance()


def _connection_file() -> Path | None:
    file = getattr(_kernel_app(), "connection_file", "")
    return Path(file) if file else None


def _is_inherited(name: str) -> bool:
    """Return whether the process that started this one has the same session name.

    A server that starts a kernel for a notebook does not have the name itself.
    """
    try:
        import psutil
    except ImportError:  # ipykernel brings it
        return False
    file = _connection_file()
    # Reading the environment of another user's process is refused; then the server is trusted.
    with contextlib.suppress(psutil.Error, OSError):
        parent = psutil.Process().parent()
        # A kernel may be started through a shell or a launcher, and forked once it runs.
        while parent and file and any(file.name in word for word in parent.cmdline()):
            parent = parent.parent()
        return parent is not None and parent.environ().get(NOTEBOOK_VARIABLE) == name
    return False


def _read_in_time(file: Path) -> frozenset[str]:
    """Return the ids of the cells in a file, or nothing if reading it takes too long."""
    found: list[frozenset[str]] = []
    reader = threading.Thread(target=lambda: found.append(cell_ids(file)), daemon=True)
    reader.start()
    reader.join(READ_S)
    return found[0] if found else frozenset()
