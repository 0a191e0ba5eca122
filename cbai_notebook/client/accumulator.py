"""Add up the chunks of an answer. A whole answer is one chunk.

The facts that this client knows are joined while they arrive. The raw answer, with every field that a
server sent, is folded later from the sources of the same chunks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cbai_notebook.client import chat_wire
from cbai_notebook.client.chat_wire import Choice, Chunk, ChunkChoice, Message, Usage
from cbai_notebook.client.chunk_reader import MessageFinder, index_of
from cbai_notebook.client.json_fold import ObjectFold
from cbai_notebook.client.reply import reply_of
from cbai_notebook.client.sources import Sources
from cbai_notebook.client.think_tags import TAGGED, begins_with_thinking, split_thinking
from cbai_notebook.client.tool_call_joiner import ToolCallJoiner
from cbai_notebook.text import without_surrogates

_TEXTS = ("content", "reasoning_content", "reasoning", TAGGED)


class _ChoiceAccumulator:
    """The sum of the deltas of one choice."""

    __slots__ = ("calls", "content", "finish_reason", "reasoning", "refusal", "role")

    def __init__(self) -> None:
        self.role: str | None = None
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: ToolCallJoiner | None = None
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
        if delta.refusal:
            self.refusal.append(delta.refusal)
        if delta.role:
            self.role = delta.role
        if delta.tool_calls:
            self.calls = self.calls or ToolCallJoiner()
            for call in delta.tool_calls:
                self.calls.add(call)

    @property
    def has_token(self) -> bool:
        return bool(self.content or self.reasoning or self.calls or self.refusal)

    def message(self, *, split: bool) -> Message:
        content, reasoning = "".join(self.content), "".join(self.reasoning)
        if split:
            thinking, content = split_thinking(content)
            reasoning += thinking
        return Message(
            role=self.role or "assistant",
            content=without_surrogates(content),
            reasoning_content=without_surrogates(reasoning) or None,
            tool_calls=self.calls.calls() if self.calls else None,
            refusal=without_surrogates("".join(self.refusal)) or None,
        )


class Accumulator:
    """The running sum of an answer: text, reasoning, tool calls, usage, finish reason."""

    object = "chat.completion"

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
                self.model = chunk.model or None
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
            cached_tokens=new.cached_tokens or old.cached_tokens,
        )

    @property
    def has_token(self) -> bool:
        """Whether any part of the answer has arrived: content, thinking, refusal or a tool call."""
        return any(each.has_token for each in self._choices.values())

    @property
    def text(self) -> str:
        """The first choice's content so far."""
        return "".join(self._first.content)

    @property
    def reasoning(self) -> str:
        """The first choice's reasoning so far."""
        return "".join(self._first.reasoning)

    @property
    def refusal(self) -> str:
        """The first choice's refusal so far; empty when the model does not refuse."""
        return "".join(self._first.refusal)

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the first choice; None until it has ended."""
        return self._first.finish_reason

    @property
    def finished(self) -> bool:
        """Whether every choice has its finish reason."""
        return all(each.finish_reason for each in self._choices.values())

    @property
    def sources(self) -> Sources:
        """The sources so far; a model has none."""
        return Sources()

    @property
    def record_id(self) -> str | None:
        """The service's id of its record of the answer; None for a model."""
        return None

    @staticmethod
    def fold(values: Iterable[dict[str, Any]], choices: Iterable[Choice]) -> dict[str, Any]:
        """Fold the JSON objects of the chunks into the raw answer."""
        return fold(values, choices)

    @staticmethod
    def reply(raw: dict[str, Any]) -> dict[str, Any] | None:
        """Return the message of a raw answer for the next request; None when there is none."""
        return reply_of(raw)

    @property
    def choices(self) -> list[Choice]:
        """All choices so far, each with its complete message."""
        # The tags in the first choice have been split by the reader of the chunks.
        return [
            Choice(
                index=index,
                message=each.message(split=index != 0),
                finish_reason=each.finish_reason,
            )
            for index, each in sorted(self._choices.items())
        ]


def fold(values: Iterable[dict[str, Any]], choices: Iterable[Choice]) -> dict[str, Any]:
    """Fold the chunks of an answer into one completion that keeps every field.

    Args:
        values: The JSON objects of the chunks, in order; a whole answer is one chunk. In their texts
            half a surrogate pair may stand.
        choices: The choices of the complete answer.

    Returns:
        The completion, in the form of one that is not streamed. Its content is that of ``choices``:
        thinking that stood in tags is under `TAGGED`, apart from thinking in fields, because it
        never goes back to the server.
    """
    completion: dict[str, Any] = {}
    usage = ObjectFold()
    folds: dict[int, _ChoiceFold] = {}
    finder = MessageFinder()
    for chunk in values:
        for name, value in chunk.items():
            if name == "choices" and isinstance(value, list):
                for part in value:
                    if isinstance(part, dict):
                        index = index_of(part)
                        if index not in folds:
                            folds[index] = _ChoiceFold()
                        folds[index].add(part, finder.find(part))
            elif name == "usage" and isinstance(value, dict):
                # Some providers end with zeros.
                usage.update({k: v for k, v in value.items() if v or k not in usage})
            elif value is not None or name not in completion:
                completion[name] = value
    known = {choice.index: choice for choice in choices}
    if any(choice.streamed for choice in folds.values()) or not completion.get("object"):
        completion["object"] = "chat.completion"
    if usage:
        completion["usage"] = usage.value()
    completion["choices"] = [folds[index].value(known.get(index)) for index in sorted(folds)]
    return completion


class _ChoiceFold:
    """One choice of the raw answer, so far."""

    def __init__(self) -> None:
        self.streamed = False
        self._fields: dict[str, Any] = {}
        self._logprobs = ObjectFold()
        self._message = ObjectFold()
        self._has_message = False

    def add(self, choice: dict[str, Any], message: dict[str, Any] | None) -> None:
        self.streamed = self.streamed or "delta" in choice
        for name, value in choice.items():
            if name == "logprobs" and isinstance(value, dict):
                for key, found in value.items():
                    self._logprobs.add(key, found)
                self._fields[name] = self._logprobs
            elif name not in ("delta", "message") and (value or name not in self._fields):
                self._fields[name] = value
        if message is not None:
            self._has_message = True
            for name, value in message.items():
                # The calls are joined by `ToolCallJoiner`.
                calls = name == "tool_calls" and isinstance(value, list)
                self._message.add(name, [] if calls else value)

    def value(self, choice: Choice | None) -> dict[str, Any]:
        fields = self._fields
        if fields.get("logprobs") is self._logprobs:
            fields = {**fields, "logprobs": self._logprobs.value()}
        message = chat_wire.whole_characters(self._message.value())
        if self.streamed:
            fields = {"index": 0, **fields}
            message = {"role": "assistant", "content": "", **message}
        elif not self._has_message:
            return fields
        known = choice.message if choice is not None else Message()
        if known.tool_calls:
            message["tool_calls"] = [call.raw for call in known.tool_calls]
        content = message.get("content")
        if isinstance(content, str) and begins_with_thinking(content):
            message[TAGGED], message["content"] = split_thinking(content)
        for text in (known.content, known.reasoning_content):
            # The same text is kept once.
            message.update({name: text for name in _TEXTS if text and message.get(name) == text})
        return {**fields, "message": message}
