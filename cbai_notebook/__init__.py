"""Ask a language model from a notebook: ``%load_ext cbai_notebook``, then ``%%cbai``.

The names below are loaded when they are first used, so that importing the package does no work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client import (
        Answer,
        Chunk,
        Event,
        Model,
        TextStream,
        Timeout,
        Tool,
        create_model,
        tool,
    )
    from cbai_notebook.conversation import Conversation, chat
    from cbai_notebook.errors import CbaiError
    from cbai_notebook.notebook.bridge import run
    from cbai_notebook.notebook.configuration import configure
    from cbai_notebook.notebook.panel import ChatPanel
    from cbai_notebook.notebook.show import show

__version__ = "0.1.0"

_HOME = {
    "Answer": "client",
    "CbaiError": "errors",
    "ChatPanel": "notebook.panel",
    "Chunk": "client",
    "Conversation": "conversation",
    "Event": "client",
    "Model": "client",
    "TextStream": "client",
    "Timeout": "client",
    "Tool": "client",
    "chat": "conversation",
    "configure": "notebook.configuration",
    "create_model": "client",
    "run": "notebook.bridge",
    "show": "notebook.show",
    "tool": "client",
}

__all__ = [
    "Answer",
    "CbaiError",
    "ChatPanel",
    "Chunk",
    "Conversation",
    "Event",
    "Model",
    "TextStream",
    "Timeout",
    "Tool",
    "chat",
    "configure",
    "create_model",
    "run",
    "show",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add ``%cbai`` and ``%%cbai`` to an IPython shell."""
    from cbai_notebook.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take ``%cbai`` and ``%%cbai`` away again."""
    from cbai_notebook.notebook.extension import unload

    unload(shell)
