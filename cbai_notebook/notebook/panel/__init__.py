"""The chat panel: a conversation with its composer, in a notebook.

Importing this package is light; the widgets are loaded when a panel is shown.
"""

from cbai_notebook.notebook.panel.panel import ChatPanel

__all__ = ["ChatPanel"]
