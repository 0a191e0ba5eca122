"""What of the past goes along with a prompt: the newest turns that fit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cbai_notebook.conversation.tool_calls import calls_of
from cbai_notebook.conversation.turn import Turn


@dataclass(frozen=True)
class ContextLimits:
    """How much of the past goes along with a prompt, at most.

    Attributes:
        turns: Turns.
        chars: Characters of what was said in them, and of what their tools gave.
        image_chars: Characters of the addresses of images in them, ``data:`` ones included; of turns
            beyond that the words go along alone.
    """

    turns: int = 20
    chars: int = 24_000
    image_chars: int = 8_000_000


@dataclass(frozen=True)
class Context:
    """The past that goes along with a prompt.

    Attributes:
        messages: What is sent ahead of the prompt: the system prompt and past turns.
        dropped_turns: Past turns that did not fit the limits.
    """

    messages: list[dict[str, Any]]
    dropped_turns: int


def context_of_turns(turns: Sequence[Turn], system: str | None, limits: ContextLimits) -> Context:
    """Return the system prompt and the newest turns that fit.

    Turns without an answer are left out, so that roles alternate.

    Args:
        turns: What stands before the prompt, oldest first.
        system: The system prompt in force.
        bounds: How much may go along.
    """
    answered = [turn for turn in turns if turn.text]
    messages: list[list[dict[str, Any]]] = []
    chars_left, image_chars_left = limits.chars, limits.image_chars
    for turn in reversed(answered):
        words, tool_chars = len(turn.prompt) + len(turn.text), _tool_chars(turn)
        if len(messages) == limits.turns or words > chars_left:
            break
        # What a tool gave may be longer than all else; then the answer that rests on it goes along alone.
        steps = words + tool_chars <= chars_left
        chars_left -= words + tool_chars * steps
        image_chars_left -= sum(map(len, turn.images))
        messages.insert(0, turn.sent(images=image_chars_left >= 0, steps=steps))
    head = [{"role": "system", "content": system}] if system else []
    return Context(
        [*head, *itertools.chain.from_iterable(messages)],
        dropped_turns=len(answered) - len(messages),
    )


def _tool_chars(turn: Turn) -> int:
    """Return the characters of what a turn's tools were given and gave."""
    return sum(len(call.arguments) + len(call.result or "") for call in calls_of(turn.steps))
