"""What a row gets: an answer, or the reason why it has none."""

from __future__ import annotations

from typing import Any, NamedTuple


class StoredAnswer(NamedTuple):
    """The answer to one request, as it is stored and as a row gets it.

    Attributes:
        key: The hash of the request, 16 bytes.
        text: The text of the answer.
        model: The model that answered.
        finish_reason: Why the answer ended.
        prompt_tokens: The tokens of the request.
        completion_tokens: The tokens of the answer.
        total_tokens: Both together.
        duration_s: The seconds from the request to the end of the answer.
        attempts: How often the request was sent.
        answered_at: When the answer was complete, in microseconds since 1970 UTC.
    """

    key: bytes
    text: str
    model: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    duration_s: float | None
    attempts: int
    answered_at: int


class Outcome(NamedTuple):
    """What became of one row.

    Attributes:
        answer: The answer; None if there is none.
        value: The parsed answer as plain Python: dict, list, text or number; None without
            ``response_type``.
        error: What went wrong, ``""`` if nothing did.
        known: Whether it was answered by an earlier run or by an equal row.
    """

    answer: StoredAnswer | None = None
    value: Any = None
    error: str = ""
    known: bool = False
