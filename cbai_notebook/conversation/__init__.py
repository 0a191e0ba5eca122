"""Conversations: turns and messages, how a prompt is asked, and where conversations are stored."""

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation import secrets
from cbai_notebook.conversation.ask import ask
from cbai_notebook.conversation.context import Context, ContextLimits
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.delta import Delta
from cbai_notebook.conversation.prepare import PreparedPrompt, prepare, prepare_drawing
from cbai_notebook.conversation.prompt import Prompt
from cbai_notebook.conversation.registry import chat, conversations, names, new_conversation, use
from cbai_notebook.conversation.store import keep_history
from cbai_notebook.conversation.turn import RECORD_KEYS, Turn
from cbai_notebook.conversation.watching import Change

__all__ = [
    "RECORD_KEYS",
    "Change",
    "Context",
    "ContextLimits",
    "Conversation",
    "Delta",
    "PreparedPrompt",
    "Prompt",
    "ToolCall",
    "Turn",
    "ask",
    "chat",
    "conversations",
    "keep_history",
    "names",
    "new_conversation",
    "prepare",
    "prepare_drawing",
    "secrets",
    "use",
]
