"""Open a history as a kernel does."""

from __future__ import annotations

from pathlib import Path

from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store


def open_registry(file: Path | None, notebook: str | None = None) -> ConversationRegistry:
    """Open the history in a file once more, as a newly started kernel does.

    Args:
        file: The history; None for a new one in memory.
        notebook: The path of the kernel's notebook; None for a kernel without a notebook.
    """
    return ConversationRegistry(Store(file), notebook)
