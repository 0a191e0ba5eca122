"""What an error of one row means for the other rows.

Errors that pass, such as a server's of a moment, and refusals are sent again before they come here.
"""

from __future__ import annotations

from cbai_notebook.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    BudgetError,
    CbaiError,
    ConfigurationError,
    ConnectionFailedError,
    DNSError,
    EnvironmentUnavailableError,
    HistoryError,
    LocalModelError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProxyError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    TLSError,
)
from cbai_notebook.i18n import Words, joined, say

MOST_ALIKE = 20
"""So many rows that fail in the same way, with no answer in between, stop a batch."""

_FATAL: tuple[type[CbaiError], ...] = (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DNSError,
    EnvironmentUnavailableError,
    HistoryError,
    LocalModelError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProxyError,
    QuotaExceededError,
    TLSError,
    # A refusal that the gate does not wait for: the server wants a long wait, or refuses everything.
    RateLimitError,
)


def is_fatal(error: CbaiError) -> bool:
    """Return whether all other rows would fail too, so that none of them is to be sent."""
    return isinstance(error, _FATAL)


def _is_of_the_server(error: CbaiError) -> bool:
    """Return whether an error tells more of the server than of the row."""
    if isinstance(error, BadRequestError):
        return False
    return isinstance(error, (APIError, ConnectionFailedError, RequestTimeoutError))


class Alike:
    """Notices that rows fail in the same way, one after the other.

    After the first answer, rows that the server refuses may well be beside each other: all that are
    too long, in a sorted table. Then only the server's own errors count.
    """

    def __init__(self) -> None:
        self._last: tuple[object, ...] | None = None
        self._count = 0
        self._has_answer = False

    def succeeded(self) -> None:
        """Note an answer, also one that was known."""
        self._last, self._count, self._has_answer = None, 0, True

    def failed(self, error: CbaiError) -> bool:
        """Note a failure; return whether so many were alike that no more rows are to be sent."""
        if self._has_answer and not _is_of_the_server(error):
            return False
        kind = type(error), error.status, error.code
        self._count = self._count + 1 if kind == self._last else 1
        self._last = kind
        return self._count >= MOST_ALIKE


def reason_of(error: CbaiError) -> Words:
    """Return what a row's ``error`` column says."""
    return joined(error.words or error.message, f"({error.details})" if error.details else "")


def nothing_sent(error: ConfigurationError) -> ConfigurationError:
    """Return the error of rows of which none could be sent, as without an account."""
    problem = error.words or error.message
    return type(error)(say("batch.nothing_sent", problem=problem))
