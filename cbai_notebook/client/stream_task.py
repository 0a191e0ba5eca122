"""The task that requests a stream and reads it from the socket into the log, burst by burst.

The task is independent of the readers: a slow reader does not delay the stream, and a reader that
leaves does not close it. The task ends with the answer, with an error, or when it is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property

from cbai_notebook.client import error_mapping, tasks
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.decoder import StreamDecoder, is_stream
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.event_log import EventLog
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.sse import BOM, Event, EventParser
from cbai_notebook.client.transport import LARGEST_ERROR, Response, Transport
from cbai_notebook.client.wire_format import WireFormat
from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    InvalidResponseError,
    StreamCutError,
)
from cbai_notebook.i18n import say

# After [DONE] the body is read to its end, so that the connection can be reused. These limits are
# for a server that does not end the body.
_DRAIN_S = 1.0
_DRAIN_BYTES = 64 * 1024

_LARGEST_STREAM = 256 * 1024 * 1024


class StreamTask:
    """One attempt to receive a stream.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits.
        wire_format: The format of the events.
    """

    def __init__(
        self,
        transport: Transport,
        request: Request,
        error_context: ErrorContext,
        timeout: Timeout,
        wire_format: WireFormat,
    ) -> None:
        self._wire_format = wire_format
        self.log = EventLog(wire_format.accumulator())
        self.declared_complete = False
        self.loop = asyncio.get_running_loop()
        self.first_token_at: float | None = None
        self.ended_at: float | None = None
        self.request_id: str | None = None
        self._transport = transport
        self._request = request
        self._error_context = error_context
        self._timeout = timeout
        self._headers: Mapping[str, str] = {}
        self._burst: list[bytes] = []
        self._started = False
        self._whole_body: list[bytes] | None = None
        self._incomplete_event = False
        self._received = 0
        self._drained = 0
        self._burst_error: CbaiError | None = None
        self.task = tasks.start(self._run(), "cbai stream")
        self._watchdog = _Watchdog(self.loop, self.task)

    # Made when the first bytes have arrived: the request does not wait for them.

    @cached_property
    def _parser(self) -> EventParser:
        return EventParser()

    @cached_property
    def _decoder(self) -> StreamDecoder:
        return self._wire_format.decoder()

    async def _run(self) -> None:
        watchdog = self._watchdog
        watchdog.set("first_token", self._timeout.first_token, self._timeout.answer)
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
            elif self.log.ended or self._decoder.complete(self.log.accumulator):
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
        broken: BaseException | None = None
        try:
            await response.receive(self._take_part)
        except ConnectionFailedError as error:
            broken = error.__cause__
        self._read_burst()
        if not self._received and "json" in response.content_type and broken is None:
            self._whole_body = []
        if self._received > _LARGEST_STREAM:
            raise InvalidResponseError(
                say("request.answer_is_too_large", size=_LARGEST_STREAM // 2**20)
            )
        if not self.log.ended:
            self._take_rest(whole=broken is None)
        if self.log.ended:
            return
        self._flush()
        at_end = broken is None and self._decoder.complete_at_end(self.log.accumulator)
        if not at_end and not self._decoder.complete(self.log.accumulator):
            raise self._cut() from broken
        self._succeed()

    def _take_part(self, data: bytes) -> bool:
        """Buffer a part of the body, and return whether to read more."""
        if self.log.ended:
            self._drained += len(data)
            return self._drained <= _DRAIN_BYTES
        if not self._burst or not self._started:
            # This runs when the task waits for the socket again: once per burst, not once per part.
            self.loop.call_soon(self._end_burst)
            # A comment is a sign of life too: a server may send them while a request waits.
            self._watchdog.touch(token=False)
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
            if BOM.startswith(data):
                self._burst.append(data)
                return
            if not data.removeprefix(BOM).strip():
                return  # blank lines, with which a server may wait for long
            self._started = True
            self._whole_body = None if is_stream(data) else []
        if self._whole_body is not None:
            self._whole_body.append(data)
            return
        self._take(self._parser.feed(data))
        self.log.publish()

    def _take_rest(self, *, whole: bool) -> None:
        """Parse the rest: a body that is not a stream, or a last event without a blank line."""
        if self._whole_body is not None:
            body = b"".join(self._whole_body)
            read = self._decoder.read_completion if whole else self._decoder.read_partial
            self._take(read(body, self._headers, self._error_context))
            return
        try:
            self._take(self._parser.flush())
        except InvalidResponseError:
            self._incomplete_event = True

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
            self.declared_complete = True
            self._succeed()
            self._watchdog.set("drain", _DRAIN_S)
            return
        if self.first_token_at is not None:
            if events:
                self._watchdog.touch(token=True)
        elif self.log.accumulator.has_token:
            self.first_token_at = self.loop.time()
            self._watchdog.set("between_tokens", self._timeout.between_tokens, self._timeout.answer)
        if self._decoder.complete(self.log.accumulator):
            # More events or [DONE] may follow, but they are not waited for as long as a token.
            self._watchdog.set("drain", _DRAIN_S)

    def _flush(self) -> None:
        """Add what the decoder has kept back for the next event."""
        chunk = self._decoder.flush()
        if chunk is not None:
            self.log.add([None], [chunk])

    def _succeed(self) -> None:
        """End the log: the answer is complete."""
        if self.log.ended:
            return
        self._flush()
        if self.first_token_at is None and self.log.accumulator.has_token:
            self.first_token_at = self.loop.time()
        self.ended_at = self.loop.time()
        self.log.end()

    def _fail(self, error: BaseException) -> None:
        if self.log.ended:
            return
        self.ended_at = self.loop.time()
        self._flush()
        if isinstance(error, CbaiError):
            error.partial = self.log.accumulator.text + error.partial
            error.request_id = error.request_id or self.request_id
            error.answer_began = error.answer_began or self._answer_began()
        self.log.end(error)

    def _answer_began(self) -> bool:
        """Return whether a part of the answer has arrived; a comment or a ping is none."""
        return self._incomplete_event or any(chunk is not None for chunk in self.log.chunks)

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
        self._seconds = self._longest = 0.0
        self._due = self._latest = 0.0
        self._check_at = 0.0
        self.expired: tuple[str, float] | None = None

    def set(self, stage: str, seconds: float, longest: float | None = None) -> None:
        """Begin a stage.

        Args:
            stage: The name of its limit.
            seconds: Its limit.
            longest: The limit while signs of life arrive, but no token; `seconds` by default.
        """
        self._stage, self._seconds = stage, seconds
        self._longest = max(seconds, longest or 0.0)
        self.touch(token=True)
        self.stop()
        self._wait()

    def touch(self, *, token: bool) -> None:
        """Restart the limit of the stage: an event has arrived, or another sign of life."""
        now = self._loop.time()
        if token:
            self._latest = now + self._longest
        self._due = min(now + self._seconds, self._latest)

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
        held_up = self._loop.time() - self._check_at
        self._due += held_up
        self._latest += held_up
        if self._loop.time() < self._due:
            self._wait()
        else:
            self._timer = None
            limit = self._longest if self._due >= self._latest else self._seconds
            self.expired = (self._stage, limit)
            self._task.cancel()
