"""One turn: a prompt, and what came back for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from cbai_notebook.conversation.tool_calls import ToolCall, calls_of

ASKED, STREAMING, COMPLETE, PARTIAL, CANCELLED, FAILED = (
    "asked",
    "streaming",
    "complete",
    "partial",
    "cancelled",
    "failed",
)
"""How a turn stands: written down and sent to nobody; on its way; ended well; broken off by the other
side; stopped by the user; ended with no answer at all."""


# Two turns are never the same one, however alike they are.
@dataclass(eq=False)
class Turn:
    """A prompt and its answer, filled in while the answer streams.

    Attributes:
        prompt: The user's message, as sent.
        created_at: When the prompt was asked, in UTC.
        system: The system prompt that applies from this turn on, where it changed; else ``None``.
        provider, model: Who was asked. The model is what the server reports, once it has.
        asked_model: The model as it was asked for, which a server may report under another name;
            ``None`` where nobody knows, as of turns that were imported.
        params: The request's other parameters, such as ``temperature``.
        images: The addresses of images that went along with the prompt, ``data:`` ones included.
        steps: The messages between the prompt and the final answer, as sent to the model: an
            assistant's with its tool calls, then one of role ``tool`` for each call.
        status: One of ``asked``, ``streaming``, ``complete``, ``partial``, ``cancelled``, ``failed``.
        error: The one readable line of what went wrong.
        error_details: Status, code and request id of what went wrong, for a support ticket.
        duration_s, first_token_s: Seconds from the prompt to the end and to the first token.
        cell_id: The frontend's id of the cell that asked, where it gives one.
        cell_turn: Which of the turns that the cell made in one run this is, from 0.
        dropped_turns: How many turns before this one did not fit into what was sent.
        stale: Whether something before this turn has changed since it was answered.
        id: The turn's number in the store, where it is stored.
        origin: The number of the turn that this one was copied from without a request; 0 where that
            one has none.
        request: A fingerprint of the request that was sent.
        record_id: An agent's own number for the answer, to which feedback is sent.
        sources: What an agent drew on: ``searched``, pages as dicts of ``title``, ``url`` and
            ``index``, and ``looked_up``, names of knowledge bases; empty where nothing is known.
        drawn: Whether pictures were asked for; the text is a line about them.
        allow_secrets: Whether the user has sent a secret on purpose, which is then kept as well.
    """

    prompt: str
    created_at: datetime
    system: str | None = None
    provider: str | None = None
    model: str | None = None
    asked_model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    status: str = STREAMING
    finish_reason: str | None = None
    error: str | None = None
    error_details: str = ""
    duration_s: float | None = None
    first_token_s: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cell_id: str | None = None
    cell_turn: int = 0
    dropped_turns: int = 0
    stale: bool = False
    id: int | None = None
    origin: int | None = None
    request: str | None = None
    record_id: str | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    drawn: bool = False
    allow_secrets: bool = False
    _calls: dict[str, ToolCall] = field(default_factory=dict, repr=False)
    _text: list[str] = field(default_factory=list, repr=False)
    _reasoning: list[str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._text)

    @property
    def final_text(self) -> str:
        """The answer's own text: what came after the steps of tools."""
        return self.text[len(join_steps(self.steps, "")) :]

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of tools so far, in order."""
        return list(self._calls.values()) or calls_of(self.steps)

    def update_call(self, call: ToolCall) -> None:
        """Take note of how a call stands."""
        self._calls[call.id] = call

    @property
    def reasoning(self) -> str:
        """What the model thought aloud so far."""
        return "".join(self._reasoning)

    def add(self, text: str, reasoning: str) -> None:
        """Append what has just arrived."""
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)

    def replace_text(self, final_text: str) -> None:
        """Take another text for the answer's own, as when a repaired answer replaced it."""
        self._text[:] = [join_steps(self.steps, final_text)]

    def text_since(self, seen: tuple[int, int]) -> tuple[str, str, tuple[int, int]]:
        """Return what has come since a mark, for a reader at its own pace.

        Args:
            seen: The mark: ``(0, 0)`` at first, then what the last call gave.

        Returns:
            The new text, the new reasoning, and the next mark.
        """
        # Both lists only grow, so a cut at a length taken first neither loses nor repeats a piece.
        now = len(self._text), len(self._reasoning)
        text = "".join(self._text[seen[0] : now[0]])
        return text, "".join(self._reasoning[seen[1] : now[1]]), now

    def update_from(self, other: Turn) -> None:
        """Become what another object of the same turn says; what has come already only grows."""
        text, reasoning = self.text, self.reasoning
        for attribute in fields(self):
            if attribute.name not in ("_text", "_reasoning", "allow_secrets"):
                setattr(self, attribute.name, getattr(other, attribute.name))
        if other.text.startswith(text) and other.reasoning.startswith(reasoning):
            self.add(other.text[len(text) :], other.reasoning[len(reasoning) :])
        else:
            self._text, self._reasoning = [other.text], [other.reasoning]

    def copy(self) -> Turn:
        """Return the turn as it stands, for another conversation."""
        status = PARTIAL if self.status == STREAMING else self.status
        origin = self.origin or self.id or 0
        copy = replace(
            self,
            id=None,
            origin=origin,
            request=None,
            status=status,
            _text=[],
            _reasoning=[],
            _calls={},
        )
        copy.add(self.text, self.reasoning)
        return copy

    def sent(self, *, images: bool = True, steps: bool = True) -> list[dict[str, Any]]:
        """Return the turn's messages as they are sent to a model; without the system prompt.

        Args:
            images: With the images that went along.
            steps: With the calls of tools and their results; else with the words alone.
        """
        user = user_message(self.prompt, self.images if images else ())
        if not (steps and self.steps):
            return [user, {"role": "assistant", "content": self.text}]
        final_text = self.final_text
        # An answer that ended with its last calls has no words of its own.
        answer = [{"role": "assistant", "content": final_text}] if final_text else []
        return [user, *map(dict, self.steps), *answer]

    def records(self, conversation: str, number: int) -> list[dict[str, Any]]:
        """Return the turn as flat messages: system (where it changed), user, tool steps, assistant."""
        shared = {
            "conversation": conversation,
            "turn": number,
            "provider": self.provider,
            "model": self.model,
            "cell_id": self.cell_id,
            "created_at": self.created_at,
            "stale": self.stale,
        }
        records = []
        if self.system is not None:
            records.append(_record(shared, role="system", content=self.system, status=COMPLETE))
        status = ASKED if self.status == ASKED else COMPLETE
        user = {"content": self.prompt, "images": list(self.images) or None, "status": status}
        records.append(_record(shared, role="user", **user))
        for step in self.steps:
            records.append(_record(shared, status=COMPLETE, **_step_fields(step)))
        if self.status == ASKED:
            return records
        answer = {
            "content": self.final_text,
            "reasoning": self.reasoning or None,
            "status": self.status,
            "finish_reason": self.finish_reason,
            "error": self.error,
            "duration_s": self.duration_s,
            "first_token_s": self.first_token_s,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "params": dict(self.params) or None,
        }
        records.append(_record(shared, role="assistant", **answer))
        return records


