"""Adding up the chunks of a stream: quickly while it runs, and completely when asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cbai_notebook.client.chat_wire import (
    Choice,
    Chunk,
    ChunkChoice,
    FunctionCall,
    Message,
    Usage,
    WireToolCall,
)
from cbai_notebook.client.fragments import CallFragment, find_call

# Fields of a delta that come in pieces. Of every other field the last value counts.
_JOINED = frozenset({"content", "reasoning_content", "reasoning", "refusal"})


class _Reply:
    """What one choice's deltas add up to."""

    __slots__ = ("content", "finish_reason", "reasoning", "role", "tool_calls")

    def __init__(self) -> None:
        self.role: str | None = None
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.tool_calls: list[WireToolCall] = []
        self.finish_reason: str | None = None

    def add(self, choice: ChunkChoice) -> None:
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return
        if delta.content:
            self.content.append(delta.content)
        if delta.reasoning_content:
            self.reasoning.append(delta.reasoning_content)
        if delta.role:
            self.role = delta.role
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._add_call(call)

    def _add_call(self, part: WireToolCall) -> None:
        known = find_call([_fragment(one) for one in self.tool_calls], _fragment(part))
        if known is None:
            index = part.index if part.index is not None else len(self.tool_calls)
            whole = WireToolCall(index=index, type="function", function=FunctionCall("", ""))
            self.tool_calls.append(whole)
        else:
            whole = self.tool_calls[known]
        whole.id = part.id or whole.id
        whole.type = part.type or whole.type
        if part.function is not None and whole.function is not None:
            whole.function.name = part.function.name or whole.function.name
            whole.function.arguments = (whole.function.arguments or "") + (
                part.function.arguments or ""
            )

    def message(self) -> Message:
        return Message(
            role=self.role or "assistant",
            content="".join(self.content),
            reasoning_content="".join(self.reasoning) or None,
            tool_calls=self.calls or None,
        )

    @property
    def calls(self) -> list[WireToolCall]:
        return sorted(self.tool_calls, key=lambda one: one.index or 0)


def _fragment(call: WireToolCall) -> CallFragment:
    function = call.function or FunctionCall()
    return CallFragment(call.index, call.id, function.name, function.arguments)


class Accumulator:
    """The running sum of a stream: text, reasoning, tool calls, usage, finish reason."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.model: str | None = None
        self.created: int | None = None
        self.usage: Usage | None = None
        self._first = _Reply()
        self._replies: dict[int, _Reply] = {0: self._first}

    def add(self, chunks: Iterable[Chunk | None]) -> None:
        """Add chunks, in their order; None counts for nothing."""
        first = self._first
        for chunk in chunks:
            if chunk is None:
                continue
            if self.id is None:
                self.id = chunk.id
                self.created = chunk.created
            if self.model is None:
                self.model = chunk.model
            for choice in chunk.choices or ():
                if choice.index == 0:
                    first.add(choice)
                else:
                    self._replies.setdefault(choice.index, _Reply()).add(choice)
            if chunk.usage is not None:
                self._add_usage(chunk.usage)

    def _add_usage(self, new: Usage) -> None:
        old = self.usage or Usage()
        # Some providers repeat usage, some end with zeros: the last non-zero value counts.
        self.usage = Usage(
            prompt_tokens=new.prompt_tokens or old.prompt_tokens or 0,
            completion_tokens=new.completion_tokens or old.completion_tokens or 0,
            total_tokens=new.total_tokens or old.total_tokens or 0,
        )

    @property
    def has_token(self) -> bool:
        """Whether anything of an answer has come: content, reasoning or a tool call."""
        return any(one.content or one.reasoning or one.tool_calls for one in self._replies.values())

    @property
    def text(self) -> str:
        """The first choice's content so far."""
        return "".join(self._first.content)

    @property
    def reasoning(self) -> str:
        """The first choice's thinking so far."""
        return "".join(self._first.reasoning)

    @property
    def finish_reason(self) -> str | None:
        """Why the first choice ended, once it has."""
        return self._first.finish_reason

    @property
    def choices(self) -> list[Choice]:
        """All choices so far, as whole messages."""
        return [
            Choice(index=index, message=reply.message(), finish_reason=reply.finish_reason)
            for index, reply in sorted(self._replies.items())
        ]

    @property
    def reply(self) -> dict[str, Any]:
        """The first choice's message as it is sent back: role, content and tool calls."""
        message: dict[str, Any] = {
            "role": self._first.role or "assistant",
            "content": self.text,
        }
        if self._first.tool_calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": call.type,
                    "function": {
                        "name": call.function.name if call.function else "",
                        "arguments": call.function.arguments if call.function else "",
                    },
                }
                for call in self._first.calls
            ]
        return message


