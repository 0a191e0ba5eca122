"""The error class and the advice for each HTTP status and error code.

The codes are those of the gateway's list of error codes. An advice is the name of a text in the table
``advice``.
"""

from __future__ import annotations

from typing import NamedTuple

from cbai_notebook.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ChannelNotAllowedError,
    ConcurrencyLimitError,
    ContextTooLongError,
    EnvironmentUnavailableError,
    ModelNotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)


class ErrorKind(NamedTuple):
    """What an error is.

    Attributes:
        kind: The error class.
        advice: The name of the advice.
        status: The HTTP status that counts: in a response with status 200 it may be in the body.
    """

    kind: type[APIError]
    advice: str
    status: int


_BY_CODE: dict[str, tuple[type[APIError], str]] = {
    "AI_MODEL_CONFIG_MISSING": (BadRequestError, "model_is_not_set_up"),
    "AI_MODEL_PARAM_INVALID": (BadRequestError, "parameter_was_refused"),
    "AI_MODEL_PARAM_REQUIRED": (BadRequestError, "parameter_is_missing"),
    "MISSING_CREDENTIALS": (AuthenticationError, "key_is_missing"),
    "INVALID_CREDENTIALS": (AuthenticationError, "key_is_wrong"),
    "ACCESS_TOKEN_INVALID": (AuthenticationError, "key_is_wrong"),
    "ACCESS_TOKEN_EXPIRED": (AuthenticationError, "key_has_expired"),
    "AI_MODEL_NOT_SUPPORTED": (PermissionDeniedError, "model_is_not_allowed"),
    "AI_CHANNEL_NOT_ALLOWED": (ChannelNotAllowedError, "channel_is_not_allowed"),
    "ACCESS_DENIED": (PermissionDeniedError, "key_may_not_do_that"),
    "AI_MODEL_NOT_FOUND": (ModelNotFoundError, "model_is_not_there"),
    "EXCEED_TOKEN_QUOTA_LIMIT": (QuotaExceededError, "quota_is_used_up"),
    "EXCEED_CONCURRENT_REQUEST_LIMIT": (ConcurrencyLimitError, "too_many_at_once"),
}
# Names of the same errors at model services behind the gateway and at other compatible servers.
_ALIASES = {
    "invalid_api_key": "INVALID_CREDENTIALS",
    "insufficient_quota": "EXCEED_TOKEN_QUOTA_LIMIT",
    "insufficient_balance": "EXCEED_TOKEN_QUOTA_LIMIT",
    "model_not_found": "AI_MODEL_NOT_FOUND",
}

CODES = frozenset(_BY_CODE)
"""The codes of the gateway of CloudBase."""

_BY_STATUS: dict[int, tuple[type[APIError], str]] = {
    400: (BadRequestError, "request_was_refused"),
    401: (AuthenticationError, "key_was_refused"),
    402: (EnvironmentUnavailableError, "environment_is_suspended"),
    403: (PermissionDeniedError, "is_not_allowed"),
    404: (ModelNotFoundError, "provider_or_model_is_not_there"),
    407: (BadRequestError, "a_proxy_wants_a_password"),
    408: (BadRequestError, "server_waited_too_long"),
    409: (BadRequestError, "server_is_busy"),
    413: (ContextTooLongError, "request_is_too_long"),
    422: (BadRequestError, "request_was_refused"),
    423: (EnvironmentUnavailableError, "environment_is_isolated"),
    425: (BadRequestError, "server_was_not_ready"),
    429: (RateLimitError, "too_many_requests"),
    451: (EnvironmentUnavailableError, "environment_is_blocked"),
}
_TOO_LONG = (ContextTooLongError, "prompt_is_too_long")

# The advice for servers other than CloudBase: they have no environment and no console.
_ELSEWHERE = {
    "environment_is_suspended": "server_wants_to_be_paid",
    "is_not_allowed": "key_is_not_allowed",
    "environment_is_isolated": "server_has_locked_this",
    "environment_is_blocked": "server_has_blocked_this",
    "model_is_not_there": "model_is_not_there_elsewhere",
    "provider_or_model_is_not_there": "model_is_not_there_elsewhere",
    "quota_is_used_up": "quota_is_used_up_elsewhere",
}


def error_kind(
    status: int, code: str | None, message: str = "", *, in_cloud: bool = True
) -> ErrorKind:
    """Return what an error is.

    A known code is more precise than the status. The words of the message decide where neither says
    what is wrong: errors in a response with status 200, and prompts that are too long, for which
    servers have no common status or code.

    Args:
        status: The HTTP status of the response.
        code: The error code, or None.
        message: The server's words.
        in_cloud: Whether the server is that of CloudBase.
    """
    # Imported here: compiling its patterns takes some milliseconds, and most requests do not fail.
    from cbai_notebook.client import error_words

    known = _BY_CODE.get(_ALIASES.get(code or "", code or ""))
    if known is None and error_words.is_too_long(status, code or "", message):
        known = _TOO_LONG
    if known is None:
        meant = error_words.meaning(status, f"{code or ''} {message}")
        if meant is not None:
            known = _BY_CODE[meant] if isinstance(meant, str) else _by_status(meant)
    # For an error in a response with status 200, some services put the status into the code.
    if status < 400 and code and code.isdecimal() and 400 <= int(code) < 600:
        status = int(code)
    kind, advice = known or _by_status(status)
    return ErrorKind(kind, advice if in_cloud else _ELSEWHERE.get(advice, advice), status)


def _by_status(status: int) -> tuple[type[APIError], str]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError, "server_failed"
    if status >= 400:
        return BadRequestError, "request_was_refused_with_status"
    return ServerError, "server_reported_an_error"
