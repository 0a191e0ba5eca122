"""Open a history as a kernel does."""

from __future__ import annotations

import uuid
from pathlib import Path

import nbformat

from cbai_notebook.conversation.kernel_notebook import KernelNotebook
from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store


def open_registry(
    file: Path | None,
    notebook: Path | str | None = None,
    kernel: str | None = None,
    *,
    listed: bool = True,
) -> ConversationRegistry:
    """Open the history in a file once more, as a newly started kernel does.

    Args:
        file: The history; None for a new one in memory.
        notebook: The path of the kernel's notebook; None for a kernel without a notebook.
        kernel: The id of the kernel, which a restart keeps; each other kernel has another one.
        listed: Whether a frontend with cells runs the kernel.
    """
    path = None if notebook is None else str(notebook)
    told = KernelNotebook(path, kernel or uuid.uuid4().hex)
    return ConversationRegistry(Store(file), told, lambda: listed)


def write_cells(notebook: Path, *ids: str) -> Path:
    """Save a notebook with code cells of these ids."""
    cells = [nbformat.v4.new_code_cell("1 + 1", id=id) for id in ids]
    notebook.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    return notebook
