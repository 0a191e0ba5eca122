"""Replay: return the stored answer of an equal earlier request instead of sending the request."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.providers import model_label
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.settings import Settings


_ENCODER = json.JSONEncoder(sort_keys=True, default=repr)
"""Writes equal values as the same text; made once, because rows come by the thousand."""

_PLAIN = {"role", "content"}


def fingerprint(
    provider: str, model: str | None, params: Mapping[str, Any], settings: Settings
) -> str:
    """Return a hash of a request: of its provider, address, model, messages and parameters.

    Args:
        provider: The name of the provider.
        model: The name of the model, also where the parameters name none.
        params: The parameters of the request, messages included.
        settings: The settings of the request.
    """
    text = _canonical(provider, model, params, settings)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Fingerprints:
    """The fingerprints of requests that differ in their messages only; each costs little.

    Args:
        provider: As for `fingerprint`.
        model: As for `fingerprint`.
        params: The parameters of the requests; their messages are ignored.
        settings: As for `fingerprint`.
    """

    def __init__(
        self, provider: str, model: str | None, params: Mapping[str, Any], settings: Settings
    ) -> None:
        place = uuid.uuid4().hex  # a text that is nowhere in the parameters
        text = _canonical(provider, model, {**params, "messages": place}, settings)
        before, after = text.split(json.dumps(place))
        self._before = hashlib.sha256(before.encode("utf-8", "surrogatepass"))
        self._after = after.encode("utf-8", "surrogatepass")

    def of(self, messages: Sequence[Any]) -> bytes:
        """Return the fingerprint of a request with these messages, as 32 bytes."""
        text = f"[{', '.join(map(_message_text, messages))}]"
        found = self._before.copy()
        found.update(text.encode("utf-8", "surrogatepass"))
        found.update(self._after)
        return found.digest()


def _message_text(message: Any) -> str:
    """Return a message as `_ENCODER` writes it; most have a role and a text, and cost little so."""
    if type(message) is dict and message.keys() == _PLAIN and type(message["content"]) is str:
        content, role = map(_ENCODER.encode, (message["content"], message["role"]))
        return f'{{"content": {content}, "role": {role}}}'
    return _ENCODER.encode(message)


def _canonical(
    provider: str, model: str | None, params: Mapping[str, Any], settings: Settings
) -> str:
    """Return what is sent, and where, as one text that is the same for equal requests."""
    request = [provider, settings.address_of(provider), model, {**params, "model": model}]
    return _ENCODER.encode(request)


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
    from cbai_notebook.client.answer import AnswerFacts, Timing, from_completion
    from cbai_notebook.client.sources import Sources

    message = {"role": "assistant", "content": turn.final_text}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    raw: dict[str, Any] = {
        "id": turn.record_id,
        "object": "chat.completion",
        "model": turn.model,
        "choices": [{"index": 0, "message": message, "finish_reason": turn.finish_reason}],
    }
    model = model_label(turn.provider, turn.model)
    facts = AnswerFacts(
        turn.provider or "",
        " · ".join((model, say("conversation.replayed"))),
        turn.model or "",
        [*request_messages, *map(dict, turn.steps)],
        timing=Timing(attempts=0),
    )
    answer = from_completion(raw, facts)
    answer.record_id, answer.sources = turn.record_id, Sources.from_stored(turn.sources)
    if response_type is not None:
        from cbai_notebook.client.structured.response_type import response_type_of

        answer.parsed = response_type_of(response_type).parse(turn.final_text)
    return answer
