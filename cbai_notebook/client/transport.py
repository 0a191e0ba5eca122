"""The one module that knows the HTTP library.

Each event loop has its own connections, because a connection works on one event loop only. All
share one TLS context, because building it takes longer than a request. With ``httpx-aiohttp``
installed (the ``fast`` extra) the connections are aiohttp's, which read a stream with a fifth of
the work.

httpx's transports are used without its client: redirects, cookies, ``.netrc`` and decoded headers
must not be used here, and they take a third of the time of a request.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import threading
import urllib.request
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from cbai_notebook.client import error_mapping
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Secret
from cbai_notebook.errors import (
    ConfigurationError,
    InvalidResponseError,
    MissingDependencyError,
)

_ERRORS: tuple[type[BaseException], ...] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    EOFError,
    asyncio.TimeoutError,
)

try:
    import aiohttp
    import httpx_aiohttp
except ImportError:
    FAST = False
else:
    FAST = True
    # httpx-aiohttp does not translate all of these errors.
    _ERRORS += (aiohttp.ClientError,)

# Seconds that an idle connection is kept: users need some time between two prompts.
_KEEPALIVE_S = 60.0
_LARGEST_BODY = 64 * 1024 * 1024
LARGEST_ERROR = 256 * 1024
"""The most bytes of an error's body that are read; the rest adds no information."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Response:
    """A response whose headers have arrived. The caller must close it."""

    def __init__(self, response: httpx.Response, error_context: error_mapping.ErrorContext) -> None:
        self._response = response
        self._error_context = error_context
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty without a content type."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def receive(self, take: Callable[[bytes], bool]) -> None:
        """Call ``take`` with each part of the body as it arrives, until it returns False.

        Raises:
            ConnectionFailedError: The connection broke.
        """
        coding = self.headers.get("content-encoding", "").strip().lower()
        stream = self._response.stream
        if coding in ("", "identity") and isinstance(stream, httpx.AsyncByteStream):
            # Directly from the connection: every layer in between costs time for each part.
            parts = stream.__aiter__()
        else:
            parts = self._response.aiter_bytes()
        try:
            async for part in parts:
                if not take(part):
                    break
        except _ERRORS as error:
            raise error_mapping.connection_broken(
                error, self._error_context
            ) from error_mapping.without_frames(error, self._error_context)
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()

    async def read(
        self,
        largest: int = _LARGEST_BODY,
        *,
        cut: bool = False,
        parts: list[bytes] | None = None,
    ) -> bytes:
        """Return the complete body, or with ``cut`` its first ``largest`` bytes or a little more.

        Args:
            largest: The most bytes to read.
            cut: Whether to read no further, else to raise.
            parts: Receives the parts of the body as they arrive.

        Raises:
            InvalidResponseError: The body is larger than ``largest`` bytes, without ``cut``.
            ConnectionFailedError: The connection broke.
        """
        parts = [] if parts is None else parts
        size = 0
        try:
            async for part in self._response.aiter_bytes():
                size += len(part)
                parts.append(part)
                if size <= largest:
                    continue
                if cut:
                    break
                raise InvalidResponseError(
                    f"The answer is larger than {largest // 2**20} MB, so reading was stopped."
                )
        except _ERRORS as error:
            broken = error_mapping.connection_broken(error, self._error_context)
            broken.answer_began = 200 <= self.status < 300 and bool(b"".join(parts).strip())
            raise broken from error_mapping.without_frames(error, self._error_context)
        return b"".join(parts)

    async def aclose(self) -> None:
        """Release the connection: keep it if the body was read to its end, else close it."""
        try:
            await self._response.aclose()
        except _ERRORS:
            # The connection broke before it could be closed; the reader has raised the error.
            return


class Transport(Protocol):
    """Sends requests: `HTTPTransport`, or that of a test."""

    async def send(
        self, request: Request, error_context: error_mapping.ErrorContext, *, connect_timeout: float
    ) -> Response:
        """Send a request and return the response once its headers have arrived."""
        ...


class HTTPTransport:
    """Sends requests over the connections of the running event loop. It has no state of its own.

    Args:
        fast: Whether to use aiohttp's connections, if they are installed.
    """

    def __init__(self, *, fast: bool = FAST) -> None:
        self._fast = fast and FAST

    async def send(
        self, request: Request, error_context: error_mapping.ErrorContext, *, connect_timeout: float
    ) -> Response:
        """Send a request and return the response once its headers have arrived.

        Redirects are not followed. The caller enforces all time limits except `connect_timeout`.

        Raises:
            CbaiError: There was no connection, or it broke.
        """
        connections = await _transport_for(request.url, self._fast)
        sent = _outgoing(request, connect_timeout)
        try:
            response = await connections.handle_async_request(sent)
        except _ERRORS as error:
            raise error_mapping.from_network(
                error, error_context
            ) from error_mapping.without_frames(error, error_context)
        return Response(response, error_context)


