"""Conversations: turns, messages, and the one path that a prompt takes."""

from cbai_notebook.conversation import secrets
from cbai_notebook.conversation.ask import Question, ask, context_of, request_of
from cbai_notebook.conversation.context import Bounds, Context
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.delta import Delta
from cbai_notebook.conversation.registry import chat, fresh, names, shelf, use
from cbai_notebook.conversation.store import keep_history
from cbai_notebook.conversation.tool_calls import Call
from cbai_notebook.conversation.turn import RECORD_KEYS, Turn
from cbai_notebook.conversation.watching import Change

__all__ = [
    "RECORD_KEYS",
    "Bounds",
    "Call",
    "Change",
    "Context",
    "Conversation",
    "Delta",
    "Question",
    "Turn",
    "ask",
    "chat",
    "context_of",
    "fresh",
    "keep_history",
    "names",
    "request_of",
    "secrets",
    "shelf",
    "use",
]
