"""An answer in one piece, within a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from cbai_notebook.client import chat_wire, error_mapping
from cbai_notebook.client.accumulator import merged
from cbai_notebook.client.answer import Answer, Timing, from_completion
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.request import Request
from cbai_notebook.client.sse import DONE, EventParser
from cbai_notebook.client.tasks import mark_retrieved, wait_awake
from cbai_notebook.client.transport import LARGEST_ERROR, Response, Transport
from cbai_notebook.errors import CbaiError

Result = TypeVar("Result")


async def ask(
    transport: Transport,
    request: Request,
    error_context: ErrorContext,
    *,
    connect_timeout: float,
    label: str,
    began: float,
    attempts: int,
) -> Answer:
    """Send a request and return its answer.

    Args:
        transport: What sends it.
        request: What is sent.
        asked: The same, for the wording of failures.
        connect_timeout: Seconds for the connection.
        label: What the footer calls the provider.
        began: The loop's time when the user asked.
        attempts: How often it has been sent, this time included.

    Raises:
        CbaiError: There was no answer.
    """
    response, body = await received(
        transport, request, error_context, connect_timeout=connect_timeout
    )
    start = body.lstrip()[:5]
    told = "event-stream" in response.content_type and start[:1] not in (b"{", b"<")
    if told or start == b"data:":
        raw = _added_up(body, response.headers, error_context)
    else:
        raw = error_mapping.completion(body, response.headers, error_context)
    ended = asyncio.get_running_loop().time()
    return from_completion(
        raw,
        request_messages=list(request.messages),
        provider=error_context.provider,
        label=label,
        timing=Timing(duration_s=ended - began, attempts=attempts),
        request_id=error_mapping.request_id(response.headers, error_context),
    )


async def received(
    transport: Transport, request: Request, error_context: ErrorContext, *, connect_timeout: float
) -> tuple[Response, bytes]:
    """Send a request and return the answer, closed, with its whole body.

    Raises:
        CbaiError: There was none, or its status says no.
    """
    response = await transport.send(request, error_context, connect_timeout=connect_timeout)
    try:
        if not 200 <= response.status < 300:
            body = await response.read(LARGEST_ERROR, cut=True)
            raise error_mapping.from_response(
                response.status, response.headers, body, error_context
            )
        return response, await response.read()
    finally:
        await response.aclose()


def _added_up(
    body: bytes, headers: Mapping[str, str], error_context: ErrorContext
) -> dict[str, Any]:
    """Read a stream that came although a whole answer was asked for."""
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
    raise error_mapping.cut(None, has_token=bool(chunks))


async def within(
    seconds: float,
    work: Coroutine[Any, Any, Result],
    error_context: ErrorContext,
    stage: str = "answer",
) -> Result:
    """Run the work, and cancel it when it takes longer.

    Waiting for a task of its own, and not for a cancellation of this one, keeps the caller's own
    cancellation apart from the time limit.

    Raises:
        RequestTimeoutError: It took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        await wait_awake(task, seconds)
        if task.done():
            error = task.exception()
            if isinstance(error, CbaiError):
                # Without its frames: they hold what the server said, word for word.
                raise error_mapping.again(error)
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        mark_retrieved(task)
    raise error_mapping.timeout(stage, seconds, error_context)
