"""Conversations as files: out in many forms, and in again.

This package knows turns and conversations, no notebook and no database. Every form is a row of
:data:`FORMS`; whatever a prompt or an answer holds, it stays text in every one of them.
"""

from cbai_notebook.conversation.forms.catalogue import FORMS, Form, export
from cbai_notebook.conversation.forms.exported import Export
from cbai_notebook.conversation.forms.reading import parse, read_file

__all__ = ["FORMS", "Export", "Form", "export", "parse", "read_file"]
