"""Ask a language model from a notebook: ``%load_ext cbai_notebook``, then ``%%cbai``.

The names below are loaded when they are first used, so that importing the package does no work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cbai_notebook.client import (
        Agent,
        AgentStream,
        Answer,
        Chunk,
        Event,
        ImageAnswer,
        ImageModel,
        Model,
        TextStream,
        Timeout,
        Tool,
        agent,
        create_image_model,
        create_model,
        image_part,
        tool,
    )
    from cbai_notebook.conversation import Conversation, chat, use
    from cbai_notebook.conversation.history import history
    from cbai_notebook.errors import CbaiError
    from cbai_notebook.notebook.bridge import run
    from cbai_notebook.notebook.configuration import configure
    from cbai_notebook.notebook.panel import ChatPanel
    from cbai_notebook.notebook.show import show

__version__ = "0.1.0"

_HOME = {
    "Agent": "client",
    "AgentStream": "client",
    "Answer": "client",
    "CbaiError": "errors",
    "ChatPanel": "notebook.panel",
    "Chunk": "client",
    "Conversation": "conversation",
    "Event": "client",
    "ImageAnswer": "client",
    "ImageModel": "client",
    "Model": "client",
    "TextStream": "client",
    "Timeout": "client",
    "agent": "client",
    "Tool": "client",
    "chat": "conversation",
    "configure": "notebook.configuration",
    "create_image_model": "client",
    "create_model": "client",
    "history": "conversation.history",
    "image_part": "client",
    "run": "notebook.bridge",
    "show": "notebook.show",
    "use": "conversation",
    "tool": "client",
}

__all__ = [
    "Agent",
    "AgentStream",
    "Answer",
    "CbaiError",
    "ChatPanel",
    "Chunk",
    "Conversation",
    "Event",
    "ImageAnswer",
    "ImageModel",
    "Model",
    "TextStream",
    "Timeout",
    "Tool",
    "agent",
    "chat",
    "configure",
    "create_image_model",
    "create_model",
    "history",
    "image_part",
    "run",
    "show",
    "tool",
    "use",
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