BETWEEN_STEPS = "\n\n"
"""What stands between the text of a step and what follows it."""


def join_steps(steps: Iterable[Mapping[str, Any]], final_text: str) -> str:
    """Return an answer's whole text: what was said along with calls of tools, and then the answer.

    Args:
        steps: The messages of the steps.
        said: The answer's own text.
    """
    parts = [str(step.get("content") or "") for step in steps if step.get("role") == "assistant"]
    return "".join(part + BETWEEN_STEPS for part in parts if part) + final_text


def user_message(prompt: str, images: Sequence[str] = ()) -> dict[str, Any]:
    """Return a user's message as it is sent to a model.

    Args:
        prompt: The text.
        images: Addresses of images that go along, ``data:`` ones included.
    """
    if not images:
        return {"role": "user", "content": prompt}
    parts: list[dict[str, Any]] = [{"type": "text", "text": prompt}] if prompt else []
    parts += [{"type": "image_url", "image_url": {"url": url}} for url in images]
    return {"role": "user", "content": parts}


RECORD_KEYS = (
    "conversation",
    "turn",
    "role",
    "content",
    "reasoning",
    "provider",
    "model",
    "status",
    "finish_reason",
    "error",
    "created_at",
    "duration_s",
    "first_token_s",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cell_id",
    "stale",
    "params",
    "images",
    "tool_calls",
    "tool_call_id",
)
"""The keys of every message record, in this order, so that a DataFrame needs no help."""

_EMPTY = dict.fromkeys(RECORD_KEYS)


def _step_fields(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a message of a tool step that a record has."""
    return {
        "role": step["role"],
        "content": step.get("content") or "",
        "tool_calls": step.get("tool_calls"),
        "tool_call_id": step.get("tool_call_id"),
    }


def _record(shared: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {**_EMPTY, **shared, **values}
