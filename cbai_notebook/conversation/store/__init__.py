"""Conversations on disk: one SQLite file that many kernels write to at once."""

from cbai_notebook.conversation.store.location import archive, keep_history, place
from cbai_notebook.conversation.store.store import Archive, Stored

__all__ = ["Archive", "Stored", "archive", "keep_history", "place"]
