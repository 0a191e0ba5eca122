"""Conversations as files: out in many forms, and in again.

This package knows turns and conversations, no notebook and no database. Every form is a row of
:data:`FORMS`; whatever a prompt or an answer holds, it stays text in every one of them.
"""

from cbai_notebook.conversation.formats.export import FORMS, Form, export
from cbai_notebook.conversation.formats.files import Export
from cbai_notebook.conversation.formats.load import parse, read_file

__all__ = ["FORMS", "Export", "Form", "export", "parse", "read_file"]
