"""Replay: return the stored answer of an equal earlier request instead of sending the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.turn import Turn

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer

NOTE = "from the history, nothing was sent"
"""The end of the label of a replayed answer."""


def fingerprint(provider: str, params: Mapping[str, Any]) -> str:
    """Return a hash of a request: of its provider, address, model, messages and parameters.

    Args:
        provider: The name of the provider.
        params: The parameters of the request, messages included.
    """
    from cbai_notebook.client.providers import default_model
    from cbai_notebook.client.settings import settings

    now = settings()
    model = params.get("model") or default_model(provider, now)
    server = now.servers.get(provider)
    address = server.base_url if server else now.base_url or now.env_id
    request = [provider, address, model, {**params, "model": model}]
    text = json.dumps(request, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def answer_of(
    turn: Turn, request_messages: list[dict[str, Any]], response_type: Any = None
) -> Answer:
    """Return a stored turn's answer in the same form as an answer to a request.

    Args:
        turn: The turn.
        request_messages: The messages that the turn answers.
        response_type: The type to parse the answer as, for a structured answer.

    Raises:
        StructuredAnswerError: The text cannot be parsed as `response_type`.
    """
    from cbai_notebook.client.answer import Timing, from_completion

    message = {"role": "assistant", "content": turn.final_text}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    raw: dict[str, Any] = {
        "id": turn.record_id,
        "object": "chat.completion",
        "model": turn.model,
        "choices": [{"index": 0, "message": message, "finish_reason": turn.finish_reason}],
    }
    answer = from_completion(
        raw,
        request_messages=[*request_messages, *map(dict, turn.steps)],
        provider=turn.provider or "",
        label=" · ".join(("/".join(filter(None, (turn.provider, turn.model))), NOTE)),
        timing=Timing(attempts=0),
        request_id=None,
        make=_agent_answer_factory(turn),
    )
    if response_type is not None:
        from cbai_notebook.client.structured.response_type import response_type_of

        answer.parsed = response_type_of(response_type).parse(turn.final_text)
    return answer


def _agent_answer_factory(turn: Turn) -> Callable[..., Answer] | None:
    """Return the constructor of an agent's answer; ``None`` for a model's answer."""
    from cbai_notebook.client.providers import AGENT

    if turn.provider != AGENT:
        return None
    from cbai_notebook.client.agents.agent_stream import AgentAnswer
    from cbai_notebook.client.agents.values import SearchResult

    return partial(
        AgentAnswer,
        agent_id=turn.model or "",
        search_results=tuple(map(SearchResult.of, turn.sources.get("searched", ()))),
        knowledge=tuple(turn.sources.get("looked_up", ())),
    )
