"""The error class and the advice for each HTTP status and error code.

The codes are those of the gateway's list of error codes. The names of the request replace
``{model}`` and ``{provider}`` in an advice.
"""

from __future__ import annotations

from cbai_notebook.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ChannelNotAllowedError,
    ConcurrencyLimitError,
    EnvironmentUnavailableError,
    ModelNotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

_LOGIN = "Set it again with `%cbai login` or cbai.configure(api_key=…)."
_PARAMETER = "Check the parameters of this request; `--dry-run` shows what is sent."
_MODELS = "Check the spelling (`%cbai models`), or whether the environment has this model enabled."

_BY_CODE: dict[str, tuple[type[APIError], str]] = {
    "AI_MODEL_CONFIG_MISSING": (
        BadRequestError,
        "The model {model} is not set up in this environment. Set it up in the CloudBase console, "
        "under AI, or name another with `-m`.",
    ),
    "AI_MODEL_PARAM_INVALID": (BadRequestError, f"A parameter was refused. {_PARAMETER}"),
    "AI_MODEL_PARAM_REQUIRED": (BadRequestError, f"A parameter is missing. {_PARAMETER}"),
    "MISSING_CREDENTIALS": (AuthenticationError, f"The request had no API key. {_LOGIN}"),
    "INVALID_CREDENTIALS": (AuthenticationError, f"The API key is wrong. {_LOGIN}"),
    "ACCESS_TOKEN_INVALID": (AuthenticationError, f"The API key is wrong. {_LOGIN}"),
    "ACCESS_TOKEN_EXPIRED": (AuthenticationError, f"The API key has expired. {_LOGIN}"),
    "AI_MODEL_NOT_SUPPORTED": (
        PermissionDeniedError,
        "The model {model} may not be used in this environment. Name another with `-m`, or enable "
        "it in the CloudBase console.",
    ),
    "AI_CHANNEL_NOT_ALLOWED": (
        ChannelNotAllowedError,
        "The environment's plan does not allow calls over HTTP with an API key. Choose a plan that "
        "does in the CloudBase console, or ask the offline model with `-m local`.",
    ),
    "ACCESS_DENIED": (
        PermissionDeniedError,
        "This API key may not do that. Check its rights in the CloudBase console.",
    ),
    "AI_MODEL_NOT_FOUND": (ModelNotFoundError, f"There is no model {{model}} here. {_MODELS}"),
    "EXCEED_TOKEN_QUOTA_LIMIT": (
        QuotaExceededError,
        "The token quota of this environment is used up; waiting does not help. Buy more in the "
        "CloudBase console, or ask the offline model with `-m local`.",
    ),
    "EXCEED_CONCURRENT_REQUEST_LIMIT": (
        ConcurrencyLimitError,
        "Too many requests at once for this environment. Wait until the others are done and try "
        "again.",
    ),
}
# Names of the same errors at model services behind the gateway and at other compatible servers.
_ALIASES = {
    "invalid_api_key": "INVALID_CREDENTIALS",
    "insufficient_quota": "EXCEED_TOKEN_QUOTA_LIMIT",
    "model_not_found": "AI_MODEL_NOT_FOUND",
}

_BY_STATUS: dict[int, tuple[type[APIError], str]] = {
    400: (BadRequestError, f"The server refused the request. {_PARAMETER}"),
    401: (AuthenticationError, f"The API key was refused. {_LOGIN}"),
    402: (
        EnvironmentUnavailableError,
        "The environment is suspended, usually for an unpaid bill. Look at it in the CloudBase "
        "console.",
    ),
    403: (
        PermissionDeniedError,
        "The server does not allow this. Check the key's rights and the environment's plan in the "
        "CloudBase console.",
    ),
    404: (
        ModelNotFoundError,
        f"There is no provider {{provider}} or no model {{model}} here. {_MODELS}",
    ),
    413: (BadRequestError, "The request is too long. Send less: `%cbai reset` drops the history."),
    422: (BadRequestError, f"The server refused the request. {_PARAMETER}"),
    423: (
        EnvironmentUnavailableError,
        "The environment is isolated, or AI is turned off in it. Look at it in the CloudBase "
        "console.",
    ),
    429: (RateLimitError, "Too many requests for now. Wait a little and try again."),
    451: (
        EnvironmentUnavailableError,
        "The environment is blocked. Look at it in the CloudBase console.",
    ),
}


def error_kind(status: int, code: str | None) -> tuple[type[APIError], str]:
    """Return the error class and its advice; a known code is more precise than the status."""
    known = _BY_CODE.get(_ALIASES.get(code or "", code or ""))
    return known or _by_status(status, code)


def _by_status(status: int, code: str | None) -> tuple[type[APIError], str]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError, f"The server failed (HTTP {status}). Try again in a moment."
    if status >= 400:
        return BadRequestError, f"The server refused the request (HTTP {status}). {_PARAMETER}"
    # For an error in a response with status 200, some services put the status into the code.
    if code and code.isdecimal() and 400 <= int(code) < 600:
        return _by_status(int(code), None)
    return ServerError, "The server reported an error instead of answering. Try again in a moment."
