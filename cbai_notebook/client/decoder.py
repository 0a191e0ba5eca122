"""What the events of a stream say. The pump brings them and keeps the time; a dialect reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from cbai_notebook.client import chat_wire, error_mapping
from cbai_notebook.client.accumulator import Fold
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.error_mapping import Asked
from cbai_notebook.client.sse import DONE, Event
from cbai_notebook.errors import InvalidResponseError

Value = TypeVar("Value")


class Dialect(Protocol):
    """How one service writes its answers into events."""

    def fold(self) -> Fold:
        """Return an empty sum for the chunks of one stream."""
        ...

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        asked: Asked,
    ) -> bool:
        """Append what each event says, None for ``[DONE]``; return whether the answer ends there.

        Raises:
            CbaiError: An event tells of an error, or is none. What came before it was appended.
        """
        ...

    def complete(self, fold: Fold) -> bool:
        """Say whether the answer may end here although no ``[DONE]`` has come."""
        ...

    def whole(self, body: bytes, headers: Mapping[str, str], asked: Asked) -> list[Event]:
        """Return the events that stand for an answer in one piece.

        Raises:
            CbaiError: It tells of an error, or is no answer.
        """
        ...


class Chat:
    """The chunks of the chat completions wire."""

    def fold(self) -> Fold:
        return Fold()

    def read(
        self,
        events: Sequence[Event],
        chunks: list[Chunk | None],
        headers: Mapping[str, str],
        asked: Asked,
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
                odd = loaded(event, chat_wire.decode_chunk, headers, asked)
                if odd is not None:
                    _refuse_error(event, odd, headers, asked)
                chunks.append(odd)
            else:
                chunk.source = body
                if chunk.error is not None or chunk.code is not None or event.event is not None:
                    _refuse_error(event, chunk, headers, asked)
                chunks.append(chunk)
        return False

    def complete(self, fold: Fold) -> bool:
        return False

    def whole(self, body: bytes, headers: Mapping[str, str], asked: Asked) -> list[Event]:
        value = error_mapping.completion(body, headers, asked)
        as_chunk = {
            **value,
            "choices": [
                {("delta" if name == "message" else name): part for name, part in choice.items()}
                for choice in value["choices"]
                if isinstance(choice, dict)
            ],
        }
        return [Event(chat_wire.dump(as_chunk)), Event(DONE)]


def loaded(
    event: Event, load: Callable[[bytes], Value], headers: Mapping[str, str], asked: Asked
) -> Value | None:
    """Return an event's value, or None for an event of another kind, such as a ping.

    Raises:
        CbaiError: It is an error in plain words, or it cannot be loaded.
    """
    try:
        return load(event.body)
    except InvalidResponseError:
        if event.event == "error":
            raise error_mapping.from_text(event.data, headers, asked) from None
        if event.event not in (None, "message") or not event.body.strip():
            return None
        raise


def _refuse_error(event: Event, chunk: Chunk, headers: Mapping[str, str], asked: Asked) -> None:
    named = event.event == "error"
    if chunk.error is not None or chunk.code is not None or named:
        error = error_mapping.from_body(chunk.raw, headers, asked, certain=named)
        if error is not None:
            raise error
