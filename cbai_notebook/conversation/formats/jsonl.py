"""JSON Lines: the form that fine-tuning takes, and our own that loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.conversation.formats.escaping import json_text
from cbai_notebook.conversation.turn import COMPLETE

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Conversation, Message


def fine_tuning(conversation: Conversation) -> str:
    """Return one line ``{"messages": […]}`` with what a model is to learn from.

    Only whole answers are in it: one that was stopped or cut teaches a model to break off.
    """
    messages: list[Message] = []
    for turn in conversation.turns:
        # A system prompt is learnt even where the turn that set it came to nothing.
        if turn.system:
            messages.append({"role": "system", "content": turn.system})
        if turn.status == COMPLETE and turn.text:
            messages += turn.sent()
    return json_text({"messages": messages}) + "\n" if messages else ""


def records(conversation: Conversation) -> str:
    """Return one line for each message, with everything that is known of it."""
    return "".join(f"{json_text(message)}\n" for message in conversation.messages)
