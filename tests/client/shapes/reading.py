"""Send a shape through the gateway, read it with a model, and compare."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model import Model
from tests.client.shapes.shape import Shape
from tests.client.streams import ASK, read
from tests.gateway import Scenario

Split = int | tuple[int, ...] | None
"""How the body is cut into packets: every so many bytes, at these offsets, or not at all."""


def scenario(shape: Shape, split: Split = None) -> Scenario:
    """Return the scenario that sends a shape."""
    return Scenario(body=shape.body, content_type=shape.type, split=split)


def splits(shape: Shape) -> Iterator[tuple[str, Split]]:
    """Yield ways to cut the body of a shape, each with its name; the same ones in every run."""
    yield "whole", None
    yield "byte by byte", 1
    chance = random.Random(shape.name)
    count = min(len(shape.body) - 1, chance.randint(1, 12))
    yield "at random", tuple(sorted(chance.sample(range(1, len(shape.body)), count)))


async def answer_of(model: Model, stream: bool, **params: Any) -> Answer:
    """Ask, and return the answer; of a stream, check that its views agree with it."""
    if not stream:
        return await model.generate_text(**ASK, **params)
    streamed = await model.stream_text(**ASK, **params)
    pieces = await read(streamed.text_stream)
    answer = await streamed.finish()
    assert "".join(pieces) == answer.text == streamed.text
    assert "" not in pieces
    assert all(piece.encode() for piece in pieces), "half a character is no text"
    chunks = await read(streamed.data_stream)
    assert "".join(chunk.text for chunk in chunks) == answer.text
    assert "".join(chunk.reasoning for chunk in chunks) == answer.reasoning
    assert streamed.reasoning == answer.reasoning
    assert streamed.refusal == answer.refusal
    assert streamed.finish_reason == answer.finish_reason
    assert streamed.usage == answer.usage
    assert streamed.messages == answer.messages
    return answer


def facts(answer: Answer) -> dict[str, Any]:
    """Return the facts of an answer that `expected` names."""
    usage = answer.usage
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "refusal": answer.refusal,
        "calls": [
            (call.function.name, arguments_of(call.function.arguments))
            for call in answer.tool_calls
            if call.function is not None
        ],
        "finish_reason": answer.finish_reason,
        "usage": usage and (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
        "cached_tokens": (usage and usage.cached_tokens) or 0,
    }


def expected(shape: Shape) -> dict[str, Any]:
    """Return what `facts` must return for a shape."""
    return {
        "text": shape.text,
        "reasoning": shape.reasoning,
        "refusal": shape.refusal,
        "calls": list(shape.calls),
        "finish_reason": shape.finish_reason,
        "usage": shape.usage,
        "cached_tokens": shape.cached_tokens,
    }


def arguments_of(arguments: Any) -> Any:
    """Return the arguments of a call as an object; nothing and null are an empty object."""
    if isinstance(arguments, str):
        arguments = json.loads(arguments or "{}")
    return {} if arguments is None else arguments


def raw_message(answer: Answer) -> dict[str, Any]:
    """Return the message of the raw answer."""
    message: dict[str, Any] = answer.raw["choices"][0]["message"]
    return message


def text_of(content: Any) -> str:
    """Return the text of content, which may be a string, a part, a list of parts, or null."""
    if isinstance(content, list):
        return "".join(map(text_of, content))
    if isinstance(content, dict):
        return text_of(content.get("text"))
    return content or ""


def next_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return what the next request must say of a message, without what may differ.

    Fields that are null, empty content, the index and type of a call may be left out, and the same
    arguments may be written in another way.
    """
    kept = _without_null(message)
    kept.pop("<think>", None)  # thinking that stood in tags
    if not kept.get("content"):
        kept.pop("content", None)
    if "function_call" in kept and not kept["function_call"].get("name"):
        del kept["function_call"]
    calls = []
    for call in kept.pop("tool_calls", ()):
        call = {**_without_null(call), "function": _without_null(call["function"])}
        call["function"]["arguments"] = arguments_of(call["function"].get("arguments"))
        calls.append({name: call[name] for name in call if name not in ("index", "type")})
    return {**kept, "role": "assistant", "tool_calls": calls} if calls else kept


def with_ids(message: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the ids of the message that was sent, where its own cannot be used.

    An id that is missing, empty or the same as an earlier one must be replaced by a new one.
    """
    used: set[str] = set()
    for call, other in zip(message["tool_calls"], sent["tool_calls"], strict=True):
        if not call.get("id") or call["id"] in used:
            assert other["id"]
            assert other["id"] not in used
            call["id"] = other["id"]
        used.add(call["id"])
    return message


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None}
