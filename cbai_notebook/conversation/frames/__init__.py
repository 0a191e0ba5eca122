"""Convert message records to DataFrames, and DataFrames and message lists back to turns."""

from cbai_notebook.conversation.records import Records

__all__ = ["Records"]
