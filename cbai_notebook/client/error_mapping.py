"""Map HTTP statuses, error bodies and broken connections to errors with a readable message.

The message of a server is quoted in one short line. The API key is masked in it, in case the server
repeats the key.
"""

from __future__ import annotations

import asyncio
import copy
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from cbai_notebook.client import chat_wire, error_body
from cbai_notebook.client.error_body import ErrorBody
from cbai_notebook.client.error_codes import CODES, LOGIN_ADVICE, error_kind
from cbai_notebook.client.proxies import Proxy
from cbai_notebook.client.secret import real_secrets
from cbai_notebook.errors import (
    CbaiError,
    ConnectionFailedError,
    DNSError,
    InvalidResponseError,
    ModelNotFoundError,
    NotFoundError,
    ProxyError,
    QuotaExceededError,
    RequestTimeoutError,
    StreamCutError,
    TLSError,
)
from cbai_notebook.text import counted, cut, masked, one_line

_LONGEST_QUOTE = 300
"""Characters of a server's message that are quoted."""
_LONGEST_SERVER_MESSAGE = 4000
"""Characters of a server's message that an error keeps."""
_LONGEST_ID = 80
"""Characters of an error code or a request id that are kept."""

_MODEL = re.compile(r"\bmodels?\b|模型", re.IGNORECASE)


@dataclass(frozen=True)
class ErrorContext:
    """The facts of a request that error messages need.

    Args:
        provider: The provider's name.
        model: The model's name.
        url: The URL of the request.
        secrets: The API key and other secret values of the request, masked in every message if
            they are no placeholders.
        key_advice: How to set the key of this server; empty for that of CloudBase.
        missing: The advice for a 404 of a request to an agent; empty for a request to a model.
        cloud: Whether the request goes to CloudBase's gateway.
    """

    provider: str = ""
    model: str = ""
    url: str = ""
    secrets: tuple[str, ...] = ()
    key_advice: str = ""
    missing: str = ""
    cloud: bool = False

    def mask(self, text: str) -> str:
        """Return the text with the secrets of the request masked."""
        return masked(text, *real_secrets(self.secrets))

    def has_secret(self, text: str) -> bool:
        """Return whether a secret of the request is in the text."""
        return any(secret in text for secret in real_secrets(self.secrets))

    def clean(self, text: str, longest: int) -> str:
        """Return what a server sent as one masked line of at most `longest` characters.

        It is masked before it is cut: a key across the cut would show its beginning.
        """
        return one_line(self.mask(text), longest)


def from_response(
    status: int, headers: Mapping[str, str], body: bytes, error_context: ErrorContext
) -> CbaiError:
    """Return the error of a response whose status is not 2xx.

    Args:
        status: The HTTP status.
        headers: The headers of the response; they are looked up by names in lower case.
        body: The body of the response, or its beginning.
        error_context: The facts of the request.
    """
    if 300 <= status < 400:
        return _redirected(status, headers, error_context)
    reported = error_body.read(body)
    return _error(status, headers, reported, error_context)


def from_body(
    value: Mapping[str, Any],
    headers: Mapping[str, str],
    error_context: ErrorContext,
    *,
    certain: bool = False,
) -> CbaiError | None:
    """Return the error that a JSON object in a response with status 200 reports, or None.

    Args:
        value: The object.
        headers: The headers of the response.
        error_context: The facts of the request.
        certain: Whether the object is known to be an error, as in an event named ``error``.
    """
    if not certain and not error_body.reports_error(value):
        return None
    error = _error(200, headers, error_body.of_value(value), error_context)
    if isinstance(value.get("choices"), list):
        from cbai_notebook.client.chunk_reader import ChunkReader

        # What stands beside the error has been paid for.
        chunk = ChunkReader().chunk({**value})
        delta = chunk.delta
        error.partial = chunk.text
        error.answer_began = bool(
            chunk.text or chunk.reasoning or (delta and (delta.tool_calls or delta.refusal))
        )
    return error


def from_text(text: str, headers: Mapping[str, str], error_context: ErrorContext) -> CbaiError:
    """Return the error of an event that is named ``error`` and contains plain text."""
    return _error(200, headers, error_body.read(text.encode("utf-8", "replace")), error_context)


