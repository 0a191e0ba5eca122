"""Add up the chunks of a stream: `Accumulator` while it runs, `merged` for the full raw answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from cbai_notebook.client.chat_wire import (
    Choice,
    Chunk,
    ChunkChoice,
    FunctionCall,
    Message,
    Usage,
    WireToolCall,
)

# Text fields of a delta, which are concatenated. Of every other field the last value counts.
_JOINED = frozenset({"content", "reasoning_content", "reasoning", "refusal"})


class _ChoiceAccumulator:
    """The sum of the deltas of one choice."""

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
        position = _find_call([_fragment(call) for call in self.tool_calls], _fragment(part))
        if position is None:
            index = part.index if part.index is not None else len(self.tool_calls)
            call = WireToolCall(index=index, type="function", function=FunctionCall("", ""))
            self.tool_calls.append(call)
        else:
            call = self.tool_calls[position]
        call.id = part.id or call.id
        call.type = part.type or call.type
        if part.function is not None and call.function is not None:
            call.function.name = part.function.name or call.function.name
            call.function.arguments = (call.function.arguments or "") + (
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
        return sorted(self.tool_calls, key=lambda call: call.index or 0)


class Accumulator:
    """The running sum of a stream: text, reasoning, tool calls, usage, finish reason."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.model: str | None = None
        self.created: int | None = None
        self.usage: Usage | None = None
        self._first = _ChoiceAccumulator()
        self._choices: dict[int, _ChoiceAccumulator] = {0: self._first}

    def add(self, chunks: Iterable[Chunk | None]) -> None:
        """Add chunks in order; skip None."""
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
                    self._choices.setdefault(choice.index, _ChoiceAccumulator()).add(choice)
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
        """Whether any part of the answer has arrived: content, reasoning or a tool call."""
        return any(
            each.content or each.reasoning or each.tool_calls for each in self._choices.values()
        )

    @property
    def text(self) -> str:
        """The first choice's content so far."""
        return "".join(self._first.content)

    @property
    def reasoning(self) -> str:
        """The first choice's reasoning so far."""
        return "".join(self._first.reasoning)

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the first choice; None until it has ended."""
        return self._first.finish_reason

    @property
    def choices(self) -> list[Choice]:
        """All choices so far, each with its complete message."""
        return [
            Choice(index=index, message=each.message(), finish_reason=each.finish_reason)
            for index, each in sorted(self._choices.items())
        ]

    @property
    def reply(self) -> dict[str, Any]:
        """The first choice's message as the next request sends it: role, content and tool calls."""
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
    """Merge the raw chunks of a stream into one completion that keeps every field.

    Args:
        chunks: The JSON objects of the events, in order.

    Returns:
        A dict in the form of a completion that is not streamed. Text and tool calls are joined,
        usage keeps the last non-zero values, and of every other field the last value counts.
    """
    completion: dict[str, Any] = {"object": "chat.completion"}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for name, value in chunk.items():
            if name == "choices":
                for choice in value if isinstance(value, list) else ():
                    if isinstance(choice, dict):
                        _merge_choice(choices, choice)
            elif name == "usage":
                if isinstance(value, dict):
                    usage = completion.setdefault("usage", {})
                    usage.update({k: v for k, v in value.items() if v or k not in usage})
            elif name != "object" and (value is not None or name not in completion):
                completion[name] = value
    completion["choices"] = [choices[index] for index in sorted(choices)]
    for choice in completion["choices"]:
        calls = choice["message"].get("tool_calls")
        if isinstance(calls, list):
            calls.sort(key=lambda call: call["index"])
    return completion


def _merge_choice(choices: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.get("index")
    index = index if isinstance(index, int) else 0
    choice = choices.setdefault(
        index, {"index": index, "message": {"role": "assistant", "content": ""}}
    )
    for name, value in part.items():
        if name in ("delta", "message"):
            if isinstance(value, dict):
                _merge_delta(choice["message"], value)
        elif name == "logprobs" and isinstance(value, dict):
            _merge_logprobs(choice, value)
        elif name != "index" and (value is not None or name not in choice):
            choice[name] = value


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
        call = _call_for(calls, part)
        for name, value in part.items():
            if name == "function" and isinstance(value, dict):
                function = call.setdefault("function", {"name": "", "arguments": ""})
                for key, piece in value.items():
                    if key == "arguments" and isinstance(piece, str):
                        function[key] = (function.get(key) or "") + piece
                    elif piece:
                        function[key] = piece
            elif value or name not in call:
                call[name] = value


def _call_for(calls: list[dict[str, Any]], part: dict[str, Any]) -> dict[str, Any]:
    index = part.get("index")
    position = _find_call([_raw_fragment(call) for call in calls], _raw_fragment(part))
    if position is not None:
        return calls[position]
    new: dict[str, Any] = {"index": index if isinstance(index, int) else len(calls)}
    calls.append(new)
    return new


def _merge_logprobs(choice: dict[str, Any], part: dict[str, Any]) -> None:
    known = choice.get("logprobs")
    known = choice["logprobs"] = known if isinstance(known, dict) else {}
    for name, value in part.items():
        if isinstance(value, list):
            known[name] = [*(known.get(name) or []), *value]
        elif value is not None or name not in known:
            known[name] = value


# Fragments of tool calls --------------------------------------------------------------------------


class _CallFragment(NamedTuple):
    """A tool call so far, or a fragment of one: the fields that identify it."""

    call_index: int | None
    id: str | None
    name: str | None
    arguments: str | None


def _find_call(calls: Sequence[_CallFragment], part: _CallFragment) -> int | None:
    """Return the position in `calls` of the call that a fragment continues, or None for a new call.

    A stream sends each tool call in fragments that share an ``index``. Some providers do otherwise:

    - no index; the id identifies the call,
    - complete calls with neither index nor id,
    - index 0 for every call, and different ids.

    Args:
        calls: The calls so far, in the order in which they began.
        part: The fragment.
    """
    if not calls:
        return None
    newest_first = range(len(calls) - 1, -1, -1)
    if part.call_index is not None:
        same = next((n for n in newest_first if calls[n].call_index == part.call_index), None)
        return None if same is None or _is_other_call(calls[same], part) else same
    if part.id:
        return next((n for n in newest_first if calls[n].id == part.id), None)
    last = calls[-1]
    # A name alone may begin a call, or be repeated with each fragment of the same call.
    begins = bool(part.name and last.name) and (
        part.name != last.name or _is_complete(last.arguments)
    )
    return None if begins else len(calls) - 1


def _is_other_call(call: _CallFragment, part: _CallFragment) -> bool:
    return bool(part.name and part.id and call.id) and part.id != call.id


def _is_complete(arguments: str | None) -> bool:
    try:
        msgspec.json.decode(arguments or "")
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True


def _fragment(call: WireToolCall) -> _CallFragment:
    function = call.function or FunctionCall()
    return _CallFragment(call.index, call.id, function.name, function.arguments)


def _raw_fragment(call: dict[str, Any]) -> _CallFragment:
    index, function = call.get("index"), call.get("function")
    function = function if isinstance(function, dict) else {}
    return _CallFragment(
        index if isinstance(index, int) else None,
        *(
            value if isinstance(value, str) else None
            for value in (call.get("id"), function.get("name"), function.get("arguments"))
        ),
    )
