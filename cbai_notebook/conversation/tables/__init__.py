"""Messages as tables and back: flat records, DataFrames, and the turns that they stand for."""

from cbai_notebook.conversation.tables.records import Records

__all__ = ["Records"]
