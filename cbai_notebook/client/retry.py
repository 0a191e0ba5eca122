"""Retry requests as long as nothing of an answer has arrived, and never afterwards.

The policy is data. A server's ``Retry-After`` overrides the usual wait; when it is longer than
`LONGEST_RETRY_AFTER_S`, the error is raised at once, because users do not wait that long. Tests
switch the waiting off with `stamina.set_testing`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    DNSError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StreamCutError,
    TLSError,
)

ATTEMPTS = 4
WAIT_INITIAL_S = 0.5
WAIT_MAX_S = 8.0
LONGEST_RETRY_AFTER_S = 60.0

# The first match decides. Other errors are not retried.
POLICY: tuple[tuple[type[CbaiError], bool], ...] = (
    (QuotaExceededError, False),
    (DNSError, False),
    (TLSError, False),
    (RateLimitError, True),
    (ConnectionFailedError, True),
    (StreamCutError, True),
    (ServerError, True),
)
# Refusals of a moment: too late, in conflict with another request, too early.
_STATUSES_THAT_PASS = frozenset({408, 409, 425})
# Errors of these kinds that a retry cannot change.
_STATUSES_THAT_STAY = frozenset({501, 505})
_CODES_THAT_STAY = frozenset({"connection_refused", "proxy_refused"})

Result = TypeVar("Result")

Policy = Callable[[Exception], bool | float]
"""Decides about an error. False: no retry. True: retry after the usual wait. A number: retry after
so many seconds."""

_SILENT = logging.NullHandler()


def should_retry(error: Exception) -> bool | float:
    """Retry policy for requests that are idempotent, or that only generate text."""
    if not isinstance(error, CbaiError):
        return False
    # What has arrived has been paid for.
    if error.answer_began:
        return False
    if error.status in _STATUSES_THAT_STAY or error.code in _CODES_THAT_STAY:
        return False
    if isinstance(error, RequestTimeoutError):
        # A second request does not help a model that is slow.
        return error.code == "timeout_connect"
    passes = error.status in _STATUSES_THAT_PASS
    if not next((again for kind, again in POLICY if isinstance(error, kind)), passes):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_RETRY_AFTER_S else False


def should_retry_non_idempotent(error: Exception) -> bool | float:
    """Retry policy for requests that are not idempotent: only when the server refused (429)."""
    return should_retry(error) if isinstance(error, RateLimitError) else False


async def call(
    attempt: Callable[[int], Awaitable[Result]],
    policy: Policy = should_retry,
) -> Result:
    """Run an attempt, and repeat it while the policy says so, at most `ATTEMPTS` times in all.

    Args:
        attempt: Called with the number of the attempt, from 1.
        policy: Decides which errors are retried.

    Returns:
        The result of the first attempt that succeeds.

    Raises:
        CbaiError: The error of the last attempt.
    """
    try:
        return await attempt(1)
    except CbaiError as error:
        if policy(error) is False:
            raise
        failed = error
    try:
        return await _call_again(attempt, failed, policy)
    except CbaiError as error:
        # The frames of the retry library are no help to a reader of the traceback.
        raise error.with_traceback(None) from error.__cause__


async def _call_again(
    attempt: Callable[[int], Awaitable[Result]],
    failed: CbaiError,
    policy: Policy,
) -> Result:
    """Run the attempts after the first. stamina is imported here: most requests need no retry."""
    import stamina

    # Without a handler, Python would print the log record of every retry into the user's cell.
    logging.getLogger("stamina").addHandler(_SILENT)
    attempts = stamina.retry_context(
        on=policy,
        attempts=ATTEMPTS,
        timeout=None,
        wait_initial=WAIT_INITIAL_S,
        wait_max=WAIT_MAX_S,
        wait_jitter=WAIT_INITIAL_S,
    )
    async for each in attempts:
        with each:
            if each.num == 1:
                raise failed
            return await attempt(each.num)
    raise AssertionError("stamina raises when it gives up")