def parse_completion(
    body: bytes, headers: Mapping[str, str], error_context: ErrorContext
) -> dict[str, Any]:
    """Parse the body of a response with status 200 as a completion.

    Returns:
        The JSON object; its ``choices`` is a list.

    Raises:
        APIError: The body reports an error.
        InvalidResponseError: The body is not a completion.
    """
    value = parse_object(body, headers, error_context)
    if isinstance(value.get("choices"), list):
        return value
    raise not_an_answer(headers, body, error_context)


def parse_object(
    body: bytes, headers: Mapping[str, str], error_context: ErrorContext
) -> dict[str, Any]:
    """Parse the body of a response with status 200 as a JSON object.

    Raises:
        APIError: The body reports an error.
        InvalidResponseError: The body is not a JSON object.
    """
    try:
        value = chat_wire.load(body)
    except InvalidResponseError:
        raise not_an_answer(headers, body, error_context) from None
    if isinstance(value, list) and value and isinstance(value[0], dict):
        error = from_body(value[0], headers, error_context)
        if error is not None:
            raise error
    if isinstance(value, dict):
        error = from_body(value, headers, error_context)
        if error is not None:
            raise error
        return value
    raise not_an_answer(headers, body, error_context)


def not_an_answer(
    headers: Mapping[str, str], body: bytes, error_context: ErrorContext
) -> InvalidResponseError:
    """Return the error of a response with status 200 whose body is not an answer."""
    from cbai_notebook.client import address_advice

    sent = error_body.read(body)
    # Other text may be a model's answer in a format that is not known here.
    readable = sent.is_page or body.lstrip()[:1] == b"{"
    said = error_context.clean(sent.message if readable else "", _LONGEST_SERVER_MESSAGE)
    kind = "an HTML page" if sent.is_page else "something else"
    quoted = f" (“{cut(said, _LONGEST_QUOTE)}”)" if said else ""
    advice = address_advice.base_url_advice(error_context.url) or "Check the base URL."
    return InvalidResponseError(
        error_context.mask(
            f"The server at {_host(error_context.url)} sent {kind}{quoted} where an answer was "
            f"expected. {advice} Check also whether a proxy or a login page is in between."
        ),
        status=200,
        request_id=request_id(headers, error_context),
        server_message=said,
    )


def from_network(
    error: BaseException, error_context: ErrorContext, *, proxy: Proxy | None = None
) -> CbaiError:
    """Return the error of a connection that could not be made, or that broke before the response.

    Args:
        error: The error of the transport. The errors in its chain of causes decide, not its own
            type: the transports use different types.
        error_context: The facts of the request.
        proxy: The proxy of the connection, or None.
    """
    host = _host(error_context.url)
    through = f" through the proxy {proxy.address}" if proxy else ""
    causes = list(_chain(error))
    if any(isinstance(each, socket.gaierror) for each in causes):
        if proxy:
            return _proxy_down(proxy, f"The name of the proxy {proxy.address} was not found.")
        return DNSError(
            f"The name {host} was not found. Check the environment id and the network (DNS, VPN, "
            "proxy)."
        )
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return TLSError(
            f"The certificate of {host} cannot be trusted{through}. If your network has its own "
            "certificate, set SSL_CERT_FILE to it; check the computer's clock too."
        )
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return TLSError(
            f"No secure connection to {host} could be made{through}. If the server speaks plain "
            "HTTP, write http:// in place of https://. Else check whether a proxy is in between."
        )
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        if proxy:
            return _proxy_down(proxy, f"Nothing answers at the proxy {proxy.address}.")
        return ConnectionFailedError(
            f"Nothing answers at {host}. Check the base URL and that the server is running.",
            code="connection_refused",
        )
    if any(isinstance(each, (TimeoutError, asyncio.TimeoutError)) for each in causes):
        return timeout("connect", None, error_context, through=through)
    return ConnectionFailedError(
        f"No connection to {host}{through}{_detail(error, error_context, proxy)}. Check the "
        "network and try again.",
        code="connection_failed",
    )


_PROXY_ADVICE = (
    "Check the environment variables http_proxy, https_proxy and all_proxy, or exclude the server "
    "with no_proxy."
)


def _proxy_down(proxy: Proxy, problem: str) -> ProxyError:
    return ProxyError(f"{problem} {_PROXY_ADVICE}", code="proxy_refused")


