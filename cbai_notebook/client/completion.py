"""One request that is answered in one piece: with a completion, or with another JSON object."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from cbai_notebook.client import error_mapping, retry
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.answer import Answer, AnswerFacts, Timing, from_completion
from cbai_notebook.client.chat_wire import Chunk
from cbai_notebook.client.decoder import ChatDecoder, stream_events, values_of
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.request import BODILESS, Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.sse import Event
from cbai_notebook.client.tasks import mark_retrieved, wait_awake
from cbai_notebook.client.transport import LARGEST_ERROR, Response, Transport
from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    InvalidResponseError,
    StreamCutError,
)

Result = TypeVar("Result")

Through = Callable[[Request, Callable[[Request], Awaitable[Result]]], Awaitable[Result]]
"""Sends a request with a function, as soon as it may be sent."""


@dataclass(frozen=True)
class JSONReply:
    """The response of a server: ``value`` is the JSON object, empty for an empty body."""

    value: dict[str, Any]
    request_id: str | None


async def request_completion(
    transport: Transport,
    request: Request,
    error_context: ErrorContext,
    timeout: Timeout,
    facts: AnswerFacts,
    through: Through[Answer] | None = None,
    policy: retry.Policy = retry.should_retry,
) -> Answer:
    """Send a request and return its answer; retry where that helps.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits, for the connection and for each attempt.
        facts: What is known about the answer before the request is sent.
        through: Sends each attempt as soon as it may be sent; by default at once.
        policy: Decides which errors are retried.

    Raises:
        CbaiError: There was no answer.
    """
    began = asyncio.get_running_loop().time()

    def read(response: Response, body: bytes, attempts: int) -> Answer:
        timing = Timing(duration_s=asyncio.get_running_loop().time() - began, attempts=attempts)
        request_id = error_mapping.request_id(response.headers, error_context)
        known = replace(facts, timing=timing, request_id=request_id)
        return _answer(response, body, error_context, known)

    return await _request(transport, request, error_context, timeout, policy, read, through)


async def request_json(
    transport: Transport, request: Request, error_context: ErrorContext, timeout: Timeout
) -> JSONReply:
    """Send a request and return the JSON object of its response.

    A request with a body is treated as not idempotent: it is retried only when the server refused
    it (429).

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits, for the connection and for each attempt.

    Raises:
        CbaiError: There was no response, or it reports an error.
    """

    def read(response: Response, body: bytes, attempts: int) -> JSONReply:
        headers = response.headers
        value = error_mapping.parse_object(body, headers, error_context) if body.strip() else {}
        return JSONReply(value, error_mapping.request_id(headers, error_context))

    bodiless = request.method in BODILESS
    policy = retry.should_retry if bodiless else retry.should_retry_non_idempotent
    return await _request(transport, request, error_context, timeout, policy, read)


async def _request(
    transport: Transport,
    request: Request,
    error_context: ErrorContext,
    timeout: Timeout,
    policy: retry.Policy,
    read: Callable[[Response, bytes, int], Result],
    through: Through[Result] | None = None,
) -> Result:
    """Send a request, with retries, and return the result of `read` for its response.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits, for the connection and for each attempt.
        policy: Decides which errors are retried, those that `read` raises included.
        read: Makes the result; gets the response, its complete body and the number of the attempt.
        through: As for `request_completion`.
    """

    async def once(request: Request, number: int) -> Result:
        response, body = await _receive(transport, request, error_context, timeout)
        return read(response, body, number)

    async def attempt(number: int) -> Result:
        def send(request: Request) -> Awaitable[Result]:
            return within(timeout.answer, once(request, number), error_context)

        # The time limit begins when the request may be sent.
        return await (send(request) if through is None else through(request, send))

    return await retry.call(attempt, policy)


async def _receive(
    transport: Transport, request: Request, error_context: ErrorContext, timeout: Timeout
) -> tuple[Response, bytes]:
    """Send a request once; return the response, which is closed, and its complete body.

    Raises:
        CbaiError: There was no response, or its status is that of an error. When the body was cut
            off, ``partial`` is the text that had arrived.
    """
    response = await transport.send(request, error_context, connect_timeout=timeout.connect)
    try:
        if not 200 <= response.status < 300:
            body = await response.read(LARGEST_ERROR, cut=True)
            raise error_mapping.from_response(
                response.status, response.headers, body, error_context
            )
        parts: list[bytes] = []
        try:
            body = await response.read(parts=parts)
        except ConnectionFailedError as error:
            error.partial = _partial_text(response, b"".join(parts), error_context)
            error.request_id = error_mapping.request_id(response.headers, error_context)
            raise
        return response, body
    finally:
        await response.aclose()


class _StreamedBody:
    """The answer in a body that holds the events of a stream, although none was requested."""

    def __init__(self, events: list[Event], response: Response, context: ErrorContext) -> None:
        decoder = ChatDecoder()
        self.accumulator = Accumulator()
        self.chunks: list[Chunk | None] = []
        self.declared_complete = False
        try:
            self.declared_complete = decoder.read(events, self.chunks, response.headers, context)
        except CbaiError as error:
            self.accumulator.add(self.chunks)
            if isinstance(error, InvalidResponseError) and self.chunks:
                raise self.cut() from None  # the last event is incomplete
            error.partial = self.accumulator.text + error.partial
            error.answer_began = error.answer_began or self._began
            raise
        self.chunks.append(decoder.flush())
        self.accumulator.add(self.chunks)

    @property
    def complete(self) -> bool:
        return self.declared_complete or self.accumulator.finished

    @property
    def _began(self) -> bool:
        return any(chunk is not None for chunk in self.chunks)

    def cut(self) -> StreamCutError:
        error = error_mapping.stream_cut(
            self.accumulator.finish_reason, has_token=self.accumulator.has_token
        )
        error.partial = self.accumulator.text
        error.answer_began = self._began
        return error


def _answer(
    response: Response, body: bytes, error_context: ErrorContext, facts: AnswerFacts
) -> Answer:
    """Make the answer from a complete body.

    Raises:
        CbaiError: The body reports an error, or is not an answer.
    """
    events = stream_events(body)
    if not events:
        value = error_mapping.parse_completion(body, response.headers, error_context)
        return from_completion(value, facts)
    streamed = _StreamedBody(events, response, error_context)
    if not streamed.complete:
        raise streamed.cut()
    facts = replace(facts, declared_complete=streamed.declared_complete)
    return Answer(streamed.accumulator, partial(values_of, streamed.chunks), facts)


def _partial_text(response: Response, body: bytes, error_context: ErrorContext) -> str:
    """Return the text in the beginning of a body."""
    events = stream_events(body) or ChatDecoder().read_partial(
        body, response.headers, error_context
    )
    try:
        return _StreamedBody(events, response, error_context).accumulator.text
    except CbaiError as error:
        return error.partial


async def within(
    seconds: float,
    work: Coroutine[Any, Any, Result],
    error_context: ErrorContext,
    stage: str = "answer",
) -> Result:
    """Run a coroutine and return its result; cancel it when it takes longer than `seconds`.

    The coroutine runs in its own task, so that a cancellation of the caller is not taken for the
    time limit.

    Raises:
        RequestTimeoutError: It took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        await wait_awake(task, seconds)
        if task.done():
            error = task.exception()
            if isinstance(error, CbaiError):
                # Without its frames: their local variables hold what the server sent.
                raise error_mapping.fresh_copy(error)
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        mark_retrieved(task)
    raise error_mapping.timeout(stage, seconds, error_context)
