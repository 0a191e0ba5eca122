"""Export conversations to files in several formats, and import them.

The package uses turns and conversations; it imports no notebook code and no database code. Every
format is a row of :data:`FORMS`. No format may treat text of a prompt or an answer as code or
markup.
"""

from cbai_notebook.conversation.formats.export import FORMS, Form, export, export_all
from cbai_notebook.conversation.formats.export_files import Export
from cbai_notebook.conversation.formats.load import parse, read_file, read_turns

__all__ = [
    "FORMS",
    "Export",
    "Form",
    "export",
    "export_all",
    "parse",
    "read_file",
    "read_turns",
]
