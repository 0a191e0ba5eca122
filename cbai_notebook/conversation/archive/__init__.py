"""Conversations on disk: one SQLite file that many kernels write to at once."""

from cbai_notebook.conversation.archive.archive import Archive, Stored
from cbai_notebook.conversation.archive.place import archive, keep_history, place

__all__ = ["Archive", "Stored", "archive", "keep_history", "place"]