def proxy_refused(
    proxy: Proxy, status: int | None, words: str, error_context: ErrorContext
) -> ProxyError:
    """Return the error of a proxy that answered, but did not make the connection.

    Args:
        proxy: The proxy.
        status: The status of its answer; None for a SOCKS proxy, which has other numbers.
        words: Its words, or those of the library; may be empty.
        error_context: The facts of the request.
    """
    host = _host(error_context.url)
    said = error_context.clean(proxy.mask(words), _LONGEST_QUOTE).strip(" .,")
    shown = " ".join(each for each in (str(status or ""), said) if each)
    wants_password = status == 407 or (status is None and "password" in words.lower())
    if wants_password or (status is None and "auth" in words.lower()):
        advice = (
            "does not accept the user name and the password of its address. Correct them"
            if proxy.has_password
            else "wants a user name and a password. Write them into its address"
        )
        return ProxyError(
            f"The proxy {proxy.address} {advice}, as in https_proxy=http://USER:PASSWORD@"
            f"{proxy.address}; signs such as @ are written as %40.",
            status=status,
            code="proxy_refused",
        )
    # A proxy that has a bad moment may do better the next time.
    passes = status is None or status >= 500
    return ProxyError(
        f"The proxy {proxy.address} did not make the connection to {host}"
        f"{f' ({shown})' if shown else ''}. {_PROXY_ADVICE}",
        status=status,
        code="proxy_failed" if passes else "proxy_refused",
    )


def connection_broken(error: BaseException, error_context: ErrorContext) -> ConnectionFailedError:
    """Return the error of a connection that broke while the response was arriving."""
    return ConnectionFailedError(
        f"The connection to {_host(error_context.url)} broke{_detail(error, error_context)}. Try again.",
        code="connection_broken",
    )


def _detail(error: BaseException, error_context: ErrorContext, proxy: Proxy | None = None) -> str:
    # The address of a proxy may contain a password.
    words = re.sub(r"//[^/\s]*@", "//", str(error))
    words = proxy.mask(words) if proxy else words
    detail = error_context.clean(words, _LONGEST_QUOTE).rstrip(".")
    return f" ({detail})" if detail else ""


def stream_cut(finish_reason: str | None, *, has_token: bool) -> StreamCutError:
    """Return the error of a stream that ended without ``[DONE]``.

    Args:
        finish_reason: The finish reason, if it had arrived.
        has_token: Whether any token had arrived.
    """
    if finish_reason is not None:
        state = f"The text looks complete ({finish_reason!r}), but check its end."
    elif has_token:
        state = "The text up to there is kept; it is not complete."
    else:
        state = "Nothing of the answer had arrived. Try again."
    return StreamCutError(
        f"The connection ended before the answer was declared complete. {state}", code="stream_cut"
    )


def stream_closed() -> StreamCutError:
    """Return the error of a stream that was closed by its reader."""
    return StreamCutError(
        "The stream was closed before the answer was complete.", code="stream_closed"
    )


_TIMEOUTS = {
    "connect": ("connecting to {host} took longer than {limit}", "Check the network and try again"),
    "first_token": ("{host} sent no token within {limit}", "Try again"),
    "between_tokens": ("{host} stopped sending for {limit}", "Try again"),
    "answer": ("{host} sent no whole answer within {limit}", "Stream it, or try again"),
    "download": ("{host} did not deliver within {limit}", "Try again"),
}


def timeout(
    stage: str, seconds: float | None, error_context: ErrorContext, *, through: str = ""
) -> RequestTimeoutError:
    """Return the error of a time limit that was reached.

    Args:
        stage: A field of `Timeout`, or ``"download"``.
        seconds: The limit, if it is known.
        error_context: The facts of the request.
        through: Words that name the proxy of the connection; empty without one.
    """
    problem, advice = _TIMEOUTS[stage]
    limit = "allowed" if seconds is None else f"{seconds:g} s"
    problem = problem.format(host=_host(error_context.url) + through, limit=limit)
    problem = problem[:1].upper() + problem[1:]
    if stage != "download":
        advice += f", or allow more: cbai.configure(timeout={{'{stage}': …}})"
    return RequestTimeoutError(
        f"{problem}. {advice}.",
        code=f"timeout_{stage}",
    )


