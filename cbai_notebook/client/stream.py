"""`TextStream`: an answer that is still arriving, as text, as events or as parsed chunks."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cbai_notebook.client import error_mapping, event_log
from cbai_notebook.client.answer import Answer, AnswerFacts, Messages, Step, Timing
from cbai_notebook.client.chat_wire import Chunk, Usage
from cbai_notebook.client.decoder import values_of
from cbai_notebook.client.providers import AGENT
from cbai_notebook.client.sources import Sources
from cbai_notebook.client.sse import Event

if TYPE_CHECKING:
    from cbai_notebook.client.structured.response_type import ResponseType

Stream = TypeVar("Stream", bound="TextStream")


class StreamSource(Protocol):
    """Writes the log of a stream: `StreamTask` for one request, `StepRunner` for several."""

    @property
    def log(self) -> event_log.EventLog: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def task(self) -> asyncio.Task[None]: ...
    @property
    def first_token_at(self) -> float | None: ...
    @property
    def ended_at(self) -> float | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def declared_complete(self) -> bool: ...


# Chunks whose raw answer is folded at once. More of them are folded in a thread, off the event loop.
_FEW_CHUNKS = 100


class TextStream:
    """The stream of one answer of a model or an agent.

    ``text_stream``, ``event_stream``, ``data_stream`` and `batches` are views: each access returns
    a new iterator, which begins at the first event, independent of the others. Each view raises the
    error of the stream, after the items that had arrived before it. ``text``, ``usage`` and the
    other properties return the state so far and never wait.

    Use ``async with stream:`` or `aclose` to release the connection before the answer has ended;
    leaving a loop over a view does not release it.
    """

    def __init__(
        self,
        source: StreamSource,
        facts: AnswerFacts,
        *,
        began: float,
    ) -> None:
        self._source = source
        self._log = source.log
        self._facts = facts
        self._began = began
        self.provider = facts.provider
        self.label = facts.label
        self.loop = source.loop
        # The positions in the log where a step begins; empty unless there are several steps.
        self._starts: Sequence[int] = ()
        self._response: ResponseType | None = None
        # A stream that no code refers to any more must not cost more tokens.
        self._finalizer = weakref.finalize(
            self, _cancel_unread, source.loop, source.task, source.log
        )
        self._finalizer.atexit = False

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """A view of the content: each piece of text as it arrives."""
        return event_log.EventView(self, self._log, event_log.texts)

    @property
    def event_stream(self) -> AsyncIterator[Event]:
        """A view of the events; the data of the last event of a complete answer is ``"[DONE]"``."""
        return event_log.EventView(self, self._log, event_log.events)

    @property
    def data_stream(self) -> AsyncIterator[Chunk]:
        """A view of the parsed events, without ``[DONE]`` and pings."""
        return event_log.EventView(self, self._log, event_log.chunks)

    def batches(self) -> AsyncIterator[list[Chunk]]:
        """Return a view of the parsed events, in lists; each has those since the last list."""
        return event_log.EventView(self, self._log, event_log.bursts)

    @property
    def partial_objects(self) -> AsyncIterator[Any]:
        """A view of the JSON in the content: the object so far, each time that it has grown.

        An incomplete string is included as far as it has arrived, a number once it is complete. The
        last object is the JSON of the answer's ``parsed``, plain and not validated.
        """
        from cbai_notebook.client.structured.partial_json import PartialObjects

        growing = PartialObjects(self._starts, self._response)

        def objects(log: event_log.EventLog, start: int, stop: int) -> Iterable[Any]:
            chunks = log.chunks[start:stop]
            texts = ["" if chunk is None else chunk.text for chunk in chunks]
            return growing.feed(texts, start, stop)

        return event_log.EventView(self, self._log, objects)

    async def finish(self) -> Answer:
        """Read to the end and return the complete answer.

        Raises:
            CbaiError: The stream failed; ``partial`` contains the text that had arrived.
        """
        await self._log.wait(lambda log: log.ended)
        if self._log.error is not None:
            raise error_mapping.fresh_copy(self._log.error)
        answer = self.answer()
        if self._log.length > _FEW_CHUNKS:
            await asyncio.to_thread(answer._raw.fold)
        else:
            answer._raw.fold()
        return answer

    def answer(self) -> Answer:
        """Return the answer so far."""
        log, source = self._log, self._source
        facts = replace(
            self._facts,
            declared_complete=not log.ended or source.declared_complete,
            timing=self.timing,
            request_id=source.request_id,
        )
        return Answer(
            log.accumulator,
            partial(values_of, log.chunks[: log.length]),
            facts,
            replies=log.ended or log.accumulator.has_token,
        )

    async def aclose(self) -> None:
        """Release the connection at once, without reading the rest of the answer."""
        task = self._source.task
        # After [DONE] the task reads only the end of the body, to make the connection reusable.
        if not task.done() and not self._log.ended:
            _cancel(self.loop, task)
        if asyncio.get_running_loop() is self.loop and not self._log.complete:
            await asyncio.wait({task})
        else:
            await self._log.wait(lambda log: log.ended)

    async def __aenter__(self: Stream) -> Stream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def text(self) -> str:
        """The content so far."""
        return self._log.accumulator.text

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return self._log.accumulator.reasoning

    @property
    def refusal(self) -> str:
        """The refusal of the model so far; empty when it does not refuse."""
        return self._log.accumulator.refusal

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of an answer that calls tools; empty for an answer of one request."""
        return ()

    @property
    def usage(self) -> Usage | None:
        """The token counts; None until the server has sent them."""
        return self._log.accumulator.usage

    @property
    def messages(self) -> Messages:
        """The messages of the request, with the answer so far added as it was received."""
        return self.answer().messages

    @property
    def sources(self) -> Sources:
        """The web pages and knowledge bases that an agent has used so far; a model has none."""
        return self._log.accumulator.sources

    @property
    def record_id(self) -> str | None:
        """An agent's id of its record of the answer, to which feedback refers; None for a model."""
        return self._log.accumulator.record_id

    @property
    def agent_id(self) -> str | None:
        """The id of the agent that was asked; None for a model."""
        return self._facts.model if self.provider == AGENT else None

    @property
    def finish_reason(self) -> str | None:
        """The finish reason; None until the answer has ended."""
        return self._log.accumulator.finish_reason

    @property
    def model(self) -> str:
        """The model that answers, as named by the server, else as requested."""
        return self._log.accumulator.model or self._facts.model

    @property
    def done(self) -> bool:
        """Whether the stream has ended, with an error or without."""
        return self._log.ended

    @property
    def error(self) -> BaseException | None:
        """The error of the stream, if it failed."""
        return self._log.error

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, for a support ticket."""
        return self._source.request_id

    @property
    def timing(self) -> Timing:
        """The times to the first token and to the end."""
        first, ended = self._source.first_token_at, self._source.ended_at
        return Timing(
            first_token_s=None if first is None else first - self._began,
            duration_s=None if ended is None else ended - self._began,
            attempts=self._facts.timing.attempts,
        )

    @property
    def events_so_far(self) -> list[Event]:
        """The events that have arrived."""
        return [event for event in self._log.events[: self._log.length] if event is not None]

    def __repr__(self) -> str:
        state = "complete" if self._log.complete else "failed" if self.done else "arriving"
        return (
            f"<{type(self).__name__} from {self.provider}/{self.model}, "
            f"{len(self.text)} characters, {state}>"
        )


async def wait_for_first_token(stream: Stream) -> Stream:
    """Wait for the first token or the end of a stream, and return the stream.

    Raises:
        CbaiError: The stream failed before its first token.
    """
    log = stream._log
    try:
        await log.wait_for_start()
    except asyncio.CancelledError:
        await stream.aclose()
        raise
    if log.error is not None and not log.accumulator.has_token:
        raise error_mapping.fresh_copy(log.error)
    return stream


def bursts_of(
    stream: TextStream,
) -> AsyncIterator[tuple[list[Event | None], list[Chunk | None]]]:
    """Return a view of a stream: its bursts, each as its events and their chunks."""
    return event_log.EventView(stream, stream._log, event_log.pairs)


def _cancel_unread(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], log: event_log.EventLog
) -> None:
    if not log.ended:
        _cancel(loop, task)


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    # A closed event loop has no connection left to release.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(task.cancel)
