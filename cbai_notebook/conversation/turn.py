"""One turn: a prompt and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from cbai_notebook.client.endings import Ending, ending_of
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation.tool_calls import calls_of
from cbai_notebook.i18n import Words, said_now

ASKED, STREAMING, COMPLETE, PARTIAL, CANCELLED, FAILED = (
    "asked",
    "streaming",
    "complete",
    "partial",
    "cancelled",
    "failed",
)
"""Status of a turn: prompt noted but not sent; answer streams; answer complete; answer broken off
by an error; cancelled by the user; failed without any answer."""


# eq=False: turns are compared and hashed by identity, not by their attributes.
@dataclass(frozen=True)
class EarlierTurns:
    """Turns of an earlier session that are sent with a prompt.

    Attributes:
        count: Their number.
        since: The time of the first prompt.
    """

    count: int
    since: datetime


_OF_THIS_PROCESS = ("_text", "_reasoning", "allow_secrets", "carried", "note", "earlier")


@dataclass(eq=False)
class Turn:
    """A prompt and its answer, filled in while the answer streams.

    Attributes:
        prompt: The user's message, as sent.
        created_at: Time of the prompt, in UTC.
        system: The system prompt from this turn on, if it changed here; else ``None``.
        provider, model: The provider, and the model as the server reports it once it has answered.
        asked_model: The model as it was requested, which a server may report under another name;
            ``None`` if unknown, as for imported turns.
        params: The request's other parameters, such as ``temperature``.
        images: The URLs of images that were sent with the prompt, ``data:`` URLs included.
        steps: The messages between the prompt and the final answer, as sent to the model: one of
            role ``assistant`` with tool calls, then one of role ``tool`` for each call.
        reply: The fields of the final assistant message that a model needs back and that are not
            in the text, such as its thinking; empty unless tools were called before.
        status: One of ``asked``, ``streaming``, ``complete``, ``partial``, ``cancelled``,
            ``failed``.
        error: The error in one readable line; of ours as `Words`, also after it was stored.
        error_details: Status, code and request id of the error, for a support ticket.
        cached_tokens: How many tokens of the prompt the server had in its cache.
        duration_s, first_token_s: Seconds from the prompt to the end and to the first token.
        cell_id: The frontend's id of the cell that asked, if it gives one.
        cell_turn: Index of this turn within one run of the cell, from 0.
        continued_by: The id of the cell that continued the answer with ``%cbai continue``.
        dropped_turns: How many earlier turns did not fit into the context.
        stale: Whether an earlier turn has changed since this turn was answered.
        id: The id of the turn in the store; ``None`` if it is not stored.
        origin: The id of the turn that this one was copied from without a request; 0 if that turn
            has no id.
        request: The fingerprint of the request; empty if the turn failed before it was sent.
        record_id: The agent's id for the answer, which feedback refers to.
        sources: Sources of an agent's answer: ``searched``, web pages as dicts of ``title``,
            ``url`` and ``index``, and ``looked_up``, names of knowledge bases; empty if unknown.
        drawn: Whether images were requested; the text is then a line about them.
        carried: How many characters of the text are those of the answer that this turn continues;
            0 if it continues none, or after the turn was loaded from disk.
        note: A hint about the answer for the user; not stored.
        earlier: The turns of an earlier session that went along, where the user is told; not stored.
        allow_secrets: Whether the user sent a secret on purpose; the history then stores it too.
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
    reply: Mapping[str, Any] = field(default_factory=dict)
    status: str = STREAMING
    finish_reason: str | None = None
    error: str | None = None
    error_details: str = ""
    duration_s: float | None = None
    first_token_s: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cell_id: str | None = None
    cell_turn: int = 0
    continued_by: str | None = None
    dropped_turns: int = 0
    stale: bool = False
    id: int | None = None
    origin: int | None = None
    request: str | None = None
    record_id: str | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    drawn: bool = False
    carried: int = 0
    note: str = ""
    earlier: EarlierTurns | None = None
    allow_secrets: bool = False
    _calls: dict[str, ToolCall] = field(default_factory=dict, repr=False)
    _call_states: list[ToolCall] = field(default_factory=list, repr=False)
    _text: list[str] = field(default_factory=list, repr=False)
    _reasoning: list[str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._text) if self.line is None else said_now(self.line)

    @property
    def line(self) -> Words | None:
        """The text, if it is not a model's but a line of ours, as that about drawn images."""
        only = self._text[0] if self.drawn and len(self._text) == 1 else None
        return only if isinstance(only, Words) else None

    @property
    def final_text(self) -> str:
        """The text of the answer after its tool steps."""
        return self.text[len(join_steps(self.steps, "")) :]

    @property
    def ending(self) -> Ending | None:
        """How the answer ended when it did not simply end; ``None`` also while it streams."""
        return ending_of(self.finish_reason, text=self.text, reasoning=self.reasoning)

    @property
    def can_continue(self) -> bool:
        """Whether the answer was stopped, broken off or cut, and has text to go on from."""
        if self.drawn or not self.final_text.strip():
            return False
        # With a finish reason, the model itself has ended the answer, also when it was of no use.
        stopped = self.status in (PARTIAL, CANCELLED) and not self.finish_reason
        cut = self.status in (PARTIAL, COMPLETE) and self.ending is Ending.CUT
        return stopped or cut

    @property
    def calls(self) -> list[ToolCall]:
        """The tool calls so far, in order."""
        return list(self._calls.values()) or calls_of(self.steps)

    def update_call(self, call: ToolCall) -> None:
        """Set the current state of a tool call."""
        self._calls[call.id] = call
        self._call_states.append(call)

    def calls_since(self, seen: tuple[int, int]) -> tuple[list[ToolCall], tuple[int, int]]:
        """Return the new states of tool calls since a position, for a reader that polls.

        Args:
            seen: The position: ``(0, 0)`` at first, then the one that the last call returned.

        Returns:
            The new states, in order, and the new position.
        """
        now = len(self._call_states), len(self.steps)
        if self._call_states:
            return self._call_states[seen[0] : now[0]], now
        # A stored turn has only the messages of its complete steps.
        return calls_of(self.steps[seen[1] :]), now

    @property
    def reasoning(self) -> str:
        """The reasoning of the model so far."""
        return "".join(self._reasoning)

    def add(self, text: str, reasoning: str) -> None:
        """Append new text and new reasoning."""
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)

    def replace_text(self, final_text: str) -> None:
        """Replace the text after the tool steps, as when a structured answer was repaired."""
        self._text[:] = [join_steps(self.steps, final_text)]

    def text_since(self, seen: tuple[int, int]) -> tuple[str, str, tuple[int, int]]:
        """Return the text and reasoning added since a position, for a reader that polls.

        Args:
            seen: The position: ``(0, 0)`` at first, then the one that the last call returned.

        Returns:
            The new text, the new reasoning, and the new position.
        """
        # While the answer streams, both lists are append-only: a slice up to a length that was read
        # before loses nothing and repeats nothing.
        now = len(self._text), len(self._reasoning)
        text = "".join(self._text[seen[0] : now[0]])
        return text, "".join(self._reasoning[seen[1] : now[1]]), now

    def update_from(self, other: Turn) -> None:
        """Update this turn from a reloaded copy.

        If the new text begins with the old text, only the rest is appended, so that the positions
        of :meth:`text_since` stay valid.
        """
        text, reasoning = self.text, self.reasoning
        for attribute in fields(self):
            if attribute.name not in _OF_THIS_PROCESS:
                setattr(self, attribute.name, getattr(other, attribute.name))
        if other.text.startswith(text) and other.reasoning.startswith(reasoning):
            self.add(other.text[len(text) :], other.reasoning[len(reasoning) :])
        else:
            self._text, self._reasoning = [other.line or other.text], [other.reasoning]

    def copy(self) -> Turn:
        """Return a copy of the turn for another conversation."""
        status = PARTIAL if self.status == STREAMING else self.status
        origin = self.origin or self.id or 0
        copy = replace(
            self,
            id=None,
            origin=origin,
            request=None,
            status=status,
            carried=0,
            earlier=None,
            _text=[],
            _reasoning=[],
            _calls={},
            _call_states=[],
        )
        copy.add(self.line or self.text, self.reasoning)
        return copy

    def sent(self, *, images: bool = True, steps: bool = True) -> list[dict[str, Any]]:
        """Return the turn's messages as they are sent to a model; without the system prompt.

        Args:
            images: Whether to include the images.
            steps: Whether to include tool calls and their results; else only the text.
        """
        user = user_message(self.prompt, self.images if images else ())
        if not (steps and self.steps):
            return [user, {"role": "assistant", "content": self.text}]
        final_text = self.final_text
        # An answer that ended with tool calls has no final text.
        answer = [{"role": "assistant", "content": final_text, **self.reply}] if final_text else []
        return [user, *map(dict, self.steps), *answer]

    def records(self, conversation: str, number: int) -> list[dict[str, Any]]:
        """Return flat message records: system (if it changed here), user, tool steps, assistant."""
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
            "error": self.error and said_now(self.error),
            "duration_s": self.duration_s,
            "first_token_s": self.first_token_s,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
            "params": dict(self.params) or None,
            "extra": dict(self.reply) or None,
        }
        records.append(_record(shared, role="assistant", **answer))
        return records


