"""The task that asks for a stream and reads it: socket to log, burst by burst.

It runs apart from every reader, so a slow reader holds nothing up, and a reader that leaves closes
nothing. It ends with the answer, with a failure, or when it is cancelled.
"""

from __future__ import annotations

import asyncio

from cbai_notebook.client import failures, wire
from cbai_notebook.client.events import DONE, Event, EventParser
from cbai_notebook.client.failures import Asked
from cbai_notebook.client.log import Log
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.transport import Response, Transport
from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    InvalidResponseError,
    StreamCutError,
)

# After [DONE] the body is read to its true end, so that the connection can be used again; a
# server that does not end it is not waited for.
_DRAIN_S = 1.0
_DRAIN_BYTES = 64 * 1024

_LARGEST_ERROR = 256 * 1024

# The loop itself refers to its tasks weakly only.
_running: set[asyncio.Task[None]] = set()


class Pump:
    """One attempt to get a stream.

    Args:
        transport: What sends the request.
        request: What is sent.
        asked: The same, for the wording of failures.
        timeout: How long to wait at each stage.
    """

    def __init__(
        self, transport: Transport, request: Request, asked: Asked, timeout: Timeout
    ) -> None:
        self.log = Log()
        self.loop = asyncio.get_running_loop()
        self.first_token_at: float | None = None
        self.ended_at: float | None = None
        self.request_id: str | None = None
        self._transport = transport
        self._request = request
        self._asked = asked
        self._timeout = timeout
        self._parser = EventParser()
        self._showing = False
        self.task = self.loop.create_task(self._run(), name="cbai stream")
        self._watch = _Watch(self.loop, self.task)
        _running.add(self.task)
        self.task.add_done_callback(_finished)

    async def _run(self) -> None:
        watch = self._watch
        watch.set("first_token", self._timeout.first_token)
        try:
            response = await self._transport.send(
                self._request, self._asked, connect_timeout=self._timeout.connect
            )
            try:
                await self._receive(response)
            finally:
                await response.aclose()
        except asyncio.CancelledError:
            if watch.expired is None:
                self._end(self._closed())
                raise
            # After [DONE] the log has its end already and this says no more.
            self._end(failures.timeout(*watch.expired, self._asked))
        except BaseException as error:
            # A fault of ours ends up here too: no reader may wait for ever.
            self._end(error)
            if not isinstance(error, CbaiError):
                raise
        finally:
            watch.stop()

    async def _receive(self, response: Response) -> None:
        self.request_id = response.headers.get("x-request-id")
        if not 200 <= response.status < 300:
            body = await response.read(_LARGEST_ERROR, cut=True)
            raise failures.from_response(response.status, response.headers, body, self._asked)
        kind = response.content_type
        if "json" in kind or "html" in kind:
            self._take_whole(await response.read(), response)
            return
        broken: ConnectionFailedError | None = None
        try:
            await self._receive_events(response)
        except ConnectionFailedError as error:
            broken = error
        if not self.log.ended:
            self._take_last(response)
        if not self.log.ended:
            raise self._cut() from broken and broken.__cause__

    async def _receive_events(self, response: Response) -> None:
        log, feed = self.log, self._parser.feed
        drained = 0
        first = True
        parts = response.chunks()
        async for data in parts:
            if log.ended:
                drained += len(data)
                if drained > _DRAIN_BYTES:
                    break
            elif first and data.lstrip()[:1] in (b"{", b"<"):
                # No line of an event stream begins like this: the type was not told right.
                rest = [part async for part in parts]
                self._take_whole(b"".join((data, *rest)), response)
            else:
                self._take(feed(data), response)
            first = False

    def _take_last(self, response: Response) -> None:
        """Take an event that has no blank line after it, if it came through whole."""
        try:
            self._take(self._parser.flush(), response)
        except InvalidResponseError:
            return

    def _take(self, events: list[Event], response: Response) -> None:
        """Put the events of one read into the log."""
        if not events:
            return
        log = self.log
        for event in events:
            body = event.body
            if body == DONE or body.strip() == DONE:
                log.add(event, None)
                self._done()
                return
            if body:
                log.add(event, self._parsed(event, response))
        if self.first_token_at is not None:
            self._watch.touch()
        elif log.fold.has_token:
            self.first_token_at = self.loop.time()
            self._watch.set("between_tokens", self._timeout.between_tokens)
        if not self._showing:
            # Runs when this task waits for the socket again: once a burst, not once an event.
            self._showing = True
            self.loop.call_soon(self._show)

    def _parsed(self, event: Event, response: Response) -> wire.Chunk | None:
        try:
            chunk = wire.decode_chunk(event.body)
        except InvalidResponseError:
            if event.event == "error":
                raise failures.from_text(event.data, response.headers, self._asked) from None
            if event.event not in (None, "message"):
                return None  # an event of another kind, such as a ping
            raise
        if chunk.error is not None or chunk.code is not None or event.event == "error":
            error = failures.from_body(
                chunk.raw, response.headers, self._asked, certain=event.event == "error"
            )
            if error is not None:
                raise error
        return chunk

    def _take_whole(self, body: bytes, response: Response) -> None:
        """Take an answer that came in one piece although a stream was asked for."""
        value = failures.completion(body, response.headers, self._asked)
        as_chunk = {
            **value,
            "choices": [
                {("delta" if name == "message" else name): part for name, part in choice.items()}
                for choice in value["choices"]
                if isinstance(choice, dict)
            ],
        }
        self._take([Event(wire.dump(as_chunk)), Event(DONE)], response)

    def _show(self) -> None:
        self._showing = False
        self.log.show()

    def _done(self) -> None:
        if self.first_token_at is None and self.log.fold.has_token:
            self.first_token_at = self.loop.time()
        self.ended_at = self.loop.time()
        self.log.end()
        self._watch.set("drain", _DRAIN_S)

    def _end(self, error: BaseException) -> None:
        if self.log.ended:
            return
        self.ended_at = self.loop.time()
        if isinstance(error, CbaiError):
            error.partial = self.log.fold.text
            error.request_id = error.request_id or self.request_id
        self.log.end(error)

    def _cut(self) -> StreamCutError:
        fold = self.log.fold
        if fold.finish_reason is not None:
            looks = f"The text looks complete ({fold.finish_reason!r}), but check its end."
        elif fold.has_token:
            looks = "The text up to there is kept; it is not complete. Ask again for the rest."
        else:
            looks = "Nothing of the answer had arrived. Try again."
        return StreamCutError(
            f"The connection ended before the answer was declared complete. {looks}",
            code="stream_cut",
            request_id=self.request_id,
        )

    def _closed(self) -> StreamCutError:
        return StreamCutError(
            "The stream was closed before the answer was complete.",
            code="stream_closed",
            request_id=self.request_id,
        )


class _Watch:
    """Cancels a task when a stage takes too long. One timer, whatever the number of events."""

    def __init__(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        self._loop = loop
        self._task = task
        self._timer: asyncio.TimerHandle | None = None
        self._stage = ""
        self._seconds = 0.0
        self._due = 0.0
        self.expired: tuple[str, float] | None = None

    def set(self, stage: str, seconds: float) -> None:
        """Begin a stage with its own limit."""
        self._stage, self._seconds = stage, seconds
        self._due = self._loop.time() + seconds
        self.stop()
        self._timer = self._loop.call_at(self._due, self._check)

    def touch(self) -> None:
        """Say that something came: the limit counts anew."""
        self._due = self._loop.time() + self._seconds

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._check)
        else:
            self._timer = None
            self.expired = (self._stage, self._seconds)
            self._task.cancel()


def _finished(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    if not task.cancelled():
        # Every reader has been given it; asking for it here keeps the loop from warning.
        task.exception()
