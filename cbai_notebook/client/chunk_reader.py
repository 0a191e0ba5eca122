"""Read chunks of any shape: the same facts stand under different names at different servers.

The rules, for one choice of a chunk:

- The message is ``delta``. ``message`` counts where no delta has brought content: some servers send the
  whole message so far beside each delta.
- ``content`` is a text, or a list of parts, or one part. Parts of type ``thinking`` are thinking, those
  of type ``refusal`` a refusal, and ``<think>…</think>`` at the start of the text is thinking too.
- Thinking is ``reasoning_content``, else ``reasoning``, else the texts of ``reasoning_details``. Servers
  that send two of these send the same words twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cbai_notebook.client import chat_wire
from cbai_notebook.client.chat_wire import (
    Chunk,
    ChunkChoice,
    FunctionCall,
    Message,
    Usage,
    WireToolCall,
    int_of,
    text_of,
)
from cbai_notebook.client.think_tags import ThinkTags
from cbai_notebook.text import without_surrogates

THINKING = ("reasoning_content", "reasoning", "reasoning_details")
"""The names under which servers send thinking, beside the content."""

# Fields of a delta that bring something, so that a `message` beside it is a repetition.
_CONTENT = ("content", *THINKING, "refusal", "tool_calls", "function_call")


class MessageFinder:
    """Finds the message in the choices of one stream, in their order."""

    def __init__(self) -> None:
        self._with_deltas: set[int] = set()

    def note_delta(self, index: int) -> None:
        """Note that a delta of this choice has brought content."""
        self._with_deltas.add(index)

    def find(self, choice: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what this choice adds to its message, or None."""
        delta, message = choice.get("delta"), choice.get("message")
        index = index_of(choice)
        if isinstance(delta, dict) and any(delta.get(name) for name in _CONTENT):
            self._with_deltas.add(index)
            return delta
        if isinstance(message, dict) and index not in self._with_deltas:
            return message
        return delta if isinstance(delta, dict) else None


class ChunkReader:
    """Reads the chunks of one stream, or one whole answer."""

    def __init__(self) -> None:
        self._finder = MessageFinder()
        self._tags = ThinkTags()
        self._content = _WholeCharacters()
        self._reasoning = _WholeCharacters()

    @property
    def plain(self) -> bool:
        """Whether a plain chunk may be used as it was decoded."""
        return self._tags.plain and not (self._content.half or self._reasoning.half)

    def chunk(self, value: dict[str, Any], source: bytes | None = None) -> Chunk:
        """Return the chunk of a JSON object.

        Args:
            value: The object; in its texts half a surrogate pair may stand.
            source: The bytes that it was parsed from.
        """
        choices = value.get("choices")
        usage = usage_of(value.get("usage"))
        found: list[ChunkChoice] = []
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                found.append(self._choice(choice))
                usage = usage or usage_of(choice.get("usage"))
        chunk = Chunk(
            id=text_of(value.get("id")),
            model=text_of(value.get("model")),
            choices=found,
            usage=usage or _nested_usage(value),
            created=int_of(value.get("created")),
            source=source,
        )
        self._split_first(chunk)
        return chunk

    def plain_chunk(self, chunk: Chunk) -> None:
        """Read a plain chunk, which was decoded without this reader."""
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta is not None and (delta.content or delta.reasoning_content):
                self._finder.note_delta(choice.index)
        self._split_first(chunk)

    def _split_first(self, chunk: Chunk) -> None:
        """Move the thinking that stands in tags out of the content of the first choice."""
        for choice in chunk.choices or ():
            if choice.index == 0:
                self._split(choice)

    def flush(self) -> Chunk | None:
        """Return what waited for the next chunk, at the end of a stream; None if nothing did."""
        choice = ChunkChoice(delta=Message())
        self._split(choice, last=True)
        delta = choice.delta
        if delta is not None and (delta.content or delta.reasoning_content):
            return Chunk(choices=[choice])
        return None

    def _split(self, choice: ChunkChoice, *, last: bool = False) -> None:
        delta = choice.delta
        last = last or bool(choice.finish_reason)
        if delta is None:
            if not last or self.plain:
                return
            delta = choice.delta = Message()
        thinking = self._reasoning.feed(delta.reasoning_content or "", last=last)
        more, text = self._tags.feed(self._content.feed(delta.content or "", last=last))
        thinking += more
        if last:
            more, more_text = self._tags.flush()
            thinking, text = thinking + more, text + more_text
        if text or delta.content is not None:
            delta.content = text
        if thinking or delta.reasoning_content is not None:
            delta.reasoning_content = thinking

    def _choice(self, choice: dict[str, Any]) -> ChunkChoice:
        message = self._finder.find(choice)
        return ChunkChoice(
            index=index_of(choice),
            delta=None if message is None else message_of(message),
            finish_reason=text_of(choice.get("finish_reason")) or None,
        )


