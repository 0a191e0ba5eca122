"""What a panel has for an agent of CloudBase beside its answers: questions to ask next, and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cbai_notebook.client.providers import AGENT
from cbai_notebook.conversation import Turn
from cbai_notebook.errors import CbaiError

MOST = 4
"""Suggested questions that are shown."""


def bot_of(turn: Turn) -> str | None:
    """Return the agent that answered a turn; ``None`` where it was none."""
    return turn.model if turn.provider == AGENT else None


async def suggested(turns: Sequence[Turn]) -> list[str]:
    """Return what the reader may want to ask an agent next; nothing where it cannot be had.

    Args:
        turns: The conversation, the turn that the agent has just answered last.
    """
    from cbai_notebook.client.agents.agent import agent

    last = turns[-1]
    bot = bot_of(last)
    if bot is None:
        return []
    history = [message for turn in turns[-MOST:] if turn.text for message in turn.sent()]
    try:
        found = await agent(bot).recommend_questions(last.prompt, history=history)
    except CbaiError:
        return []  # they are an offer; the answer stands without them
    return list(found[:MOST])


async def send_feedback(turn: Turn, opinion: Literal["up", "down"]) -> None:
    """Tell an agent whether its answer was of use.

    Raises:
        CbaiError: It could not be told.
    """
    from cbai_notebook.client.agents.agent import agent

    bot = bot_of(turn)
    if bot is not None and turn.record_id is not None:
        await agent(bot).send_feedback(turn.record_id, opinion)
