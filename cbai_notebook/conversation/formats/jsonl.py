"""Export as JSON Lines: for fine-tuning, or as message records that lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.client.endings import Ending
from cbai_notebook.conversation.formats.escaping import json_text
from cbai_notebook.conversation.turn import COMPLETE

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Conversation, Message


def fine_tuning(conversation: Conversation) -> str:
    """Return one line ``{"messages": […]}`` with the messages to train a model on.

    Only whole answers are included: a stopped or cut answer would teach the model to stop early.
    """
    messages: list[Message] = []
    for turn in conversation.turns:
        # Include a system prompt even if its own turn failed: it applies to the turns after it.
        if turn.system:
            messages.append({"role": "system", "content": turn.system})
        cut = turn.ending in (Ending.CUT, Ending.FILTERED)
        if turn.status == COMPLETE and turn.text and not cut:
            messages += turn.sent()
    return json_text({"messages": messages}) + "\n" if messages else ""


def records(conversation: Conversation) -> str:
    """Return one line for each message, with every field of its record."""
    return "".join(f"{json_text(message)}\n" for message in conversation.messages)
