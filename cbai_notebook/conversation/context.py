"""The context of a prompt: the newest turns that fit the limits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cbai_notebook.conversation.tool_calls import calls_of
from cbai_notebook.conversation.turn import Turn, extra_fields


@dataclass(frozen=True)
class ContextLimits:
    """The most context that is sent with a prompt.

    Attributes:
        turns: Number of turns.
        chars: Characters of their prompts, answers, tool arguments and tool results.
        image_chars: Characters of the URLs of their images, ``data:`` URLs included; turns beyond
            this limit are sent without images.
    """

    turns: int = 20
    chars: int = 24_000
    image_chars: int = 8_000_000


@dataclass(frozen=True)
class Context:
    """The context of a prompt.

    Attributes:
        messages: The messages before the prompt: the system prompt and earlier turns.
        dropped_turns: Number of earlier turns that did not fit the limits.
        turns: The earlier turns that are sent.
    """

    messages: list[dict[str, Any]]
    dropped_turns: int
    turns: Sequence[Turn] = ()


def system_of(turns: Sequence[Turn]) -> str | None:
    """Return the system prompt that is in force after some turns."""
    return next((turn.system or None for turn in reversed(turns) if turn.system is not None), None)


def context_of_turns(turns: Sequence[Turn], system: str | None, limits: ContextLimits) -> Context:
    """Return the system prompt and the newest turns that fit.

    Turns without an answer are skipped, so that roles alternate.

    Args:
        turns: The turns before the prompt, oldest first.
        system: The current system prompt.
        limits: The most context to send.
    """
    answered = [turn for turn in turns if turn.text]
    messages: list[list[dict[str, Any]]] = []
    chars_left, image_chars_left = limits.chars, limits.image_chars
    for turn in reversed(answered):
        words = len(turn.prompt) + len(turn.text)
        tool_chars = _tool_chars(turn) if turn.steps or turn.reply else 0
        if len(messages) == limits.turns or words > chars_left:
            break
        # Tool results may be longer than everything else; if they do not fit, send the answer
        # without them.
        steps = words + tool_chars <= chars_left
        chars_left -= words + tool_chars * steps
        image_chars_left -= sum(map(len, turn.images))
        messages.insert(0, turn.sent(images=image_chars_left >= 0, steps=steps))
    head = [{"role": "system", "content": system}] if system else []
    return Context(
        [*head, *itertools.chain.from_iterable(messages)],
        dropped_turns=len(answered) - len(messages),
        turns=answered[len(answered) - len(messages) :],
    )


def _tool_chars(turn: Turn) -> int:
    """Return the number of characters of tool arguments and results, and of thinking between them."""
    calls = sum(len(call.arguments) + len(call.result or "") for call in calls_of(turn.steps))
    extras = [turn.reply, *map(extra_fields, turn.steps)]
    return calls + sum(len(str(value)) for extra in extras for value in extra.values())