def without_frames(error: BaseException, error_context: ErrorContext) -> BaseException | None:
    """Remove the frames from an error and from its causes; return the error, to be used as a cause.

    The local variables in the frames contain the API key, and some traceback styles print local
    variables. When a message contains the key, return None instead.
    """
    for each in _chain(error):
        each.__traceback__ = None
        if error_context.has_secret(str(each)):
            return None
    return error


def fresh_copy(error: BaseException) -> BaseException:
    """Return a copy of an error without its frames, so that each reader can raise a copy."""
    fresh = copy.copy(error)
    fresh.__cause__ = error.__cause__
    fresh.__suppress_context__ = True
    fresh.__traceback__ = None
    return fresh


def _error(
    status: int, headers: Mapping[str, str], reported: ErrorBody, error_context: ErrorContext
) -> CbaiError:
    from cbai_notebook.client import address_advice, providers

    said = error_context.clean(reported.message, _LONGEST_SERVER_MESSAGE)
    code = error_context.clean(reported.code or "", _LONGEST_ID) or None
    # For an error in a response with status 200, some services put the status into the body.
    meant = reported.status if status == 200 and reported.status else status
    kind, advice = error_kind(meant, code, said, in_cloud=error_context.cloud)
    advice = advice.format(
        model=repr(error_context.model) if error_context.model else "of that name",
        provider=repr(error_context.provider) if error_context.provider else "of that name",
        address=address_advice.shown(error_context.url) if error_context.url else "this address",
        login=error_context.key_advice or LOGIN_ADVICE,
    )
    slip = ""
    if kind is ModelNotFoundError or meant == 405:
        # A server that speaks of the model has been reached.
        if code not in CODES and not _MODEL.search(said):
            slip = address_advice.base_url_advice(error_context.url)
        if not slip and error_context.cloud:
            slip = providers.model_name_advice(error_context.provider, error_context.model)
            # The codes of CloudBase are in capitals.
            if not slip and not _MODEL.search(said) and not (code or "").isupper():
                slip = address_advice.provider_advice(error_context.url)
    if slip:
        address = address_advice.shown(error_context.url)
        advice = f"The server has nothing to answer with at {address}. {slip}"
    if meant == 404 and error_context.missing:
        kind, advice = NotFoundError, error_context.missing
    wait = retry_after(headers)
    if wait is not None and wait >= 1 and kind is not QuotaExceededError:
        advice += f" The server asks to wait {_duration(wait)}."
    quoted = cut(said, _LONGEST_QUOTE)
    if reported.is_page:
        title = f": “{quoted}”" if quoted else ""
        message = f"{advice} (The server sent an HTML page, HTTP {status}{title}.)"
    else:
        message = f"{advice} The server said: “{quoted}”" if quoted else advice
    return kind(
        error_context.mask(message),
        status=status,
        code=code,
        request_id=request_id(headers, error_context)
        or error_context.clean(reported.request_id or "", _LONGEST_ID)
        or None,
        retry_after=wait,
        server_message=said,
    )


def _duration(seconds: float) -> str:
    """Return a time to wait in the largest unit that fits, rounded up."""
    for least, size, unit in ((172800, 86400, "day"), (7200, 3600, "hour"), (90, 60, "minute")):
        if seconds > least:
            return counted(math.ceil(seconds / size - 0.1), unit)
    return counted(math.ceil(seconds), "second")


def _redirected(
    status: int, headers: Mapping[str, str], error_context: ErrorContext
) -> InvalidResponseError:
    target = _host(headers.get("location", "")) or "another address"
    return InvalidResponseError(
        error_context.mask(
            f"The server wants to send this request on to {target}. It was not followed, because "
            "the API key must not travel there. Set the base URL to the final address if you "
            "trust it."
        ),
        status=status,
        request_id=request_id(headers, error_context),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After``, counted from now (RFC 9110, section 10.2.3).

    Some servers send ``Retry-After-Ms`` too, which is more precise.
    """
    value = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value) / 1000
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def request_id(headers: Mapping[str, str], error_context: ErrorContext) -> str | None:
    """Return the server's id of the request, or None."""
    return error_context.clean(headers.get("x-request-id", ""), _LONGEST_ID) or None


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
        os_error = getattr(each, "os_error", None)
        if isinstance(os_error, BaseException):
            waiting.append(os_error)
    return found
