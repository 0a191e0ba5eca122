"""A whole answer: raw as the Mini Program gets it, and wrapped as the Web SDK gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client import wire
from cbai_notebook.client.wire import Choice, Message, ToolCall, Usage

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Timing:
    """How long an answer took, in seconds from the call.

    Args:
        first_token_s: To the first token; None when there was none, or nothing was streamed.
        duration_s: To the end of the answer; None while it is being made.
        attempts: How often the request was sent.
    """

    first_token_s: float | None = None
    duration_s: float | None = None
    attempts: int = 1


class Answer:
    """What a model answered.

    The fields ``id``, ``object``, ``created``, ``model``, ``choices`` and ``usage`` are those of
    the wire. ``raw`` is everything the server sent, unknown fields included; for a stream it is
    what the chunks add up to. ``text``, ``reasoning``, ``messages`` and ``finish_reason`` are of
    the first choice; ``messages`` are the request's with the answer added, ready to be sent again.
    """

    def __init__(
        self,
        *,
        raw: Callable[[], dict[str, Any]],
        id: str | None,
        created: int | None,
        model: str | None,
        choices: list[Choice],
        usage: Usage | None,
        asked: Sequence[dict[str, Any]],
        reply: dict[str, Any] | None,
        provider: str,
        label: str,
        timing: Timing,
        request_id: str | None,
    ) -> None:
        self._raw: Callable[[], dict[str, Any]] | dict[str, Any] = raw
        self.id = id
        self.object = "chat.completion"
        self.created = created
        self.model = model
        self.choices = choices
        self.usage = usage
        self.messages: Messages = [*asked, reply] if reply is not None else list(asked)
        self.provider = provider
        self.label = label
        self.timing = timing
        self.request_id = request_id

    @property
    def raw(self) -> dict[str, Any]:
        """Everything the server sent, as one dict."""
        if callable(self._raw):
            self._raw = self._raw()
        return self._raw

    @property
    def raw_responses(self) -> list[dict[str, Any]]:
        """The raw answer of each request that was needed."""
        return [self.raw]

    @property
    def message(self) -> Message:
        """The first choice's message; an empty one when there is no choice."""
        for choice in self.choices:
            if choice.index == 0:
                return choice.message
        return self.choices[0].message if self.choices else Message()

    @property
    def text(self) -> str:
        """The content; empty when the model only thought or only called tools."""
        return self.message.content or ""

    @property
    def reasoning(self) -> str:
        """The thinking, of a model that shows it."""
        return self.message.reasoning_content or ""

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tools that the model wants called."""
        return self.message.tool_calls or []

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, such as ``"stop"`` or ``"length"``."""
        return self.choices[0].finish_reason if self.choices else None

    def __repr__(self) -> str:
        start = self.text if len(self.text) <= 60 else self.text[:59] + "…"
        return (
            f"<Answer {start!r} from {self.provider}/{self.model}, "
            f"finish_reason={self.finish_reason!r}>"
        )


def from_completion(
    raw: dict[str, Any],
    *,
    asked: Sequence[dict[str, Any]],
    provider: str,
    label: str,
    timing: Timing,
    request_id: str | None,
) -> Answer:
    """Make the answer of a completion that came in one piece."""
    choices = raw.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    created = raw.get("created")
    return Answer(
        raw=lambda: raw,
        id=wire.text_of(raw.get("id")),
        created=wire.int_of(created),
        model=wire.text_of(raw.get("model")),
        choices=wire.choices_of(choices),
        usage=wire.usage_of(raw.get("usage")),
        asked=asked,
        reply=dict(message) if isinstance(message, dict) else None,
        provider=provider,
        label=label,
        timing=timing,
        request_id=request_id,
    )