class _WholeCharacters:
    """Joins a character whose halves stand in two chunks."""

    def __init__(self) -> None:
        self.half = ""

    def feed(self, piece: str, *, last: bool) -> str:
        """Return a piece of the text without half a character at its end, unless it is the last."""
        piece, self.half = self.half + piece, ""
        if not last and "\ud800" <= piece[-1:] <= "\udbff":
            piece, self.half = piece[:-1], piece[-1]
        return without_surrogates(piece)


def message_of(value: Mapping[str, Any]) -> Message:
    """Read a message or a delta."""
    content = value.get("content")
    calls = value.get("tool_calls")
    return Message(
        role=text_of(value.get("role")),
        content=content_text(content),
        reasoning_content=_thinking(value, content),
        tool_calls=[_tool_call(call) for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else None,
        refusal=text_of(value.get("refusal")) or _part_texts(content, "refusal") or None,
    )


def content_text(value: Any) -> str | None:
    """Return content as text: its own, or that of its text parts."""
    if isinstance(value, (list, dict)):
        return _part_texts(value, "text")
    return text_of(value)


def is_thinking(part: Any) -> bool:
    """Return whether a part of a list content is thinking."""
    return isinstance(part, dict) and part.get("type") in ("thinking", "reasoning")


def usage_of(value: Any) -> Usage | None:
    """Read a usage object; None when it is none."""
    if not isinstance(value, dict):
        return None
    return Usage(
        prompt_tokens=int_of(value.get("prompt_tokens")) or 0,
        completion_tokens=int_of(value.get("completion_tokens")) or 0,
        total_tokens=int_of(value.get("total_tokens")) or 0,
        cached_tokens=_cached_tokens(value),
    )


def index_of(choice: Mapping[str, Any]) -> int:
    """Return the index of a choice; 0 when it has none."""
    return int_of(choice.get("index")) or 0


def _cached_tokens(usage: Mapping[str, Any]) -> int:
    details = usage.get("prompt_tokens_details")
    found = details.get("cached_tokens") if isinstance(details, dict) else None
    for name in ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens"):
        found = found or usage.get(name)
    return int_of(found) or 0


def _nested_usage(value: Mapping[str, Any]) -> Usage | None:
    """Return the usage in a field of one server's own, such as ``x_groq``."""
    for part in value.values():
        if isinstance(part, dict) and isinstance(part.get("usage"), dict):
            usage = usage_of(part["usage"])
            if usage is not None and (usage.prompt_tokens or usage.completion_tokens):
                return usage
    return None


def _thinking(message: Mapping[str, Any], content: Any) -> str | None:
    for name in THINKING:
        found = message.get(name)
        text = _detail_texts(found) if isinstance(found, (list, dict)) else text_of(found)
        if text:
            return text
    parts = [content] if isinstance(content, dict) else content
    if isinstance(parts, list):
        return "".join(_thinking_text(part) for part in parts if is_thinking(part)) or None
    return None


def _thinking_text(part: Mapping[str, Any]) -> str:
    """Return the text of a thinking part, which is a text or a list of parts."""
    for name in ("thinking", "reasoning", "text", "content", "summary"):
        found = part.get(name)
        text = _part_texts(found, "text") if isinstance(found, (list, dict)) else text_of(found)
        if text:
            return text
    return ""


def _detail_texts(details: Any) -> str:
    """Return the texts of ``reasoning_details``; encrypted ones have none."""
    details = [details] if isinstance(details, dict) else details
    found = [
        text
        for part in details
        if isinstance(part, dict)
        for text in (part.get("text") or part.get("summary"),)
        if isinstance(text, str)
    ]
    return "".join(found)


def _part_texts(content: Any, name: str) -> str:
    """Join a field of the parts of a list content; a part that is a text counts as a text part."""
    parts = [content] if isinstance(content, dict) else content
    if not isinstance(parts, list):
        return ""
    texts: list[str] = []
    for part in parts:
        found = part.get(name) if isinstance(part, dict) and not is_thinking(part) else None
        if name == "text" and isinstance(part, str):
            found = part
        if isinstance(found, dict):  # {"type": "text", "text": {"value": …}}
            found = found.get("value")
        if isinstance(found, str):
            texts.append(found)
    return "".join(texts)


def _tool_call(value: dict[str, Any]) -> WireToolCall:
    function = value.get("function")
    return WireToolCall(
        index=int_of(value.get("index")),
        id=text_of(value.get("id")) or None,
        type=text_of(value.get("type")),
        function=_function(function) if isinstance(function, dict) else None,
        raw=value,
    )


def _function(value: Mapping[str, Any]) -> FunctionCall:
    arguments = value.get("arguments")
    if isinstance(arguments, (dict, list)):
        arguments = chat_wire.dump(arguments).decode()
    return FunctionCall(name=text_of(value.get("name")), arguments=text_of(arguments))
