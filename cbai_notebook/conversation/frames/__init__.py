"""Messages as tables and back: flat records, DataFrames, and the turns that they stand for."""

from cbai_notebook.conversation.records import Records

__all__ = ["Records"]