def merged(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Merge the raw chunks of a stream into the completion they stand for; nothing is lost.

    Args:
        chunks: The JSON objects of the events, in order.

    Returns:
        A dict shaped as an answer in one piece. Text is joined, tool calls are joined by their
        index, usage keeps the last non-zero values, and of every other field the last one counts.
    """
    whole: dict[str, Any] = {"object": "chat.completion"}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for name, value in chunk.items():
            if name == "choices":
                for choice in value if isinstance(value, list) else ():
                    if isinstance(choice, dict):
                        _merge_choice(choices, choice)
            elif name == "usage":
                if isinstance(value, dict):
                    usage = whole.setdefault("usage", {})
                    usage.update({k: v for k, v in value.items() if v or k not in usage})
            elif name != "object" and (value is not None or name not in whole):
                whole[name] = value
    whole["choices"] = [choices[index] for index in sorted(choices)]
    for choice in whole["choices"]:
        calls = choice["message"].get("tool_calls")
        if isinstance(calls, list):
            calls.sort(key=lambda call: call["index"])
    return whole


def _merge_choice(choices: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.get("index")
    index = index if isinstance(index, int) else 0
    whole = choices.setdefault(
        index, {"index": index, "message": {"role": "assistant", "content": ""}}
    )
    for name, value in part.items():
        if name in ("delta", "message"):
            if isinstance(value, dict):
                _merge_delta(whole["message"], value)
        elif name == "logprobs" and isinstance(value, dict):
            _merge_logprobs(whole, value)
        elif name != "index" and (value is not None or name not in whole):
            whole[name] = value


def _merge_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            if isinstance(value, list):
                _merge_calls(message.setdefault("tool_calls", []), value)
        elif name in _JOINED and isinstance(value, str):
            old = message.get(name)
            message[name] = (old if isinstance(old, str) else "") + value
        elif value or name not in message:
            message[name] = value


def _merge_calls(calls: list[dict[str, Any]], parts: list[Any]) -> None:
    for part in parts:
        if not isinstance(part, dict):
            continue
        whole = _call_for(calls, part)
        for name, value in part.items():
            if name == "function" and isinstance(value, dict):
                function = whole.setdefault("function", {"name": "", "arguments": ""})
                for key, piece in value.items():
                    if key == "arguments" and isinstance(piece, str):
                        function[key] = (function.get(key) or "") + piece
                    elif piece:
                        function[key] = piece
            elif value or name not in whole:
                whole[name] = value


def _call_for(calls: list[dict[str, Any]], part: dict[str, Any]) -> dict[str, Any]:
    index = part.get("index")
    known = find_call([_raw_fragment(call) for call in calls], _raw_fragment(part))
    if known is not None:
        return calls[known]
    new: dict[str, Any] = {"index": index if isinstance(index, int) else len(calls)}
    calls.append(new)
    return new


def _raw_fragment(call: dict[str, Any]) -> CallFragment:
    index, function = call.get("index"), call.get("function")
    function = function if isinstance(function, dict) else {}
    return CallFragment(
        index if isinstance(index, int) else None,
        *(
            value if isinstance(value, str) else None
            for value in (call.get("id"), function.get("name"), function.get("arguments"))
        ),
    )


def _merge_logprobs(whole: dict[str, Any], part: dict[str, Any]) -> None:
    known = whole.get("logprobs")
    known = whole["logprobs"] = known if isinstance(known, dict) else {}
    for name, value in part.items():
        if isinstance(value, list):
            known[name] = [*(known.get(name) or []), *value]
        elif value is not None or name not in known:
            known[name] = value
