"""Trying again before the first token, and never after it.

The policy is data. A server's own ``Retry-After`` wins over it; one that asks for more patience
than a person has is passed on at once. Tests switch the waiting off with `stamina.set_testing`.
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

# The first match decides. What is not listed here is not tried again.
POLICY: tuple[tuple[type[CbaiError], bool], ...] = (
    (QuotaExceededError, False),
    (DNSError, False),
    (TLSError, False),
    (RateLimitError, True),
    (ConnectionFailedError, True),
    (StreamCutError, True),
    (ServerError, True),
)
# Of those kinds, what stays as it is however often it is tried.
_STATUSES_THAT_STAY = frozenset({501, 505})
_CODES_THAT_STAY = frozenset({"connection_refused"})

Result = TypeVar("Result")

Policy = Callable[[Exception], bool | float]
"""Decides about an error: False is no retry, True is a retry after the usual wait, a number is a retry
after so many seconds."""

_SILENT = logging.NullHandler()


def should_retry(error: Exception) -> bool | float:
    """Say whether to try again: no, yes with the usual wait, or yes after so many seconds."""
    if not isinstance(error, CbaiError):
        return False
    if error.status in _STATUSES_THAT_STAY or error.code in _CODES_THAT_STAY:
        return False
    if isinstance(error, RequestTimeoutError):
        # A server that is slow to think is not helped by being asked twice.
        return error.code == "timeout_connect"
    if not next((again for kind, again in POLICY if isinstance(error, kind)), False):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_RETRY_AFTER_S else False


def should_retry_non_idempotent(error: Exception) -> bool | float:
    """Say the same of what must not be done twice: yes only if the server refused to begin."""
    return should_retry(error) if isinstance(error, RateLimitError) else False


async def call(
    attempt: Callable[[int], Awaitable[Result]],
    policy: Policy = should_retry,
) -> Result:
    """Run an attempt, and again while the policy says so.

    Args:
        attempt: Called with the number of the attempt, from 1.
        policy: Says of an error whether to try again.

    Returns:
        What the attempt returned.

    Raises:
        CbaiError: The last attempt's error.
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
        # The way through the retry library tells a reader of the traceback nothing.
        raise error.with_traceback(None) from error.__cause__


async def _call_again(
    attempt: Callable[[int], Awaitable[Result]],
    failed: CbaiError,
    policy: Policy,
) -> Result:
    """Go on after the first failure. The library is loaded here: most requests never need it."""
    import stamina

    # Without a handler, Python would print the notice of every retry into the user's cell.
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
