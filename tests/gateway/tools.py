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
    "counting-index",  # every fragment has the next index; only the first has the name and the id
    "other-tail",  # the rest of the arguments comes at the next index, without name and id
    "repeated-names",  # every fragment has the name and the id again
    "empty-ids",  # the id of every fragment but the first is empty
    "objects",  # the arguments are an object, not text, if they are JSON
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

    @property
    def value(self) -> Any:
        """Return the arguments as a JSON value; as text if they are no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return self.text


def calling(
    *calls: Call | str,
    shape: str = "fragments",
    text: str = "",
    reasoning: str = "",
    role_first: bool = True,
    usage: dict[str, int] | None = USAGE,
    finish_reason: str = "tool_calls",
    thinking: str = "reasoning_content",
    message_fields: dict[str, Any] | None = None,
    call_fields: dict[str, Any] | None = None,
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
        thinking: The field of the reasoning.
        message_fields: More fields of the message, in the first chunk.
        call_fields: More fields of every call, such as ``extra_content``, in its first fragment.
        wire: Other fields of the scenario, such as ``split=1``.
    """
    made = [
        Call(call.name, call.arguments, call.id or f"call_{number}")
        for number, call in enumerate(Call(one) if isinstance(one, str) else one for one in calls)
    ]
    more = message_fields or {}
    if reasoning:
        more = {**more, thinking: reasoning}
    chunks = [_chunk({"role": "assistant", "content": None})] if role_first else []
    if more:
        chunks.append(_chunk(more))
    if text:
        chunks.append(_chunk({"content": text}))
    fragments = _spread(made, shape, call_fields or {})
    chunks += [_chunk({"tool_calls": parts}) for parts in fragments]
    chunks.append(_chunk({}, finish_reason))
    if usage is not None:
        chunks.append({"id": "chatcmpl-tools", "choices": [], "usage": usage})
    return Scenario(
        payloads=tuple(json.dumps(chunk) for chunk in chunks),
        completion=json.dumps(
            _completion(
                {"content": text or None, **more},
                [_whole(n, call, shape, call_fields or {}) for n, call in enumerate(made)],
                usage,
                finish_reason,
            )
        ),
        **wire,
    )


def as_asked(*calls: Call | str) -> dict[str, Any]:
    """Return the fields of a scenario with tool calls, for requests with and without streaming."""
    made = calling(*calls)
    return {"payloads": made.payloads, "completion": made.completion}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-tools", "model": "tools", "choices": [choice]}


def _spread(calls: list[Call], shape: str, fields: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the fragments of each chunk."""
    whole = [_whole(number, call, shape, fields) for number, call in enumerate(calls)]
    if shape == "together":
        return [whole]
    if shape == "last-first":
        return [[part] for part in reversed(whole)]
    if shape in ("apart", "no-index", "no-id", "neither", "zero-index", "objects"):
        return [[part] for part in whole]
    begun = [
        {**part, "function": {"name": call.name, "arguments": ""}}
        for part, call in zip(whole, calls, strict=True)
    ]
    characters = [
        [{"index": number, "function": {"arguments": letter}} for letter in call.text]
        for number, call in enumerate(calls)
    ]
    in_order = [
        part for first, rest in zip(begun, characters, strict=True) for part in (first, *rest)
    ]
    if shape == "fragments":
        return [[part] for part in in_order]
    if shape == "counting-index":
        return [[{**part, "index": number}] for number, part in enumerate(in_order)]
    if shape == "other-tail":
        return [[part] for call in zip(calls, whole, strict=True) for part in _with_tail(*call)]
    if shape == "repeated-names":
        return [
            [{**first, "function": {**first["function"], **part["function"]}}]
            for first, rest in zip(begun, characters, strict=True)
            for part in (first, *rest)
        ]
    if shape == "empty-ids":
        return [[{"id": "", "type": "function", **part}] for part in in_order]
    turns = [
        [letters[turn] for letters in characters if turn < len(letters)]
        for turn in range(max(map(len, characters), default=0))
    ]
    if shape == "interleaved":
        return [[part] for part in begun] + [[part] for turn in turns for part in turn]
    if shape == "many-in-one":
        return [begun, *turns]
    raise ValueError(f"no shape {shape!r}")


def _with_tail(call: Call, part: dict[str, Any]) -> list[dict[str, Any]]:
    half = len(call.text) // 2
    first = {**part, "index": 2 * part["index"]}
    first["function"] = {"name": call.name, "arguments": call.text[:half]}
    return [first, {"index": first["index"] + 1, "function": {"arguments": call.text[half:]}}]


def _whole(number: int, call: Call, shape: str, fields: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.value if shape == "objects" else call.text}
    part: dict[str, Any] = {"type": "function", "function": function, **fields}
    if shape not in ("no-index", "neither"):
        part["index"] = 0 if shape == "zero-index" else number
    if shape not in ("no-id", "neither"):
        part["id"] = call.id
    return part


def _completion(
    fields: dict[str, Any],
    calls: list[dict[str, Any]],
    usage: dict[str, int] | None,
    finish_reason: str,
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", **fields}
    if calls:
        message["tool_calls"] = calls
    value: dict[str, Any] = {
        "id": "chatcmpl-tools",
        "object": "chat.completion",
        "model": "tools",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
    }
    return value if usage is None else {**value, "usage": usage}
