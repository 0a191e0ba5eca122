"""One request that is answered with one JSON value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client import error_mapping, retry
from cbai_notebook.client.completion import received, within
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.request import BODILESS, Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.transport import Transport


@dataclass(frozen=True)
class Reply:
    """What a server answered; ``value`` is a dict, empty for an empty body."""

    value: dict[str, Any]
    request_id: str | None
    attempts: int


async def call(
    transport: Transport, request: Request, error_context: ErrorContext, timeout: Timeout
) -> Reply:
    """Send a request and return its answer. Only what can be done twice is tried again.

    Args:
        transport: What sends it.
        request: What is sent.
        asked: The same, for the wording of failures.
        timeout: How long to wait for the connection, and for the whole answer.

    Raises:
        CbaiError: There was no answer, or it tells of an error.
    """
    policy: Callable[[Exception], bool | float] = (
        retry.worth_retrying if request.method in BODILESS else retry.worth_retrying_once_only
    )

    async def attempt(number: int) -> Reply:
        work = _once(transport, request, error_context, timeout, number)
        return await within(timeout.answer, work, error_context)

    return await retry.call(attempt, policy)


async def _once(
    transport: Transport,
    request: Request,
    error_context: ErrorContext,
    timeout: Timeout,
    number: int,
) -> Reply:
    response, body = await received(
        transport, request, error_context, connect_timeout=timeout.connect
    )
    value = error_mapping.json_object(body, response.headers, error_context) if body.strip() else {}
    return Reply(value, error_mapping.request_id(response.headers, error_context), number)
