"""The room that talks to CloudBase AI over HTTP. It knows no notebook and no database.

Importing this package does no work; a name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbai_notebook.client.agents.agent import Agent, agent
    from cbai_notebook.client.agents.stream import AgentAnswer, AgentStream
    from cbai_notebook.client.agents.values import (
        AgentConversation,
        AgentInfo,
        Feedback,
        Page,
        Record,
        SearchResult,
    )
    from cbai_notebook.client.answer import Answer, Timing
    from cbai_notebook.client.events import Event, EventParser
    from cbai_notebook.client.images.answer import GeneratedImage, ImageAnswer
    from cbai_notebook.client.images.model import ImageModel, create_image_model
    from cbai_notebook.client.images.part import image_part
    from cbai_notebook.client.model import Model, create_model
    from cbai_notebook.client.providers import (
        SUGGESTED_MODELS,
        Endpoint,
        Provider,
        parse_model_spec,
        provider_for,
        register_provider,
    )
    from cbai_notebook.client.request import Request
    from cbai_notebook.client.settings import Secret, Settings, Timeout, configure
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.tools.record import CallResult, PendingCall, Step, ToolCallState
    from cbai_notebook.client.tools.tool import Tool, tool
    from cbai_notebook.client.wire import Chunk

_HOME = {
    "Agent": "agents.agent",
    "AgentAnswer": "agents.stream",
    "AgentConversation": "agents.values",
    "AgentInfo": "agents.values",
    "AgentStream": "agents.stream",
    "Answer": "answer",
    "CallResult": "tools.record",
    "Chunk": "wire",
    "Endpoint": "providers",
    "Event": "events",
    "EventParser": "events",
    "Feedback": "agents.values",
    "GeneratedImage": "images.answer",
    "ImageAnswer": "images.answer",
    "ImageModel": "images.model",
    "Model": "model",
    "Page": "agents.values",
    "PendingCall": "tools.record",
    "Provider": "providers",
    "Record": "agents.values",
    "Request": "request",
    "SUGGESTED_MODELS": "providers",
    "SearchResult": "agents.values",
    "Secret": "settings",
    "Settings": "settings",
    "Step": "tools.record",
    "TextStream": "stream",
    "Timeout": "settings",
    "Timing": "answer",
    "agent": "agents.agent",
    "Tool": "tools.tool",
    "ToolCallState": "tools.record",
    "configure": "settings",
    "create_image_model": "images.model",
    "create_model": "model",
    "image_part": "images.part",
    "parse_model_spec": "providers",
    "provider_for": "providers",
    "register_provider": "providers",
    "tool": "tools.tool",
}

# `settings` is a function and a module at once: the module's own name wins for an attribute of
# this package, so the function is reached as `client.settings.settings` or at the package's top.
__all__ = [
    "SUGGESTED_MODELS",
    "Agent",
    "AgentAnswer",
    "AgentConversation",
    "AgentInfo",
    "AgentStream",
    "Answer",
    "CallResult",
    "Chunk",
    "Endpoint",
    "Event",
    "EventParser",
    "Feedback",
    "GeneratedImage",
    "ImageAnswer",
    "ImageModel",
    "Model",
    "Page",
    "PendingCall",
    "Provider",
    "Record",
    "Request",
    "SearchResult",
    "Secret",
    "Settings",
    "Step",
    "TextStream",
    "Timeout",
    "Timing",
    "Tool",
    "ToolCallState",
    "agent",
    "configure",
    "create_image_model",
    "create_model",
    "image_part",
    "parse_model_spec",
    "provider_for",
    "register_provider",
    "tool",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
