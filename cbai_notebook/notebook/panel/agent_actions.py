"""Requests of the panel to a CloudBase agent besides prompts: suggested questions, and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from cbai_notebook.client.providers import AGENT
from cbai_notebook.conversation import Turn
from cbai_notebook.errors import CbaiError

if TYPE_CHECKING:
    from cbai_notebook.client.agents.values import AgentInfo

MAX_SUGGESTIONS = 4
"""The most suggested questions that are shown."""

HISTORY_TURNS = 4
"""Turns that are sent to the agent with a request for suggestions."""


def agent_of(turn: Turn) -> str | None:
    """Return the id of the agent that answered a turn, or None if a model answered."""
    return turn.model if turn.provider == AGENT else None


def agent_of_model(model: str) -> str | None:
    """Return the id of the agent that a model's name names, or None for a model."""
    provider, _, name = model.partition("/")
    return name if provider == AGENT and name else None


async def about(name: str) -> AgentInfo | None:
    """Return the settings of an agent, with its greeting; None if the request fails."""
    from cbai_notebook.client.agents.agent import agent

    try:
        return await agent(name).get()
    except CbaiError:
        return None  # a greeting is optional; the first prompt tells what is wrong


async def suggested_questions(turns: Sequence[Turn]) -> list[str]:
    """Return questions that the user may ask the agent next; an empty list if the request fails.

    Args:
        turns: The conversation; the last turn is the one that the agent has just answered.
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
        return []  # suggestions are optional; the answer is complete without them
    return list(found[:MAX_SUGGESTIONS])


async def send_feedback(turn: Turn, opinion: Literal["up", "down"]) -> None:
    """Send feedback on an agent's answer: good ("up") or bad ("down").

    Raises:
        CbaiError: The request failed.
    """
    from cbai_notebook.client.agents.agent import agent

    name = agent_of(turn)
    if name is not None and turn.record_id is not None:
        await agent(name).send_feedback(turn.record_id, opinion)
