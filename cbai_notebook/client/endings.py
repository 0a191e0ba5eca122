"""How an answer ended when it did not simply end, and what its reader can do then."""

from __future__ import annotations

from enum import Enum

from cbai_notebook.i18n import Words, say

MAX_STEPS_REACHED = "max_steps"
"""The finish reason of an answer that ended because it reached the maximum number of steps."""

REFUSAL = "refusal"
"""The finish reason of an answer in which the model refused, as the history stores it."""

# Servers name one thing in several ways, some with a detail behind a colon. Lower case.
_TOKEN_LIMIT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_CONTENT_FILTER = frozenset({
    "blocklist", "content-filter", "content_filter", "content_filtered", "guardrail_intervened",
    "prohibited_content", "safety", "sensitive",
})  # fmt: skip


class Ending(Enum):
    """An end that the reader must know about. The value is a mark of a few words for a table."""

    CUT = "cut at the token limit"
    ONLY_THINKING = "token limit reached while thinking"
    FILTERED = "ended by a content filter"
    REFUSED = "refused by the model"
    OUT_OF_STEPS = "tool steps used up"

    @property
    def mark(self) -> Words:
        """A mark of a few words for a table."""
        return say(f"ending.is_{self.name.lower()}")

    def note(self, steps: int = 0) -> Words:
        """Return what happened and what to do next, for Python code.

        Args:
            steps: The number of requests of the answer.
        """
        if self is Ending.OUT_OF_STEPS:
            return say("ending.out_of_steps", steps=steps)
        return say(f"ending.{self.name.lower()}")


def ending_of(
    finish_reason: str | None, *, text: str, reasoning: str, refused: bool = False
) -> Ending | None:
    """Return how an answer ended; None if it simply ended, or if the server did not say.

    Args:
        finish_reason: The finish reason, as the server wrote it, or one of this module.
        text: The text of the answer.
        reasoning: The reasoning of the answer.
        refused: Whether the server marked words of the answer as a refusal.
    """
    reason = (finish_reason or "").lower().partition(":")[0].strip()
    if refused or reason == REFUSAL:
        return Ending.REFUSED
    if reason in _TOKEN_LIMIT:
        return Ending.CUT if text.strip() or not reasoning else Ending.ONLY_THINKING
    if reason in _CONTENT_FILTER:
        return Ending.FILTERED
    return Ending.OUT_OF_STEPS if reason == MAX_STEPS_REACHED else None
