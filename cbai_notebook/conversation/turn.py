"""One turn: a prompt, and what came back for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STREAMING, COMPLETE, PARTIAL, CANCELLED, FAILED = (
    "streaming",
    "complete",
    "partial",
    "cancelled",
    "failed",
)
"""How a turn stands: on its way; ended well; broken off by the other side; stopped by the user;
ended with no answer at all."""


# Two turns are never the same one, however alike they are.
@dataclass(eq=False)
class Turn:
    """A prompt and its answer, filled in while the answer streams.

    Attributes:
        prompt: The user's message, as sent.
        created_at: When the prompt was asked, in UTC.
        system: The system prompt that applies from this turn on, where it changed; else ``None``.
        provider, model: Who was asked. The model is what the server reports, once it has.
        status: One of ``streaming``, ``complete``, ``partial``, ``cancelled``, ``failed``.
        error: The one readable line of what went wrong.
        error_details: Status, code and request id of what went wrong, for a support ticket.
        duration_s, first_token_s: Seconds from the prompt to the end and to the first token.
        cell_id: The frontend's id of the cell that asked, where it gives one.
        left_out: How many turns before this one did not fit into what was sent.
    """

    prompt: str
    created_at: datetime
    system: str | None = None
    provider: str | None = None
    model: str | None = None
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
    left_out: int = 0
    _text: list[str] = field(default_factory=list, repr=False)
    _reasoning: list[str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._text)

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

    def since(self, seen: tuple[int, int]) -> tuple[str, str, tuple[int, int]]:
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

    def records(self, conversation: str, number: int) -> list[dict[str, Any]]:
        """Return the turn as flat messages: system (where it changed), user, assistant."""
        shared = {
            "conversation": conversation,
            "turn": number,
            "provider": self.provider,
            "model": self.model,
            "cell_id": self.cell_id,
            "created_at": self.created_at,
        }
        asked = [("user", self.prompt)]
        if self.system is not None:
            asked.insert(0, ("system", self.system))
        answer = {
            "role": "assistant",
            "content": self.text,
            "reasoning": self.reasoning or None,
            "status": self.status,
            "finish_reason": self.finish_reason,
            "error": self.error,
            "duration_s": self.duration_s,
            "first_token_s": self.first_token_s,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
        }
        return [
            *(
                _record(**shared, role=role, content=content, status=COMPLETE)
                for role, content in asked
            ),
            _record(**shared, **answer),
        ]


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
)
"""The keys of every message record, in this order, so that a DataFrame needs no help."""


def _record(**values: Any) -> dict[str, Any]:
    return {key: values.get(key) for key in RECORD_KEYS}
