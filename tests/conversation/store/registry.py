"""Open a history as a kernel does."""

from __future__ import annotations

from pathlib import Path

from cbai_notebook.conversation.registry import ConversationRegistry
from cbai_notebook.conversation.store import Store


def open_registry(
    file: Path | None, notebook: str | None = None, *, listed: bool = True
) -> ConversationRegistry:
    """Open the history in a file once more, as a newly started kernel does.

    Args:
        file: The history; None for a new one in memory.
        notebook: The path of the kernel's notebook; None for a kernel that does not know it.
        listed: Whether a frontend with cells runs the kernel.
    """
    return ConversationRegistry(Store(file), notebook, lambda: listed)
