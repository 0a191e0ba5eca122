"""The tree of exceptions.

::

    CbaiError
    ├── ConfigurationError            something is missing or cannot be used as it is set
    │   ├── MissingDependencyError    an optional package is not installed
    │   └── UsageError                an option, a name or an argument is wrong
    ├── SecretRefusedError            a prompt holds a secret and was not sent
    ├── PromptRefusedError            the user's `before_send` refused a request; it was not sent
    ├── BudgetError                   a budget of tokens or money is used up
    ├── NestedLoopError               a nested event loop would lose queued cells
    ├── LocalModelError               the offline model cannot be fetched, started or reached
    ├── ToolServerError               a server of tools does not start, has ended or refuses a call
    ├── HistoryError                  the history on disk cannot be used
    ├── ConnectionFailedError         no connection: refused, reset
    │   ├── DNSError                  the host name does not resolve
    │   ├── ProxyError                the network's proxy is down or refuses
    │   └── TLSError                  the certificate or the handshake was refused
    ├── RequestTimeoutError           connecting, the first token or the next token took too long
    ├── StreamCutError                the connection ended before the answer did
    ├── ImageDownloadError            images were generated but not all downloaded
    ├── InvalidResponseError          the response is no valid answer
    ├── RegressionError               a variant of an evaluation is worse than it may be
    ├── StructuredAnswerError         the answer does not fit the requested type
    └── APIError                      the server refused the request
        ├── BadRequestError           400, 422: a parameter or the model's configuration
        │   └── ContextTooLongError       the prompt and the past are longer than the model can read
        ├── AuthenticationError       401: the key is missing, wrong or expired
        ├── EnvironmentUnavailableError   402, 423, 451: suspended, isolated or blocked
        ├── PermissionDeniedError     403: not allowed
        │   └── ChannelNotAllowedError    403: the plan refuses plain HTTP
        ├── ModelNotFoundError        404: no such model or provider
        ├── NotFoundError             404: no such agent, conversation, record or image
        ├── RateLimitError            429
        │   ├── QuotaExceededError    the token quota is used up; waiting does not help
        │   └── ConcurrencyLimitError too many requests at once; waiting helps
        └── ServerError               5xx

A message is a text of :mod:`cbai_notebook.i18n`, so that it can be read in both languages.
"""

from __future__ import annotations

import copyreg
import sys
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar

from cbai_notebook.i18n import PYTHON, Place, Words, said_now
from cbai_notebook.text import plain


class CbaiError(Exception):
    """The base class of every error that this package raises.

    Args:
        message: The problem and what to do next, in one line.
        status: The HTTP status, if there was a response.
        code: The server's error code, such as ``"AI_MODEL_NOT_FOUND"``.
        request_id: The server's id of the request, for a support ticket.
        retry_after: Seconds to wait before a retry, from the server.
        partial: The text that arrived before the failure.
        server_message: The server's own words in one line, of which ``message`` quotes the
            beginning; empty when it sent none.
        answer_began: Whether a part of the answer had arrived. It has been paid for, so such a
            request is never retried.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        partial: str = "",
        server_message: str = "",
        answer_began: bool = False,
    ) -> None:
        message = _printable(message)
        self.words = message if isinstance(message, Words) else None
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.partial = partial
        self.server_message = server_message
        self.answer_began = answer_began

    def __str__(self) -> str:
        return self.message

    def in_language(self, name: str, place: Place = PYTHON) -> str:
        """Return the message in a language, ``"en"`` or ``"zh"``, if it is a text of ours.

        Args:
            name: The language.
            place: Where it is read: ``"python"``; ``"cell"``, where options are advised in the
                place of arguments; or ``"panel"``, where menus are.
        """
        return self.message if self.words is None else self.words.in_language(name, place)

    def spell_for(self, place: Place) -> None:
        """Change the message to the one for a place, where the error is shown from now on."""
        if self.words is not None:
            self.message = said_now(self.words, place)

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is copied by calling its class with the message alone, which fails
        # where `__init__` requires more.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]

    @property
    def details(self) -> str:
        """The facts for a support ticket, as ``"HTTP 404 · AI_MODEL_NOT_FOUND · request abc"``."""
        facts = (
            f"HTTP {self.status}" if self.status else "",
            self.code or "",
            f"request {self.request_id}" if self.request_id else "",
        )
        return " · ".join(fact for fact in facts if fact)

    @property
    def line(self) -> str:
        """The error in one line, as a cell shows it."""
        details = f" ({self.details})" if self.details else ""
        return plain(f"{type(self).__name__}: {self.message}{details}")

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows: one where the error is raised, all of them for ``%tb``."""
        if sys.exc_info()[1] is self:
            return [self.line + self._place()]
        shell = sys.modules["IPython"].get_ipython()
        lines: list[str] = shell.InteractiveTB.structured_traceback(
            type(self), self, self.__traceback__
        )
        return lines

    def _place(self) -> str:
        """Return where in the user's code the error was raised; nothing for the first line of a cell."""
        place = ""
        trace = self.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if trace.tb_frame.f_globals.get("__name__") == "__main__":
                within = "" if code.co_name.startswith("<") else f" of {code.co_name}"
                is_first = trace.tb_lineno == 1 and not within
                place = "" if is_first else f" (line {trace.tb_lineno}{within})"
            trace = trace.tb_next
        return place