async def aclose() -> None:
    """Close the connections of the running event loop; ``asyncio.run`` does so at its end."""
    with _lock:
        connections = _by_loop.pop(asyncio.get_running_loop(), None)
    if connections is not None:
        for closer in connections.closers:
            await closer.aclose()


@dataclass
class _LoopConnections:
    """The open connections of one event loop, and the generators that close them."""

    routes: dict[tuple[str, str, bool], httpx.AsyncBaseTransport] = field(default_factory=dict)
    open: dict[tuple[str | None, bool], httpx.AsyncBaseTransport] = field(default_factory=dict)
    closers: list[AsyncGenerator[None, None]] = field(default_factory=list)


_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopConnections] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()
_tls_lock = threading.Lock()


async def _transport_for(url: str, fast: bool) -> httpx.AsyncBaseTransport:
    """Return the transport of the running event loop for requests to this URL."""
    loop = asyncio.get_running_loop()
    with _lock:
        connections = _by_loop.get(loop)
        if connections is None:
            # Connections refer to their event loop, so the weak dictionary never drops its entry.
            for closed in [other for other in _by_loop if other.is_closed()]:
                del _by_loop[closed]
            connections = _by_loop[loop] = _LoopConnections()
    # The key is the host, not the URL: links of images and queries of lists differ every time.
    parts = urlsplit(url)
    key = parts.scheme, parts.netloc, fast
    route = connections.routes.get(key)
    if route is None:
        route = connections.routes[key] = await _open(connections, url, fast)
    return route


async def _open(connections: _LoopConnections, url: str, fast: bool) -> httpx.AsyncBaseTransport:
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = None if host in _LOOPBACK else _proxy(parts.scheme, parts.netloc)
    plain = parts.scheme == "http" and proxy is None
    # aiohttp does not support SOCKS.
    fast = fast and not (proxy or "").startswith("socks")
    key = ("plain" if plain else proxy, fast)
    if key not in connections.open:
        verify = False if plain else tls_context()
        transport = connections.open[key] = _build(proxy, verify, fast)
        closer = _close_at_end(transport)
        await closer.__anext__()
        connections.closers.append(closer)
    return connections.open[key]


async def _close_at_end(transport: httpx.AsyncBaseTransport) -> AsyncGenerator[None, None]:
    """Close connections when their event loop shuts down its asynchronous generators.

    ``asyncio.run`` does so at its end. A library has no other sign that an event loop ends.
    """
    try:
        yield
    finally:
        await transport.aclose()


def _build(
    proxy: str | None, verify: ssl.SSLContext | bool, fast: bool
) -> httpx.AsyncBaseTransport:
    if fast:
        return httpx_aiohttp.AiohttpTransport(
            verify=verify,
            proxy=httpx.Proxy(proxy) if proxy else None,
            client=functools.partial(_session, verify),
        )
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEEPALIVE_S
    )
    try:
        return httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=limits)
    except ImportError as error:
        raise MissingDependencyError(
            "The network's proxy speaks SOCKS, which needs one more package: "
            '`python -m pip install "httpx[socks]"`.'
        ) from error


def _session(verify: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=verify, limit=0, keepalive_timeout=_KEEPALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _proxy(scheme: str, netloc: str) -> str | None:
    """Return the proxy of the environment or the system for an address, or None."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _outgoing(request: Request, connect_timeout: float) -> httpx.Request:
    """Return the library's request. Only this frame has the plain key.

    The URL and the body can fail, so they come first: the frame of an error must not have the key.
    """
    url, content = _url(request.url), request.content()
    headers = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in request.headers.items()
    }
    return httpx.Request(
        request.method,
        url,
        content=content,
        headers=headers,
        # The reader of the response enforces all other time limits.
        extensions={"timeout": {"connect": connect_timeout}},
    )


@functools.lru_cache(maxsize=64)
def _url(url: str) -> httpx.URL:
    return httpx.URL(url)


def tls_context() -> ssl.SSLContext:
    """Return the TLS context that all connections share; it is built once.

    Raises:
        ConfigurationError: The certificates cannot be read.
    """
    with _tls_lock:
        return _build_tls_context()


@functools.cache
def _build_tls_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"The certificates could not be read ({error}). Check SSL_CERT_FILE and SSL_CERT_DIR."
        ) from error
