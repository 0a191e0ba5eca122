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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from cbai_notebook.client import chat_wire, error_body
from cbai_notebook.client.error_body import ErrorBody
from cbai_notebook.client.error_codes import CODES, error_kind
from cbai_notebook.client.listed_models import listed_models
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
from cbai_notebook.i18n import Words, joined, say
from cbai_notebook.text import cut, masked, near_match, one_line

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
        key_advice: Returns how to set the key of this server; None for that of CloudBase.
        missing: Returns the advice for a 404 of a request to an agent; None for a request to a
            model.
        cloud: Whether the request goes to CloudBase's gateway.
        default_model: The model that is set for this server; None if there is none.
    """

    provider: str = ""
    model: str = ""
    url: str = ""
    secrets: tuple[str, ...] = ()
    key_advice: Callable[[], str] | None = None
    missing: Callable[[], str] | None = None
    cloud: bool = False
    default_model: str | None = None

    def mask(self, text: str) -> str:
        """Return the text with the secrets of the request masked."""
        return masked(text, *real_secrets(self.secrets))

    def mask_words(self, text: str) -> str:
        """Return a text with the secrets of the request masked in its values."""
        if not isinstance(text, Words):
            return self.mask(text)
        return Words(text.key, {name: self._mask_value(v) for name, v in text.values.items()})

    def _mask_value(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._mask_value(each) for each in value]
        return self.mask_words(value) if isinstance(value, str) else value

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
    host, quoted = _host(error_context.url), cut(said, _LONGEST_QUOTE)
    if sent.is_page and quoted:
        problem = say("request.page_for_answer_titled", host=host, quoted=quoted)
    elif sent.is_page:
        problem = say("request.page_for_answer", host=host)
    elif quoted:
        problem = say("request.something_for_answer_quoted", host=host, quoted=quoted)
    else:
        problem = say("request.something_for_answer", host=host)
    advice = address_advice.base_url_advice(error_context.url) or say("advice.check_base_url")
    return InvalidResponseError(
        error_context.mask_words(joined(problem, advice, say("request.check_what_is_in_between"))),
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
    causes = list(_chain(error))
    if any(isinstance(each, socket.gaierror) for each in causes):
        if proxy:
            return _proxy_down(say("network.name_of_proxy_was_not_found", proxy=proxy.address))
        return DNSError(say("network.name_was_not_found", host=host))
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return TLSError(
            say("network.certificate_is_not_trusted_through", host=host, proxy=proxy.address)
            if proxy
            else say("network.certificate_is_not_trusted", host=host)
        )
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return TLSError(
            say("network.no_secure_connection_through", host=host, proxy=proxy.address)
            if proxy
            else say("network.no_secure_connection", host=host)
        )
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        if proxy:
            return _proxy_down(say("network.nothing_answers_at_proxy", proxy=proxy.address))
        return ConnectionFailedError(
            say("network.nothing_answers", host=host), code="connection_refused"
        )
    if any(isinstance(each, (TimeoutError, asyncio.TimeoutError)) for each in causes):
        return timeout("connect", None, error_context, proxy=proxy)
    where, reason = _host_through(host, proxy), _reason(error, error_context, proxy)
    return ConnectionFailedError(
        say("network.no_connection_because", host=where, reason=reason)
        if reason
        else say("network.no_connection", host=where),
        code="connection_failed",
    )


def _host_through(host: str, proxy: Proxy | None) -> str:
    if proxy is None:
        return host
    return say("network.host_through_proxy", host=host, proxy=proxy.address)


def _proxy_down(problem: Words) -> ProxyError:
    return ProxyError(joined(problem, say("network.check_the_proxy")), code="proxy_refused")


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
        return ProxyError(
            say("network.proxy_rejects_the_password", proxy=proxy.address)
            if proxy.has_password
            else say("network.proxy_wants_a_password", proxy=proxy.address),
            status=status,
            code="proxy_refused",
        )
    # A proxy that has a bad moment may do better the next time.
    passes = status is None or status >= 500
    problem = (
        say("network.proxy_did_not_connect_because", proxy=proxy.address, host=host, reason=shown)
        if shown
        else say("network.proxy_did_not_connect", proxy=proxy.address, host=host)
    )
    return ProxyError(
        joined(problem, say("network.check_the_proxy")),
        status=status,
        code="proxy_failed" if passes else "proxy_refused",
    )


def connection_broken(error: BaseException, error_context: ErrorContext) -> ConnectionFailedError:
    """Return the error of a connection that broke while the response was arriving."""
    host, reason = _host(error_context.url), _reason(error, error_context)
    return ConnectionFailedError(
        say("network.connection_broke_because", host=host, reason=reason)
        if reason
        else say("network.connection_broke", host=host),
        code="connection_broken",
    )


def _reason(error: BaseException, error_context: ErrorContext, proxy: Proxy | None = None) -> str:
    # The address of a proxy may contain a password.
    words = re.sub(r"//[^/\s]*@", "//", str(error))
    words = proxy.mask(words) if proxy else words
    return error_context.clean(words, _LONGEST_QUOTE).rstrip(".")


def stream_cut(finish_reason: str | None, *, has_token: bool) -> StreamCutError:
    """Return the error of a stream that ended without ``[DONE]``.

    Args:
        finish_reason: The finish reason, if it had arrived.
        has_token: Whether any token had arrived.
    """
    if finish_reason is not None:
        message = say("request.stream_was_cut_near_its_end", reason=finish_reason)
    elif has_token:
        message = say("request.stream_was_cut")
    else:
        message = say("request.stream_was_cut_at_once")
    return StreamCutError(message, code="stream_cut")


def stream_closed() -> StreamCutError:
    """Return the error of a stream that was closed by its reader."""
    return StreamCutError(say("request.stream_was_closed"), code="stream_closed")


def timeout(
    stage: str,
    seconds: float | None,
    error_context: ErrorContext,
    *,
    proxy: Proxy | None = None,
) -> RequestTimeoutError:
    """Return the error of a time limit that was reached.

    Args:
        stage: A field of `Timeout`, or ``"download"``.
        seconds: The limit; None if that of the connection is not known.
        error_context: The facts of the request.
        proxy: The proxy of the connection, or None.
    """
    host = _host_through(_host(error_context.url), proxy)
    return RequestTimeoutError(
        say("network.connecting_took_too_long", host=host)
        if seconds is None
        else say(f"network.late_{stage}", host=host, seconds=f"{seconds:g}"),
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
    # Packages such as Dask's let copies of errors keep it, and it may hold the API key.
    fresh.__context__ = None
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
    kind, name, counts = error_kind(meant, code, said, in_cloud=error_context.cloud)
    advice: str = say(f"advice.{name}", **_facts(error_context), status=counts)
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
        advice = joined(say("advice.nothing_at_address", address=address), slip)
    elif kind is ModelNotFoundError and not error_context.cloud:
        advice = joined(advice, _model_that_is_meant(error_context))
    error_class: type[CbaiError] = kind
    if meant == 404 and error_context.missing:
        error_class, advice = NotFoundError, error_context.missing()
    wait = retry_after(headers)
    if wait is not None and wait >= 1 and kind is not QuotaExceededError:
        advice = joined(advice, _asks_to_wait(wait))
    quoted, sent = cut(said, _LONGEST_QUOTE), ""
    if reported.is_page and quoted:
        sent = say("advice.server_sent_a_page_titled", status=status, quoted=quoted)
    elif reported.is_page:
        sent = say("advice.server_sent_a_page", status=status)
    elif quoted:
        sent = say("advice.server_said", quoted=quoted)
    return error_class(
        error_context.mask_words(joined(advice, sent)),
        status=status,
        code=code,
        request_id=request_id(headers, error_context)
        or error_context.clean(reported.request_id or "", _LONGEST_ID)
        or None,
        retry_after=wait,
        server_message=said,
    )


def _facts(error_context: ErrorContext) -> dict[str, str]:
    """Return the facts of the request that an advice may name."""
    from cbai_notebook.client import address_advice

    model, provider, login = error_context.model, error_context.provider, error_context.key_advice
    return {
        "model": say("advice.model", name=model) if model else say("advice.model_of_that_name"),
        "provider": say("advice.provider", name=provider)
        if provider
        else say("advice.provider_of_that_name"),
        "address": address_advice.shown(error_context.url)
        if error_context.url
        else say("advice.this_address"),
        "login": login() if login else say("advice.set_key_again"),
        "check": say("advice.check_parameters"),
    }


def _model_that_is_meant(error_context: ErrorContext) -> str:
    """Return whether another model was meant, of those that are known without a request; or ``""``."""
    known = {error_context.default_model or "", *listed_models(error_context.url)}
    near = near_match(error_context.model, sorted(known - {"", error_context.model}))
    return say("option.did_you_mean", near=near) if near else ""


def _asks_to_wait(seconds: float) -> Words:
    """Return the time to wait in the largest unit that fits, rounded up."""
    for least, size, unit in ((172800, 86400, "days"), (7200, 3600, "hours"), (90, 60, "minutes")):
        if seconds > least:
            return say(f"advice.wait_{unit}", n=math.ceil(seconds / size - 0.1))
    return say("advice.wait_seconds", n=math.ceil(seconds))


def _redirected(
    status: int, headers: Mapping[str, str], error_context: ErrorContext
) -> InvalidResponseError:
    host = _host(headers.get("location", ""))
    return InvalidResponseError(
        error_context.mask_words(
            say("request.redirected", host=host) if host else say("request.redirected_somewhere")
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
