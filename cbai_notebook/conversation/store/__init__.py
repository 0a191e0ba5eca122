"""The store: conversations in SQLite, in a file that many kernels share or in memory."""

from cbai_notebook.conversation.store.location import current_store, history_file, keep_history
from cbai_notebook.conversation.store.store import Owner, Store, Stored

__all__ = ["Owner", "Store", "Stored", "current_store", "history_file", "keep_history"]