_AnError = TypeVar("_AnError", bound=BaseException)


def in_one_line(error: _AnError, line: str) -> _AnError:
    """Let IPython show an exception as one line instead of a traceback; return it, to be raised."""
    # IPython calls this method of an exception, if it exists, instead of formatting a traceback.
    # A lambda could not be pickled with it.
    error._render_traceback_ = partial(list, [line])  # type: ignore[attr-defined]
    return error.with_traceback(None)


def _printable(message: str) -> str:
    """Return a message with control characters, which a terminal would obey, as escapes: ``\\x1b``.

    A message quotes names and values of users, tools and servers. Every front end prints it.
    """
    if message.isprintable():
        return message
    if isinstance(message, Words):  # only its values can hold such characters
        return Words(message.key, {name: _printed(each) for name, each in message.values.items()})
    return "".join(
        char if char.isprintable() or char in _PRINTED else repr(char)[1:-1] for char in message
    )


def _printed(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_printed(item) for item in value]
    if isinstance(value, (str, PurePath)):
        return _printable(value if isinstance(value, str) else str(value))
    return value


# Line ends, the spaces of Western and Chinese text, and the joiner of emoji.
_PRINTED = "\n\u00a0\u3000\u200d"


class ConfigurationError(CbaiError):
    """Something is missing or cannot be used as it is set."""


class MissingDependencyError(ConfigurationError):
    """An optional package is not installed; the message names the exact ``pip install``."""


class UsageError(ConfigurationError):
    """An option, a name or an argument is wrong."""


class SecretRefusedError(CbaiError):
    """A prompt contains the value of a secret; nothing was sent."""


class PromptRefusedError(CbaiError):
    """The user's own ``before_send`` refused a request; nothing was sent."""


class BudgetError(CbaiError):
    """The rest of a budget is too small for a request; it was not sent."""


class NestedLoopError(CbaiError):
    """A nested event loop would lose the cells that are queued; nothing was run."""


class LocalModelError(CbaiError):
    """The offline model cannot be fetched, started or reached."""


class ToolServerError(CbaiError):
    """A server of tools does not start, has ended, does not answer, or reports an error."""


class HistoryError(CbaiError):
    """The history on disk cannot be opened, read or written; cells keep their outputs."""


class ConnectionFailedError(CbaiError):
    """The connection failed, or it broke before the answer began."""


class DNSError(ConnectionFailedError):
    """The host name does not resolve."""


class ProxyError(ConnectionFailedError):
    """The network's proxy is down, or it refuses to make the connection."""


class TLSError(ConnectionFailedError):
    """The certificate or the TLS handshake was refused."""


class RequestTimeoutError(CbaiError):
    """The connection, the first token or the next token took longer than the timeout."""


class StreamCutError(CbaiError):
    """The connection ended before the answer did; ``partial`` holds the text so far."""


class ImageDownloadError(CbaiError):
    """Images were generated, but not all could be downloaded.

    Args:
        message: As for `CbaiError`.
        answer: The `ImageAnswer`; an image that is missing has its ``url`` and no ``data``.
        facts: As for `CbaiError`.
    """

    def __init__(self, message: str, *, answer: Any, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.answer = answer


class InvalidResponseError(CbaiError):
    """The response is no valid answer, for example an HTML page."""


class StructuredAnswerError(CbaiError):
    """The answer does not fit the requested type; ``partial`` holds its text."""


class RegressionError(CbaiError, AssertionError):
    """A variant of an evaluation is worse than it was, by more than is allowed."""


class APIError(CbaiError):
    """The server refused the request."""


class BadRequestError(APIError):
    """HTTP 400 or 422: a parameter, or the model's configuration in the environment."""


class ContextTooLongError(BadRequestError):
    """The prompt, with the past that goes along, is longer than the model can read (any status)."""


class AuthenticationError(APIError):
    """HTTP 401: the key is missing, wrong or expired."""


class EnvironmentUnavailableError(APIError):
    """HTTP 402, 423 or 451: the environment is suspended, isolated or blocked."""


class PermissionDeniedError(APIError):
    """HTTP 403: the key may not do this."""


class ChannelNotAllowedError(PermissionDeniedError):
    """HTTP 403: the environment's plan refuses calls over plain HTTP."""


class ModelNotFoundError(APIError):
    """HTTP 404: no such model, or no such provider in this environment."""


class NotFoundError(APIError):
    """HTTP 404: no such agent, conversation or record, or an image whose link has expired."""


class RateLimitError(APIError):
    """HTTP 429: too many requests or tokens."""


class QuotaExceededError(RateLimitError):
    """HTTP 429: the token quota is used up; waiting does not help."""


class ConcurrencyLimitError(RateLimitError):
    """HTTP 429: too many requests at once; waiting helps."""


class ServerError(APIError):
    """HTTP 5xx: the server failed."""