BETWEEN_STEPS = "\n\n"
"""Separator between the text of a step and the text after it."""


def join_steps(steps: Iterable[Mapping[str, Any]], final_text: str) -> str:
    """Return the complete text of an answer: the text of each tool step, then the final text.

    Args:
        steps: The messages of the tool steps.
        final_text: The text after the tool steps.
    """
    parts = [step_text(step) for step in steps if step.get("role") == "assistant"]
    return "".join(part + BETWEEN_STEPS for part in parts if part) + final_text


def step_text(step: Mapping[str, Any]) -> str:
    """Return the text of a tool step's message, whose content may be a list of parts."""
    content = step.get("content") or ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def user_message(prompt: str, images: Sequence[str] = ()) -> dict[str, Any]:
    """Return a user's message as it is sent to a model.

    Args:
        prompt: The text.
        images: URLs of images, ``data:`` URLs included.
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
    "cached_tokens",
    "cell_id",
    "stale",
    "params",
    "images",
    "tool_calls",
    "tool_call_id",
    "extra",
)
"""The keys of every message record, in this order: ``pd.DataFrame(records)`` works directly."""

_EMPTY = dict.fromkeys(RECORD_KEYS)


_STEP_FIELDS = ("role", "content", "tool_calls", "tool_call_id")


def extra_fields(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a tool step's message that have no key of their own in a record."""
    return {
        name: value
        for name, value in step.items()
        if name not in _STEP_FIELDS or (name == "content" and isinstance(value, (list, Mapping)))
    }


def _step_fields(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a tool step's message as a record contains them."""
    return {
        "role": step["role"],
        "content": step_text(step),
        "tool_calls": step.get("tool_calls"),
        "tool_call_id": step.get("tool_call_id"),
        "extra": extra_fields(step) or None,
    }


def _record(shared: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {**_EMPTY, **shared, **values}
