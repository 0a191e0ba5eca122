"""The chat panel: a conversation with a message box, in a notebook.

Importing this package loads no widget library; the widgets are loaded when a panel is shown.
"""

from cbai_notebook.notebook.panel.panel import ChatPanel

__all__ = ["ChatPanel"]
