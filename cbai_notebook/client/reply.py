"""The assistant's message of an answer, as the next request sends it back.

Servers want some fields of their messages back that this client does not know, such as a signature. So
the message goes back as it was received, except for what a server refuses or what is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cbai_notebook.client.chunk_reader import THINKING, content_text, is_thinking
from cbai_notebook.client.think_tags import TAGGED, begins_with_thinking, split_thinking


def reply_of(raw: Mapping[str, Any], *, thinking: bool | None = None) -> dict[str, Any] | None:
    """Return the message of the first choice for the next request; None when there is no choice.

    Args:
        raw: The raw answer.
        thinking: Whether to include the thinking, under the name by which it came; by default only
            with tool calls. Some servers refuse tool results without it, others refuse it.
            Thinking that stood in tags is never included.
    """
    choices = raw.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(message, Mapping):
        return None
    calls = [call for call in _list(message.get("tool_calls")) if isinstance(call, Mapping)]
    if thinking is None:
        thinking = bool(calls)
    content = message.get("content")
    reply = {
        "role": "assistant",
        "content": "",
        # null says nothing, and several servers refuse it.
        **{name: value for name, value in message.items() if value is not None},
    }
    reply.pop(TAGGED, None)
    text = content_text(content) or ""
    if begins_with_thinking(text):
        reply["content"] = split_thinking(text)[1]
    elif isinstance(content, (list, Mapping)) and not thinking:
        reply["content"] = _without_thinking(content)
    if not thinking:
        for name in THINKING:
            reply.pop(name, None)
    reply.pop("tool_calls", None)
    if calls:
        # The index belongs to the fragments of a stream.
        reply["tool_calls"] = [
            {name: value for name, value in call.items() if name != "index" and value is not None}
            for call in calls
        ]
    return reply


def _without_thinking(content: Any) -> Any:
    parts = [part for part in _list(content) if not is_thinking(part)]
    plain = all(
        isinstance(part, str) or (isinstance(part, Mapping) and part.get("type") == "text")
        for part in parts
    )
    return content_text(parts) if plain else parts


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, Mapping) else []
