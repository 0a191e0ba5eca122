"""Decode the events of a stream into chunks. `StreamTask` receives the events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from cbai_notebook.client import chat_wire, error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.sse import DONE, Event
from cbai_notebook.errors import InvalidResponseError

Value = TypeVar("Value")


class StreamDecoder(Protocol):
    """Decodes the events of one kind of service."""

    def accumulator(self) -> Accumulator:
        """Return an empty accumulator for the chunks of one stream."""
        ...

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

    def complete(self, accumulator: Accumulator) -> bool:
        """Return whether the answer is complete without ``[DONE]``."""
        ...

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        """Return the events that are equivalent to an answer that was not streamed.

        Raises:
            CbaiError: The body reports an error, or is not an answer.
        """
        ...


class ChatDecoder:
    """Decodes the chunks of the chat completions protocol."""

    def accumulator(self) -> Accumulator:
        return Accumulator()

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        error_context: ErrorContext,
    ) -> bool:
        decode = chat_wire.chunk_decoder.decode
        for event in events:
            body = event.body
            try:
                chunk = decode(body)
            except chat_wire.DECODE_ERRORS:
                if body.strip() == DONE:
                    chunks.append(None)
                    return True
                lenient = load_event(event, chat_wire.decode_chunk, headers, error_context)
                if lenient is not None:
                    _raise_error(event, lenient, headers, error_context)
                chunks.append(lenient)
            else:
                chunk.source = body
                if chunk.error is not None or chunk.code is not None or event.event is not None:
                    _raise_error(event, chunk, headers, error_context)
                chunks.append(chunk)
        return False

    def complete(self, accumulator: Accumulator) -> bool:
        return False

    def read_completion(
        self, body: bytes, headers: Mapping[str, str], error_context: ErrorContext
    ) -> list[Event]:
        value = error_mapping.parse_completion(body, headers, error_context)
        as_chunk = {
            **value,
            "choices": [
                {("delta" if name == "message" else name): part for name, part in choice.items()}
                for choice in value["choices"]
                if isinstance(choice, dict)
            ],
        }
        return [Event(chat_wire.dump(as_chunk)), Event(DONE)]


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


def _raise_error(
    event: Event, chunk: Chunk, headers: Mapping[str, str], error_context: ErrorContext
) -> None:
    is_error_event = event.event == "error"
    if chunk.error is not None or chunk.code is not None or is_error_event:
        error = error_mapping.from_body(chunk.raw, headers, error_context, certain=is_error_event)
        if error is not None:
            raise error
