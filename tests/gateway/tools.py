"""Answers with tool calls, in every form in which providers stream them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.gateway.scenario import Scenario

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}

#: How the calls of a step are split into chunks. Every shape is complete and correct.
SHAPES = (
    "together",  # one chunk holds every call
    "apart",  # a chunk for each call
    "fragments",  # a chunk with the name, then the arguments character by character
    "interleaved",  # all names, then a character for each call in turn
    "many-in-one",  # fragments of several calls in the same chunk
    "no-index",  # distinguished by their ids
    "no-id",  # distinguished by their index
    "neither",  # complete calls, without index and id
    "zero-index",  # every call has index 0 and a different id
    "last-first",  # the second call comes before the first
)


@dataclass(frozen=True)
class Call:
    """One tool call of a model.

    Args:
        name: The name of the tool.
        arguments: The arguments as JSON text; another value is converted to JSON.
        id: The id of the call; None for the default, ``call_`` and its number.
    """

    name: str
    arguments: Any = "{}"
    id: str | None = None

    @property
    def text(self) -> str:
        """Return the arguments as JSON text."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


def calling(
    *calls: Call | str,
    shape: str = "fragments",
    text: str = "",
    reasoning: str = "",
    role_first: bool = True,
    usage: dict[str, int] | None = USAGE,
    finish_reason: str = "tool_calls",
    **wire: Any,
) -> Scenario:
    """Return a scenario with tool calls, for requests with and without streaming.

    Args:
        calls: The calls; a string is a tool without arguments.
        shape: One of ``SHAPES``.
        text: The content before the calls.
        reasoning: The reasoning before the calls.
        role_first: Begin with a chunk that has only the role.
        usage: The usage in a separate last chunk; None sends none.
        finish_reason: The finish reason of the answer.
        wire: Other fields of the scenario, such as ``split=1``.
    """
    made = [
        Call(call.name, call.arguments, call.id or f"call_{number}")
        for number, call in enumerate(Call(one) if isinstance(one, str) else one for one in calls)
    ]
    chunks = [_chunk({"role": "assistant", "content": None})] if role_first else []
    if reasoning:
        chunks.append(_chunk({"reasoning_content": reasoning}))
    if text:
        chunks.append(_chunk({"content": text}))
    chunks += [_chunk({"tool_calls": parts}) for parts in _spread(made, shape)]
    chunks.append(_chunk({}, finish_reason))
    if usage is not None:
        chunks.append({"id": "chatcmpl-tools", "choices": [], "usage": usage})
    return Scenario(
        payloads=tuple(json.dumps(chunk) for chunk in chunks),
        completion=json.dumps(_completion(made, shape, text, reasoning, usage, finish_reason)),
        **wire,
    )


def as_asked(*calls: Call | str) -> dict[str, Any]:
    """Return the fields of a scenario with tool calls, for requests with and without streaming."""
    made = calling(*calls)
    return {"payloads": made.payloads, "completion": made.completion}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-tools", "model": "tools", "choices": [choice]}


def _spread(calls: list[Call], shape: str) -> list[list[dict[str, Any]]]:
    """Return the fragments of each chunk."""
    whole = [_whole(number, call, shape) for number, call in enumerate(calls)]
    if shape == "together":
        return [whole]
    if shape == "last-first":
        return [[part] for part in reversed(whole)]
    if shape in ("apart", "no-index", "no-id", "neither", "zero-index"):
        return [[part] for part in whole]
    begun = [
        {**part, "function": {"name": call.name, "arguments": ""}}
        for part, call in zip(whole, calls, strict=True)
    ]
    characters = [
        [{"index": number, "function": {"arguments": letter}} for letter in call.text]
        for number, call in enumerate(calls)
    ]
    if shape == "fragments":
        return [
            [part] for first, rest in zip(begun, characters, strict=True) for part in (first, *rest)
        ]
    turns = [
        [letters[turn] for letters in characters if turn < len(letters)]
        for turn in range(max(map(len, characters), default=0))
    ]
    if shape == "interleaved":
        return [[part] for part in begun] + [[part] for turn in turns for part in turn]
    if shape == "many-in-one":
        return [begun, *turns]
    raise ValueError(f"no shape {shape!r}")


def _whole(number: int, call: Call, shape: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.text}
    part: dict[str, Any] = {"type": "function", "function": function}
    if shape not in ("no-index", "neither"):
        part["index"] = 0 if shape == "zero-index" else number
    if shape not in ("no-id", "neither"):
        part["id"] = call.id
    return part


def _completion(
    calls: list[Call],
    shape: str,
    text: str,
    reasoning: str,
    usage: dict[str, int] | None,
    finish_reason: str,
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [_whole(n, call, shape) for n, call in enumerate(calls)]
    value: dict[str, Any] = {
        "id": "chatcmpl-tools",
        "object": "chat.completion",
        "model": "tools",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    return value if usage is None else {**value, "usage": usage}
