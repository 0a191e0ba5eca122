"""A shape: the bytes of one answer as a server sends it, and what a reader must get from them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Call = tuple[str, Any]
"""The name of a tool, and its arguments as an object."""


@dataclass(frozen=True)
class Shape:
    """One answer on the wire.

    Args:
        name: What is special about it; the name of its test.
        body: The bytes of the response's body.
        text: The content.
        reasoning: The thinking.
        refusal: The words of a refusal.
        calls: The tool calls.
        finish_reason: The finish reason.
        usage: Prompt, completion and total tokens; None when the server sends none.
        cached_tokens: The prompt tokens that came from a cache.
        message: Fields of the message in the raw answer, which must have these values.
        top: Fields of the raw answer itself.
        content_type: The Content-Type of the response; None for the right one.
        error: A part of the error's message, for an answer that fails; `text` is then its partial
            text.
    """

    name: str
    body: bytes
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[Call, ...] = ()
    finish_reason: str | None = "stop"
    usage: tuple[int, int, int] | None = None
    cached_tokens: int = 0
    message: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)
    content_type: str | None = None
    error: str | None = None

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream; else it is one JSON object."""
        return not self.body.lstrip().startswith(b"{") or self.body.count(b'{"choices"') > 1

    @property
    def type(self) -> str:
        """The Content-Type that is sent."""
        if self.content_type is not None:
            return self.content_type
        return "text/event-stream" if self.is_stream else "application/json"


def write(value: Any) -> str:
    """Return compact JSON; with escapes where text cannot be encoded as UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def choice(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a chunk with one choice, whose fields are given."""
    return {"choices": [{"index": 0, **fields, "finish_reason": finish_reason}]}


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a chunk whose delta has these fields."""
    return choice(finish_reason, delta=fields)


def calls(*parts: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    """Return a chunk with fragments of tool calls."""
    return delta(finish_reason, tool_calls=list(parts))


def part(arguments: Any = None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a fragment of a tool call; what is None is left out."""
    function = {} if name is None else {"name": name}
    if arguments is not None:
        function["arguments"] = arguments
    return {**fields, "function": function}


STOP = delta("stop")
CALLED = delta("tool_calls")


def stream(*chunks: dict[str, Any] | str, done: bool = True) -> bytes:
    """Return the body of an event stream; a string is put in as it is, between two events."""
    items = [one if isinstance(one, str) else f"data: {write(one)}\n\n" for one in chunks]
    return ("".join(items) + ("data: [DONE]\n\n" if done else "")).encode()


def whole(finish_reason: str | None = "stop", *, top: Any = None, **message: Any) -> bytes:
    """Return the body of an answer in one piece.

    Args:
        finish_reason: The finish reason.
        top: Fields beside the choices.
        message: Fields of the message.
    """
    message = {"role": "assistant", **message}
    choices = [{"index": 0, "message": message, "finish_reason": finish_reason}]
    return write({"choices": choices, "id": "tea-1", **(top or {})}).encode()
