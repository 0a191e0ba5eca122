"""The stream decoder for agents.

Source: the HTTP API's page ``http-api/ai-bot/send-message`` for the fields. For what the page
leaves open, the official chat component (``cloudbase-agent-ui``): it reads ``reasoning_content`` of
``thinking`` events, ``search_info`` and ``knowledge_base`` (earlier ``knowledge_meta``) of any
event, ``error.message`` of an event with the finish reason ``error``, and ends at ``[DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cbai_notebook.client import chat_wire, error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import (
    Choice,
    Chunk,
    ChunkChoice,
    Message,
    Usage,
    int_of,
    text_of,
)
from cbai_notebook.client.chunk_reader import content_text, usage_of
from cbai_notebook.client.decoder import load_event
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.sources import SearchResult, Sources
from cbai_notebook.client.sse import DONE, Event
from cbai_notebook.text import without_surrogates

# The types of events whose content is not part of the answer.
_NOT_CONTENT = frozenset({"search", "knowledge", "db", "tool-call", "tool-result"})
_FINAL = frozenset({"stop", "length", "content_filter"})


class AgentChunk(Chunk, omit_defaults=True, gc=False):
    """One event of an agent's answer, as a chunk of a chat model.

    ``raw`` is the event as the server sent it. ``kind`` is its type: ``"text"``, ``"thinking"``,
    ``"search"``, ``"knowledge"``, or one that this package does not know.
    """

    kind: str = ""
    search_results: tuple[SearchResult, ...] = ()
    knowledge: tuple[str, ...] = ()


class AgentAccumulator(Accumulator):
    """Accumulator of an agent's answer; ``id`` is the id of its record."""

    object = "agent.message"

    def __init__(self) -> None:
        super().__init__()
        # Dicts as ordered sets: an agent may repeat the items with every event.
        self._search_results: dict[SearchResult, None] = {}
        self._knowledge: dict[str, None] = {}

    def add(self, chunks: Iterable[Chunk | None]) -> None:
        """Add chunks in order; skip None."""
        chunks = list(chunks)
        super().add(chunks)
        for chunk in chunks:
            if not isinstance(chunk, AgentChunk):
                continue
            self.id = self.id or chunk.id
            self._search_results.update(dict.fromkeys(chunk.search_results))
            self._knowledge.update(dict.fromkeys(chunk.knowledge))

    @property
    def sources(self) -> Sources:
        """The web pages and the knowledge bases so far, in the order of arrival."""
        return Sources(tuple(self._search_results), tuple(self._knowledge))

    @property
    def record_id(self) -> str | None:
        """The agent's id of its record of the answer."""
        return self.id

    @staticmethod
    def fold(values: Iterable[dict[str, Any]], choices: Iterable[Choice]) -> dict[str, Any]:
        """Merge the raw events into one of their shape."""
        return merged(values)

    @staticmethod
    def reply(raw: dict[str, Any]) -> dict[str, Any]:
        """Return the text of the answer as a message."""
        return {"role": "assistant", "content": without_surrogates(raw["content"])}

    @property
    def has_token(self) -> bool:
        """Whether a token, a search result or a knowledge base has arrived."""
        return super().has_token or bool(self._search_results or self._knowledge)


class AgentDecoder:
    """Stream decoder for the events of ``send-message`` and ``recommend-questions``."""

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        error_context: ErrorContext,
    ) -> bool:
        for event in events:
            if event.body.strip() == DONE:
                chunks.append(None)
                return True
            value = load_event(event, _load_object, headers, error_context)
            if value is None:
                chunks.append(None)
                continue
            _raise_error(event, value, headers, error_context)
            chunks.append(_chunk(value, event.body))
        return False

    def complete(self, accumulator: Accumulator) -> bool:
        # An agent that runs as the user's function may end its answer without [DONE].
        return accumulator.finish_reason in _FINAL

    def complete_at_end(self, accumulator: Accumulator) -> bool:
        return self.complete(accumulator)

    def flush(self) -> None:
        return None

    def read_partial(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        value = chat_wire.load_beginning(body)
        return [Event(chat_wire.dump(value))] if value else []

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        value = error_mapping.parse_object(body, headers, error_context)
        if not isinstance(value.get("content"), str):
            raise error_mapping.not_an_answer(headers, body, error_context)
        return [Event(body), Event(DONE)]


def merged(values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Merge the raw events of an answer into one of their shape.

    The text of the answer is joined; every other field has its last value that is not empty.
    """
    texts: list[str] = []
    thinking: list[str] = []
    total: dict[str, Any] = {}
    for value in values:
        chunk = _chunk(value, b"")
        texts.append(chunk.text)
        thinking.append(chunk.reasoning)
        for name, part in value.items():
            if part not in (None, "", [], {}) or name not in total:
                total[name] = part
    return {**total, "content": "".join(texts), "reasoning_content": "".join(thinking)}


def _load_object(body: bytes) -> dict[str, Any]:
    value: dict[str, Any] = chat_wire.whole_characters(chat_wire.load_object(body))
    return value


def _chunk(value: dict[str, Any], body: bytes) -> AgentChunk:
    kind = text_of(value.get("type")) or ""
    content = content_text(value.get("content"))
    thought = content_text(value.get("reasoning_content"))
    if kind == "thinking":
        content, thought = None, thought or content
    elif kind in _NOT_CONTENT:
        content = None
    delta = Message(text_of(value.get("role")), content or None, thought or None)
    return AgentChunk(
        id=text_of(value.get("record_id")),
        model=text_of(value.get("model")),
        created=int_of(value.get("created")),
        choices=[ChunkChoice(0, delta, _finish_reason(value))],
        usage=_usage(value.get("usage")),
        source=body,
        kind=kind,
        search_results=_search_results(value.get("search_info")),
        knowledge=_knowledge(value),
    )


def _finish_reason(value: Mapping[str, Any]) -> str | None:
    # The second spelling is that of one page of the API.
    reason = text_of(value.get("finish_reason")) or text_of(value.get("finish_reasion"))
    return None if reason == "continue" else reason


def _usage(value: Any) -> Usage | None:
    """Read a usage object in snake case or camel case: the API's pages and the agents differ."""
    if not isinstance(value, dict):
        return None
    camel = {
        "prompt_tokens": value.get("promptTokens"),
        "completion_tokens": value.get("completionTokens"),
        "total_tokens": value.get("totalTokens"),
    }
    return usage_of({name: value.get(name) or found for name, found in camel.items()})


def _search_results(value: Any) -> tuple[SearchResult, ...]:
    found = value.get("search_results") if isinstance(value, dict) else None
    if not isinstance(found, list):
        return ()
    return tuple(SearchResult.of(one) for one in found if isinstance(one, dict))


def _knowledge(value: Mapping[str, Any]) -> tuple[str, ...]:
    for name in ("knowledge_base", "knowledge_meta"):
        found = value.get(name)
        if isinstance(found, list):
            names = (_name_of(one) for one in found)
            return tuple(name for name in names if name)
    return ()


def _name_of(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "title", "fileName") if value.get(key)), "")
    return text_of(value) or ""


def _raise_error(
    event: Event, value: dict[str, Any], headers: Mapping[str, str], error_context: ErrorContext
) -> None:
    certain = event.event == "error" or _finish_reason(value) == "error"
    if certain and not value.get("message"):
        # Without a message, the content holds the reason.
        value = {**value, "message": content_text(value.get("content"))}
    error = error_mapping.from_body(value, headers, error_context, certain=certain)
    if error is not None:
        raise error
