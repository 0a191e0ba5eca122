"""What a panel has for an agent of CloudBase beside its answers: questions to ask next, and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cbai_notebook.client.providers import AGENT
from cbai_notebook.conversation import Turn
from cbai_notebook.errors import CbaiError

MAX_SUGGESTIONS = 4
"""Suggested questions that are shown."""

HISTORY_TURNS = 4
"""Turns that are sent to the agent when it is asked for suggestions."""


def agent_of(turn: Turn) -> str | None:
    """Return the agent that answered a turn; ``None`` where it was none."""
    return turn.model if turn.provider == AGENT else None


async def suggested_questions(turns: Sequence[Turn]) -> list[str]:
    """Return what the reader may want to ask an agent next; nothing where it cannot be had.

    Args:
        turns: The conversation, the turn that the agent has just answered last.
    """
    from cbai_notebook.client.agents.agent import agent

    last = turns[-1]
    name = agent_of(last)
    if name is None:
        return []
    history = [message for turn in turns[-HISTORY_TURNS:] if turn.text for message in turn.sent()]
    try:
        found = await agent(name).recommend_questions(last.prompt, history=history)
    except CbaiError:
        return []  # they are an offer; the answer stands without them
    return list(found[:MAX_SUGGESTIONS])


async def send_feedback(turn: Turn, opinion: Literal["up", "down"]) -> None:
    """Tell an agent whether its answer was of use.

    Raises:
        CbaiError: It could not be told.
    """
    from cbai_notebook.client.agents.agent import agent

    name = agent_of(turn)
    if name is not None and turn.record_id is not None:
        await agent(name).send_feedback(turn.record_id, opinion)
