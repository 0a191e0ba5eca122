"""The store: conversations in SQLite, in a file that many kernels share or in memory."""

from cbai_notebook.conversation.store.location import current_store, history_file, keep_history
from cbai_notebook.conversation.store.store import CellsInCommon, Owner, Store, Stored

__all__ = [
    "CellsInCommon",
    "Owner",
    "Store",
    "Stored",
    "current_store",
    "history_file",
    "keep_history",
]
