"""The store: conversations in one SQLite file that many kernels read and write at once."""

from cbai_notebook.conversation.store.location import current_store, history_file, keep_history
from cbai_notebook.conversation.store.store import Store, Stored

__all__ = ["Store", "Stored", "current_store", "history_file", "keep_history"]
