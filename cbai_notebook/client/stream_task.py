"""The task that requests a stream and reads it from the socket into the log, burst by burst.

The task is independent of the readers: a slow reader does not delay the stream, and a reader that
leaves does not close it. The task ends with the answer, with an error, or when it is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cbai_notebook.client import error_mapping, tasks
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.decoder import ChatDecoder, StreamDecoder
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.event_log import EventLog
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.sse import Event, EventParser
from cbai_notebook.client.transport import LARGEST_ERROR, Response, Transport
from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    InvalidResponseError,
    StreamCutError,
)

# After [DONE] the body is read to its end, so that the connection can be reused. These limits are
# for a server that does not end the body.
_DRAIN_S = 1.0
_DRAIN_BYTES = 64 * 1024

_LARGEST_STREAM = 256 * 1024 * 1024

_CHAT = ChatDecoder()


class StreamTask:
    """One attempt to receive a stream.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits.
        decoder: Decodes the events.
    """

    def __init__(
        self,
        transport: Transport,
        request: Request,
        error_context: ErrorContext,
        timeout: Timeout,
        decoder: StreamDecoder = _CHAT,
    ) -> None:
        self.log = EventLog(decoder.accumulator())
        self._decoder = decoder
        self.loop = asyncio.get_running_loop()
        self.first_token_at: float | None = None
        self.ended_at: float | None = None
        self.request_id: str | None = None
        self._transport = transport
        self._request = request
        self._error_context = error_context
        self._timeout = timeout
        self._headers: Mapping[str, str] = {}
        self._parser = EventParser()
        self._burst: list[bytes] = []
        self._started = False
        self._whole_body: list[bytes] | None = None
        self._received = 0
        self._drained = 0
        self._burst_error: CbaiError | None = None
        self.task = tasks.start(self._run(), "cbai stream")
        self._watchdog = _Watchdog(self.loop, self.task)

    async def _run(self) -> None:
        watchdog = self._watchdog
        watchdog.set("first_token", self._timeout.first_token)
        try:
            response = await self._transport.send(
                self._request, self._error_context, connect_timeout=self._timeout.connect
            )
            try:
                await self._receive(response)
            finally:
                await response.aclose()
        except asyncio.CancelledError:
            if self._burst_error is not None:
                self._fail(self._burst_error)
            elif self.log.ended or self._is_complete():
                self._succeed()  # no effect after [DONE]: the log has ended already
            elif watchdog.expired is not None:
                self._fail(error_mapping.timeout(*watchdog.expired, self._error_context))
            else:
                self._fail(error_mapping.stream_closed())
            if self._burst_error is None and watchdog.expired is None:
                raise
        except BaseException as error:
            # For errors in our own code too: no reader may wait for ever.
            self._fail(error)
            if not isinstance(error, CbaiError):
                raise
        finally:
            watchdog.stop()

    async def _receive(self, response: Response) -> None:
        self._headers = response.headers
        self.request_id = error_mapping.request_id(response.headers, self._error_context)
        if not 200 <= response.status < 300:
            body = await response.read(LARGEST_ERROR, cut=True)
            raise error_mapping.from_response(
                response.status, response.headers, body, self._error_context
            )
        kind = response.content_type
        if "json" in kind or "html" in kind:
            self._take_completion(await response.read())
            return
        broken: BaseException | None = None
        try:
            await response.receive(self._take_part)
        except ConnectionFailedError as error:
            broken = error.__cause__
        self._read_burst()
        if self._received > _LARGEST_STREAM:
            raise InvalidResponseError(
                f"The answer is larger than {_LARGEST_STREAM // 2**20} MB, so reading was stopped."
            )
        if not self.log.ended:
            self._take_rest()
        if self._is_complete():
            self._succeed()
        if not self.log.ended:
            raise self._cut() from broken

    def _take_part(self, data: bytes) -> bool:
        """Buffer a part of the body, and return whether to read more."""
        if self.log.ended:
            self._drained += len(data)
            return self._drained <= _DRAIN_BYTES
        if not self._burst:
            # This runs when the task waits for the socket again: once per burst, not once per part.
            self.loop.call_soon(self._end_burst)
        self._burst.append(data)
        self._received += len(data)
        return self._received <= _LARGEST_STREAM

    def _end_burst(self) -> None:
        read = False
        try:
            self._read_burst()
            read = True
        except CbaiError as error:
            self._burst_error = error
        finally:
            # Any error in this callback must end the task that waits for the socket.
            if not read:
                self.task.cancel()

    def _read_burst(self) -> None:
        """Parse the parts of this burst into the log, and wake the readers."""
        if not self._burst or self._burst_error is not None or self.log.ended:
            return
        data = b"".join(self._burst)
        self._burst.clear()
        if not self._started:
            self._started = True
            # No event stream begins like this: the server sent a wrong content type.
            self._whole_body = [] if data.lstrip()[:1] in (b"{", b"<") else None
        if self._whole_body is not None:
            self._whole_body.append(data)
            return
        self._take(self._parser.feed(data))
        self.log.publish()

    def _take_rest(self) -> None:
        """Parse the rest: a body that is not a stream, or a last event without a blank line."""
        if self._whole_body is not None:
            self._take_completion(b"".join(self._whole_body))
            return
        try:
            self._take(self._parser.flush())
        except InvalidResponseError:
            return  # the last event is incomplete

    def _take(self, events: list[Event]) -> None:
        """Decode events and add them to the log."""
        chunks: list[Chunk | None] = []
        done = False
        try:
            done = self._decoder.read(events, chunks, self._headers, self._error_context)
        finally:
            # The events before an error count.
            self.log.add(events[: len(chunks)], chunks)
        if done:
            self._succeed()
            self._watchdog.set("drain", _DRAIN_S)
            return
        if self.first_token_at is not None:
            if events:
                self._watchdog.touch()
        elif self.log.accumulator.has_token:
            self.first_token_at = self.loop.time()
            self._watchdog.set("between_tokens", self._timeout.between_tokens)
        if self._is_complete():
            # More events or [DONE] may follow, but they are not waited for as long as a token.
            self._watchdog.set("drain", _DRAIN_S)

    def _take_completion(self, body: bytes) -> None:
        """Add an answer that was not streamed although a stream was requested."""
        self._take(self._decoder.read_completion(body, self._headers, self._error_context))

    def _is_complete(self) -> bool:
        return self._decoder.complete(self.log.accumulator)

    def _succeed(self) -> None:
        """End the log: the answer is complete."""
        if self.log.ended:
            return
        if self.first_token_at is None and self.log.accumulator.has_token:
            self.first_token_at = self.loop.time()
        self.ended_at = self.loop.time()
        self.log.end()

    def _fail(self, error: BaseException) -> None:
        if self.log.ended:
            return
        self.ended_at = self.loop.time()
        if isinstance(error, CbaiError):
            error.partial = self.log.accumulator.text
            error.request_id = error.request_id or self.request_id
        self.log.end(error)

    def _cut(self) -> StreamCutError:
        accumulator = self.log.accumulator
        return error_mapping.stream_cut(accumulator.finish_reason, has_token=accumulator.has_token)


class _Watchdog:
    """Cancel a task when a stage takes too long. There is one timer for any number of events."""

    def __init__(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        self._loop = loop
        self._task = task
        self._timer: asyncio.TimerHandle | None = None
        self._stage = ""
        self._seconds = 0.0
        self._due = 0.0
        self._check_at = 0.0
        self.expired: tuple[str, float] | None = None

    def set(self, stage: str, seconds: float) -> None:
        """Begin a stage, with its limit in seconds."""
        self._stage, self._seconds = stage, seconds
        self._due = self._loop.time() + seconds
        self.stop()
        self._wait()

    def touch(self) -> None:
        """Restart the limit of the stage: an event has arrived."""
        self._due = self._loop.time() + self._seconds

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._check_at = min(self._due, self._loop.time() + tasks.LONGEST_SLEEP_S)
        self._timer = self._loop.call_at(self._check_at, self._check)

    def _check(self) -> None:
        # The time in which the event loop did not run does not count: a computation held the GIL,
        # or the computer slept. Events may have arrived in that time, and could not be read.
        self._due += self._loop.time() - self._check_at
        if self._loop.time() < self._due:
            self._wait()
        else:
            self._timer = None
            self.expired = (self._stage, self._seconds)
            self._task.cancel()
