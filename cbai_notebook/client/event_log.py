"""The events of one stream so far: one task writes them, any number of readers read them.

A reader may run on another event loop, in another thread, than the writer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from cbai_notebook.client import error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.sse import Event

Item = TypeVar("Item")


class EventLog:
    """The events of a stream in order, and how the stream ended.

    ``chunks[i]`` is the parsed ``events[i]``; None for ``[DONE]``, and for an event of another
    kind, such as a ping. An event is None where the decoder had kept a piece of text back, and the
    stream ended. Readers read only up to ``length``, so that a burst becomes visible at
    once.

    Args:
        accumulator: An empty accumulator, to which the chunks are added.
    """

    def __init__(self, accumulator: Accumulator) -> None:
        self.events: list[Event | None] = []
        self.chunks: list[Chunk | None] = []
        self.accumulator = accumulator
        self.length = 0
        self.started = False
        self.ended = False
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def complete(self) -> bool:
        """Whether the stream has ended without an error."""
        return self.ended and self.error is None

    def add(self, events: Sequence[Event | None], chunks: Sequence[Chunk | None]) -> None:
        """Append events and their chunks; `publish` makes them visible."""
        self.chunks += chunks
        self.events += events
        self.accumulator.add(chunks)

    def publish(self) -> None:
        """Make the added events visible to the readers and wake the readers."""
        with self._lock:
            self.length = len(self.events)
            self.started = self.started or self.ended or self.accumulator.has_token
            waiting, self._waiting = self._waiting, []
        running_loop = asyncio.get_running_loop()
        for reader in waiting:
            loop = reader.get_loop()
            if loop is running_loop:
                _wake(reader)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(_wake, reader)

    def end(self, error: BaseException | None = None) -> None:
        """End the stream, with an error or without; a second call has no effect."""
        if not self.ended:
            self.error = error
            self.ended = True
            self.publish()

    async def wait_for_start(self) -> None:
        """Wait until the first token, or the end, has arrived."""
        await self.wait(lambda log: log.started)

    async def wait(self, ready: Callable[[EventLog], bool]) -> None:
        """Wait until ``ready`` returns True; it is called after every burst."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if ready(self):
                    return
                reader = loop.create_future()
                self._waiting.append(reader)
            await reader


class EventView(Generic[Item], AsyncIterator[Item]):
    """An iterator over a stream, from its first event on. Leaving it does not close the stream.

    Args:
        stream: The stream; a reference to it is kept while it is being read.
        log: The log of the stream.
        pick: Returns the items of one burst, given its start and its end in the log.
    """

    def __init__(
        self,
        stream: object,
        log: EventLog,
        pick: Callable[[EventLog, int, int], Iterable[Item]],
    ) -> None:
        self._stream: object | None = stream
        self._log = log
        self._pick = pick
        self._seen = 0
        self._ready: Iterator[Item] = iter(())

    def __aiter__(self) -> EventView[Item]:
        return self

    async def __anext__(self) -> Item:
        while True:
            for item in self._ready:
                return item
            await self._next_burst()

    async def aclose(self) -> None:
        """Stop this reader; the stream and its other readers continue."""
        self._ready = iter(())
        self._stream = None

    async def _next_burst(self) -> None:
        log, seen = self._log, self._seen
        if self._stream is None:
            raise StopAsyncIteration
        if log.length == seen:
            if not log.ended:
                await log.wait(lambda log: log.length > seen or log.ended)
            # The last burst and the end may have arrived together.
            if log.length == seen:
                self._stream = None
                if log.error is not None:
                    raise error_mapping.fresh_copy(log.error)
                raise StopAsyncIteration
        self._seen = log.length
        self._ready = iter(self._pick(log, seen, self._seen))


def texts(log: EventLog, start: int, stop: int) -> Iterable[str]:
    """Return the content of a burst, one text for each chunk that has some."""
    return [text for chunk in log.chunks[start:stop] if chunk is not None and (text := chunk.text)]


def events(log: EventLog, start: int, stop: int) -> Iterable[Event]:
    """Return the events of a burst, ``[DONE]`` included."""
    return [event for event in log.events[start:stop] if event is not None]


def chunks(log: EventLog, start: int, stop: int) -> Iterable[Chunk]:
    """Return the chunks of a burst."""
    return [chunk for chunk in log.chunks[start:stop] if chunk is not None]


def bursts(log: EventLog, start: int, stop: int) -> Iterable[list[Chunk]]:
    """Return the chunks of a burst as one item; no item when the burst has no chunks."""
    burst = [chunk for chunk in log.chunks[start:stop] if chunk is not None]
    return [burst] if burst else []


def pairs(
    log: EventLog, start: int, stop: int
) -> Iterable[tuple[list[Event | None], list[Chunk | None]]]:
    """Return the events and the chunks of a burst as one item."""
    return [(log.events[start:stop], log.chunks[start:stop])]


def _wake(reader: asyncio.Future[None]) -> None:
    if not reader.done():
        reader.set_result(None)
