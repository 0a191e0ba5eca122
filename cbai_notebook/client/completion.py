"""One request that is answered in one piece: with a completion, or with another JSON object."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cbai_notebook.client import chat_wire, error_mapping, retry
from cbai_notebook.client.accumulator import merged
from cbai_notebook.client.answer import Answer, Timing, from_completion
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.request import BODILESS, Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.sse import DONE, EventParser
from cbai_notebook.client.tasks import mark_retrieved, wait_awake
from cbai_notebook.client.transport import LARGEST_ERROR, Response, Transport
from cbai_notebook.errors import CbaiError

Result = TypeVar("Result")


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
    *,
    label: str,
) -> Answer:
    """Send a request and return its answer; retry where that helps.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits, for the connection and for each attempt.
        label: The provider's name in the footer under an answer.

    Raises:
        CbaiError: There was no answer.
    """
    began = asyncio.get_running_loop().time()

    def read(response: Response, body: bytes, attempts: int) -> Answer:
        raw = _completion(response, body, error_context)
        ended = asyncio.get_running_loop().time()
        return from_completion(
            raw,
            request_messages=list(request.messages),
            provider=error_context.provider,
            label=label,
            timing=Timing(duration_s=ended - began, attempts=attempts),
            request_id=error_mapping.request_id(response.headers, error_context),
        )

    return await _request(transport, request, error_context, timeout, retry.should_retry, read)


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
) -> Result:
    """Send a request, with retries, and return the result of `read` for its response.

    Args:
        transport: Sends the request.
        request: The request.
        error_context: The facts for error messages.
        timeout: The time limits, for the connection and for each attempt.
        policy: Decides which errors are retried, those that `read` raises included.
        read: Makes the result; gets the response, its complete body and the number of the attempt.
    """

    async def once(number: int) -> Result:
        response, body = await _receive(transport, request, error_context, timeout)
        return read(response, body, number)

    async def attempt(number: int) -> Result:
        return await within(timeout.answer, once(number), error_context)

    return await retry.call(attempt, policy)


async def _receive(
    transport: Transport, request: Request, error_context: ErrorContext, timeout: Timeout
) -> tuple[Response, bytes]:
    """Send a request once; return the response, which is closed, and its complete body.

    Raises:
        CbaiError: There was no response, or its status is that of an error.
    """
    response = await transport.send(request, error_context, connect_timeout=timeout.connect)
    try:
        if not 200 <= response.status < 300:
            body = await response.read(LARGEST_ERROR, cut=True)
            raise error_mapping.from_response(
                response.status, response.headers, body, error_context
            )
        return response, await response.read()
    finally:
        await response.aclose()


def _completion(response: Response, body: bytes, error_context: ErrorContext) -> dict[str, Any]:
    """Return the completion in a body. Some servers send a stream although none was requested."""
    start = body.lstrip()[:5]
    declared = "event-stream" in response.content_type and start[:1] not in (b"{", b"<")
    if declared or start == b"data:":
        return _merged_stream(body, response.headers, error_context)
    return error_mapping.parse_completion(body, response.headers, error_context)


def _merged_stream(
    body: bytes, headers: Mapping[str, str], error_context: ErrorContext
) -> dict[str, Any]:
    parser = EventParser()
    chunks: list[dict[str, Any]] = []
    for event in (*parser.feed(body), *parser.flush()):
        if event.body.strip() == DONE:
            return merged(chunks)
        value = chat_wire.load(event.body)
        if isinstance(value, dict):
            error = error_mapping.from_body(
                value, headers, error_context, certain=event.event == "error"
            )
            if error is not None:
                raise error
            chunks.append(value)
    raise error_mapping.stream_cut(None, has_token=bool(chunks))


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
