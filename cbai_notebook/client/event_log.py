"""What one stream has brought so far: one task writes it, any number of readers read it.

A reader may run on another loop, in another thread, than the writer; each is woken on its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, TypeVar

from cbai_notebook.client import error_mapping
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.sse import Event

Item = TypeVar("Item")


class EventLog:
    """The events of a stream, in order, and how it ended.

    ``chunks[i]`` is the parsed ``events[i]``, or None for ``[DONE]``. Only whole bursts become
    visible: readers look no further than ``length``.

    Args:
        fold: An empty sum; the chunks are added to it.
    """

    def __init__(self, accumulator: Accumulator) -> None:
        self.events: list[Event] = []
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
        """Whether the answer ended as it should, with ``[DONE]``."""
        return self.ended and self.error is None

    def add(self, events: list[Event], chunks: list[Chunk | None]) -> None:
        """Append events and what they were parsed to; `show` makes them visible."""
        self.chunks += chunks
        self.events += events
        self.accumulator.add(chunks)

    def show(self) -> None:
        """Make what was added visible and wake the readers."""
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
        """Say how the stream ended; what is said later does not count."""
        if not self.ended:
            self.error = error
            self.ended = True
            self.show()

    async def wait(self, ready: Callable[[EventLog], bool]) -> None:
        """Return when ``ready`` holds; it is asked after every burst."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if ready(self):
                    return
                reader = loop.create_future()
                self._waiting.append(reader)
            await reader


class EventView(Generic[Item], AsyncIterator[Item]):
    """One reader of a stream, from its first event on. Leaving it closes nothing.

    Args:
        stream: Kept alive for as long as it is being read.
        log: What it reads.
        pick: Makes the items of one burst, given where the burst begins and ends in the log.
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
        """Stop this reader; the stream and its other readers go on."""
        self._ready = iter(())
        self._stream = None

    async def _next_burst(self) -> None:
        log, seen = self._log, self._seen
        if self._stream is None:
            raise StopAsyncIteration
        if log.length == seen:
            if not log.ended:
                await log.wait(lambda log: log.length > seen or log.ended)
            # The last burst may have come together with the end.
            if log.length == seen:
                self._stream = None
                if log.error is not None:
                    raise error_mapping.fresh_copy(log.error)
                raise StopAsyncIteration
        self._seen = log.length
        self._ready = iter(self._pick(log, seen, self._seen))


def texts(log: EventLog, start: int, stop: int) -> Iterable[str]:
    """Pick the content of a burst."""
    return [text for chunk in log.chunks[start:stop] if chunk is not None and (text := chunk.text)]


def events(log: EventLog, start: int, stop: int) -> Iterable[Event]:
    """Pick the events of a burst, ``[DONE]`` included."""
    return log.events[start:stop]


def chunks(log: EventLog, start: int, stop: int) -> Iterable[Chunk]:
    """Pick the parsed events of a burst."""
    return [chunk for chunk in log.chunks[start:stop] if chunk is not None]


def bursts(log: EventLog, start: int, stop: int) -> Iterable[list[Chunk]]:
    """Pick a burst as one item; one that holds nothing but ``[DONE]`` is left out."""
    burst = [chunk for chunk in log.chunks[start:stop] if chunk is not None]
    return [burst] if burst else []


def pairs(log: EventLog, start: int, stop: int) -> Iterable[tuple[list[Event], list[Chunk | None]]]:
    """Pick a burst as one item: its events and what they were parsed to."""
    return [(log.events[start:stop], log.chunks[start:stop])]


def _wake(reader: asyncio.Future[None]) -> None:
    if not reader.done():
        reader.set_result(None)
