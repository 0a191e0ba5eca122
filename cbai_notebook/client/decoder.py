"""Decode the events of a stream into chunks. `StreamTask` receives the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from cbai_notebook.client import chat_wire, error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.chunk_reader import ChunkReader, MessageFinder
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.sse import BOM, DONE, Event, EventParser
from cbai_notebook.errors import InvalidResponseError

Value = TypeVar("Value")

# The first characters of the fields data, event, error, id and retry, and of a comment.
_STARTS = frozenset((b"d", b"e", b"i", b"r", b":"))


class StreamDecoder(Protocol):
    """Decodes the events of one stream of one kind of service."""

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        error_context: ErrorContext,
    ) -> bool:
        """Append the chunk of each event; return whether the answer has ended.

        None is appended for ``[DONE]``, and for an event of another kind, such as a ping.

        Raises:
            CbaiError: An event reports an error or cannot be decoded. The chunks before it are
                appended.
        """
        ...

    def flush(self) -> Chunk | None:
        """Return what waited for the next event, at the end of the stream; None if nothing did."""
        ...

    def complete(self, accumulator: Accumulator) -> bool:
        """Return whether the answer is complete, and nothing more is waited for."""
        ...

    def complete_at_end(self, accumulator: Accumulator) -> bool:
        """Return whether the answer is complete when its body ends here, without ``[DONE]``."""
        ...

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        """Return the events that are equivalent to an answer that was not streamed.

        Raises:
            CbaiError: The body reports an error, or is not an answer.
        """
        ...

    def read_partial(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        """Return the events of an answer that was not streamed, and whose end is missing."""
        ...


class ChatDecoder:
    """Decodes the chunks of the chat completions protocol."""

    def __init__(self) -> None:
        self._reader = ChunkReader()
        self._plain = False

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        error_context: ErrorContext,
    ) -> bool:
        decode, reader = chat_wire.plain_chunks.decode, self._reader
        for event in events:
            body = event.body
            try:
                chunk = decode(body)
            except chat_wire.DECODE_ERRORS:
                if body.strip() == DONE:
                    chunks.append(None)
                    return True
                chunks.append(self._read_any(event, headers, error_context))
                continue
            if not chunk.choices or event.event is not None:
                # No answer, perhaps: the event may be an error.
                chunks.append(self._read_any(event, headers, error_context))
                continue
            chunk.source = body
            if not self._plain:
                reader.plain_chunk(chunk)
                self._plain = reader.plain
            chunks.append(chunk)
        return False

    def _read_any(
        self, event: Event, headers: Mapping[str, str], error_context: ErrorContext
    ) -> Chunk | None:
        value = load_event(event, chat_wire.load_object, headers, error_context)
        if value is None:
            return None
        error = error_mapping.from_body(
            value, headers, error_context, certain=event.event == "error"
        )
        if error is not None:
            raise error
        chunk = self._reader.chunk(value, event.body)
        self._plain = self._reader.plain
        return chunk

    def flush(self) -> Chunk | None:
        return self._reader.flush()

    def complete(self, accumulator: Accumulator) -> bool:
        return False

    def complete_at_end(self, accumulator: Accumulator) -> bool:
        return accumulator.finished

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        lines = _json_lines(body)
        if lines:
            return [Event(line) for line in lines]
        value = error_mapping.parse_completion(body, headers, error_context)
        return [Event(chat_wire.dump(_as_chunk(value))), Event(DONE)]

    def read_partial(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        lines = _json_lines(body.rpartition(b"\n")[0])
        if lines:
            return [Event(line) for line in lines]
        value = chat_wire.load_beginning(body)
        if not isinstance(value.get("choices"), list):
            return []
        return [Event(chat_wire.dump(_as_chunk(value)))]


def is_stream(beginning: bytes) -> bool:
    """Return whether a body begins as a stream does, with the name of a field or a comment.

    The content type does not tell: servers send streams as JSON, and JSON as a stream.
    """
    return beginning.removeprefix(BOM).lstrip()[:1] in _STARTS


def stream_events(body: bytes) -> list[Event]:
    """Return the events in a complete body; empty when it is not a stream."""
    if not is_stream(body):
        return [Event(line) for line in _json_lines(body)]
    parser = EventParser()
    return [*parser.feed(body), *parser.flush()]


def values_of(chunks: Iterable[Chunk | None]) -> Iterable[dict[str, Any]]:
    """Return the JSON object of each chunk, for `fold`."""
    for chunk in chunks:
        if chunk is not None and chunk.source is not None:
            yield chat_wire.load_object(chunk.source)


def _json_lines(body: bytes) -> list[bytes]:
    """Return the lines of a stream whose events are lines of JSON, else an empty list."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < 2:
        return []
    try:
        values = [chat_wire.load_object(line) for line in lines if line.strip() != DONE]
    except InvalidResponseError:
        return []
    return lines if any("choices" in value for value in values) else []


def _as_chunk(value: dict[str, Any]) -> dict[str, Any]:
    """Return a completion as the one chunk of a stream."""
    finder = MessageFinder()
    choices = []
    for choice in value["choices"]:
        if isinstance(choice, dict):
            rest = {name: part for name, part in choice.items() if name != "message"}
            choices.append({**rest, "delta": finder.find(choice)})
    return {**value, "choices": choices}


def load_event(
    event: Event,
    load: Callable[[bytes], Value],
    headers: Mapping[str, str],
    error_context: ErrorContext,
) -> Value | None:
    """Return the value of an event, or None for an event of another kind, such as a ping.

    Raises:
        CbaiError: The event is an error in plain text, or cannot be decoded.
    """
    try:
        return load(event.body)
    except InvalidResponseError:
        if event.event == "error":
            raise error_mapping.from_text(event.data, headers, error_context) from None
        if event.event not in (None, "message") or not event.body.strip():
            return None
        raise
