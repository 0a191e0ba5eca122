"""Turns and conversations for tests."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.conversation.turn import join_steps

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=timezone.utc)


def turn(prompt: str, answer: str = "", **values: Any) -> Turn:
    """Return a turn that a model has answered.

    Args:
        prompt: The user's prompt.
        answer: The text after the last tool call.
        values: Fields of the turn that differ from those of an ordinary answer.
    """
    ordinary = {
        "status": "complete", "provider": "cloudbase", "model": "hy3", "duration_s": 1.5,
        "first_token_s": 0.25,
    }  # fmt: skip
    made = Turn(prompt=prompt, created_at=NOW, **{**ordinary, **values})
    made.add(join_steps(made.steps, answer), "")
    return made


def conversation(*turns: Turn, name: str = "poems") -> Conversation:
    """Return a conversation with these turns."""
    made = Conversation(name)
    for each in turns:
        made.open(each).wait(30)
    return made


def prompts(talk: Conversation) -> list[str]:
    """Return the prompts on the active path."""
    return [each.prompt for each in talk.turns]
