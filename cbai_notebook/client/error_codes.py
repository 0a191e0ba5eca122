"""The error class and the advice for each HTTP status and error code.

The codes are those of the gateway's list of error codes. The facts of the request replace
``{model}``, ``{provider}``, ``{address}`` and ``{login}``, how to set the key, in an advice.
"""

from __future__ import annotations

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

LOGIN_ADVICE = "Set it again with `%cbai login` or cbai.configure(api_key=…)."
"""How to set the key of CloudBase."""
_PARAMETER = "Check the parameters of this request; `--dry-run` shows what is sent."
_AGAIN = "Try again in a moment."
_MODELS = "Check the spelling (`%cbai models`), or whether the environment has this model enabled."

_BY_CODE: dict[str, tuple[type[APIError], str]] = {
    "AI_MODEL_CONFIG_MISSING": (
        BadRequestError,
        "The model {model} is not set up in this environment. Set it up in the CloudBase console, "
        "under AI, or name another with `-m`.",
    ),
    "AI_MODEL_PARAM_INVALID": (BadRequestError, f"A parameter was refused. {_PARAMETER}"),
    "AI_MODEL_PARAM_REQUIRED": (BadRequestError, f"A parameter is missing. {_PARAMETER}"),
    "MISSING_CREDENTIALS": (AuthenticationError, "The request had no API key. {login}"),
    "INVALID_CREDENTIALS": (AuthenticationError, "The API key is wrong. {login}"),
    "ACCESS_TOKEN_INVALID": (AuthenticationError, "The API key is wrong. {login}"),
    "ACCESS_TOKEN_EXPIRED": (AuthenticationError, "The API key has expired. {login}"),
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
    "AI_MODEL_NOT_FOUND": (
        ModelNotFoundError,
        f"There is no model {{model}} at {{address}}. {_MODELS}",
    ),
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
    "insufficient_balance": "EXCEED_TOKEN_QUOTA_LIMIT",
    "model_not_found": "AI_MODEL_NOT_FOUND",
}

CODES = frozenset(_BY_CODE)
"""The codes of the gateway of CloudBase."""

_BY_STATUS: dict[int, tuple[type[APIError], str]] = {
    400: (BadRequestError, f"The server refused the request. {_PARAMETER}"),
    401: (AuthenticationError, "The API key was refused. {login}"),
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
        f"There is no provider {{provider}} or no model {{model}} at {{address}}. {_MODELS}",
    ),
    407: (
        BadRequestError,
        "A proxy in between wants a user name and a password. Write them into the environment "
        "variable of the proxy, as in https_proxy=http://USER:PASSWORD@HOST:PORT.",
    ),
    408: (BadRequestError, f"The server waited too long for the request (HTTP 408). {_AGAIN}"),
    409: (BadRequestError, f"The server is busy with something else here (HTTP 409). {_AGAIN}"),
    413: (
        ContextTooLongError,
        "The request is too long. Send less: `%cbai reset` drops the history; a large image can be "
        "made smaller.",
    ),
    422: (BadRequestError, f"The server refused the request. {_PARAMETER}"),
    423: (
        EnvironmentUnavailableError,
        "The environment is isolated, or AI is turned off in it. Look at it in the CloudBase "
        "console.",
    ),
    425: (BadRequestError, f"The server was not ready for the request (HTTP 425). {_AGAIN}"),
    429: (RateLimitError, "Too many requests for now. Wait a little and try again."),
    451: (
        EnvironmentUnavailableError,
        "The environment is blocked. Look at it in the CloudBase console.",
    ),
}


# Advice for servers other than CloudBase: they have no environment and no console.
_ELSEWHERE: dict[int, str] = {
    402: "The server wants to be paid first. Check the balance of your account there.",
    403: "The server does not allow this. Check what the API key may do there.",
    404: (
        "There is no model {model} at {address}. Check the model's name (`%cbai models`) and the base "
        "URL."
    ),
    423: "The server has locked this. Check your account there.",
    451: "The server has blocked this. Check your account there.",
}
_QUOTA_ELSEWHERE = (
    "The quota or the balance of your account is used up; waiting does not help. Check it where "
    "the API key comes from, or ask the offline model with `-m local`."
)

_TOO_LONG = (
    ContextTooLongError,
    "This is longer than the model {model} can read at once. Begin again with `%cbai reset`, send "
    "less of the past (cbai.configure(history_turns=…)), or shorten the prompt or its table "
    "(table_rows=…). A large `--max-tokens` counts too.",
)


def error_kind(
    status: int, code: str | None, message: str = "", *, in_cloud: bool = True
) -> tuple[type[APIError], str]:
    """Return the error class and its advice.

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
            known = _BY_CODE[meant] if isinstance(meant, str) else _by_status(meant, None)
    kind, advice = known or _by_status(status, code)
    if not in_cloud:
        if kind is QuotaExceededError:
            return kind, _QUOTA_ELSEWHERE
        if kind is ModelNotFoundError:
            return kind, _ELSEWHERE[404]
        advice = next(
            (_ELSEWHERE[each] for each in _ELSEWHERE if advice == _BY_STATUS[each][1]), advice
        )
    return kind, advice


def _by_status(status: int, code: str | None) -> tuple[type[APIError], str]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError, f"The server failed (HTTP {status}). {_AGAIN}"
    if status >= 400:
        return BadRequestError, f"The server refused the request (HTTP {status}). {_PARAMETER}"
    # For an error in a response with status 200, some services put the status into the code.
    if code and code.isdecimal() and 400 <= int(code) < 600:
        return _by_status(int(code), None)
    return ServerError, f"The server reported an error instead of answering. {_AGAIN}"
