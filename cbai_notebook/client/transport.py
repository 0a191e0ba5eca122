"""The one module that knows the HTTP library.

Each event loop has its own connections, because a connection works on one event loop only. All
share one TLS context, because building it takes longer than a request. Proxies and certificates
follow the environment variables: a change in the notebook counts from the next request on.

With ``httpx-aiohttp`` installed (the ``fast`` extra) the connections are aiohttp's, which read a
stream with a fifth of the work.

httpx's transports are used without its client: redirects, cookies, ``.netrc`` and decoded headers
must not be used here, and they take a third of the time of a request.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import os
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from cbai_notebook.client import error_mapping, proxies, tasks
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Secret
from cbai_notebook.errors import (
    CbaiError,
    ConfigurationError,
    InvalidResponseError,
    MissingDependencyError,
)
from cbai_notebook.i18n import say

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

# Seconds until the environment is read again while the rows of a batch are sent.
_READ_AGAIN_S = 0.5
# Seconds that an idle connection is kept: users need some time between two prompts.
_KEEPALIVE_S = 60.0
_LARGEST_BODY = 64 * 1024 * 1024
LARGEST_ERROR = 256 * 1024
"""The most bytes of an error's body that are read; the rest adds no information."""

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The variables that name certificates; the first that is set counts."""
_ENVIRONMENT = (*proxies.VARIABLES, *_CERTIFICATES)

# A request on a connection that the server has closed fails within this time, in seconds. A later
# end is that of a server that was at work on the request.
_STALE_S = 1.0
# Seconds that the end of the interpreter waits for connections to close.
_LONGEST_EXIT_S = 2.0


Environment = tuple[str | None, ...]
"""Values of environment variables."""


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
        parts = self._parts()
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
        arriving = self._parts()
        try:
            async for part in arriving:
                size += len(part)
                parts.append(part)
                if size <= largest:
                    continue
                if cut:
                    break
                raise InvalidResponseError(
                    say("request.answer_is_too_large", size=largest // 2**20)
                )
        except _ERRORS as error:
            broken = error_mapping.connection_broken(error, self._error_context)
            broken.answer_began = 200 <= self.status < 300 and bool(b"".join(parts).strip())
            raise broken from error_mapping.without_frames(error, self._error_context)
        finally:
            if isinstance(arriving, AsyncGenerator):
                await arriving.aclose()
        return b"".join(parts)

    def _parts(self) -> AsyncIterator[bytes]:
        """Return the decoded parts of the body."""
        coding = self.headers.get("content-encoding", "").strip().lower()
        stream = self._response.stream
        if coding in ("", "identity") and isinstance(stream, httpx.AsyncByteStream):
            # Directly from the connection: every layer in between costs time for each part.
            return stream.__aiter__()
        return self._response.aiter_bytes()

    async def aclose(self) -> None:
        """Release the connection: keep it if the body was read to its end, else close it."""
        try:
            await self._response.aclose()
        except _ERRORS:
            # The connection broke before it could be closed; the reader has raised the error.
            return


@dataclass(frozen=True)
class InProcessResponse:
    """A response that this process makes itself; the body may break off with an ``OSError``."""

    status: int
    content_type: str
    body: AsyncGenerator[bytes, None]


InProcessHandler = Callable[[str, Mapping[str, str], bytes], Awaitable[InProcessResponse]]
"""Answers a request; gets the path of its URL, its headers and its body."""

_in_process: dict[str, InProcessHandler] = {}


def answer_in_process(host: str, handler: InProcessHandler) -> None:
    """Answer all requests of this process to a host with a function, without a connection.

    The client is the same as for a server: streams, errors, time limits and cancellation included.

    Args:
        host: A name that no real host has, such as one that ends with ``.invalid``.
        handler: The function; it runs on the event loop of the request.
    """
    _in_process[host] = handler


class _InProcessTransport(httpx.AsyncBaseTransport):
    def __init__(self, handler: InProcessHandler) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        made = await self._handler(request.url.path, request.headers, request.content)
        headers = {"Content-Type": made.content_type}
        return httpx.Response(made.status, headers=headers, stream=_InProcessBody(made.body))


class _InProcessBody(httpx.AsyncByteStream):
    def __init__(self, parts: AsyncGenerator[bytes, None]) -> None:
        self._parts = parts

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._parts

    async def aclose(self) -> None:
        await self._parts.aclose()


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
        route = await _route_for(request.url, self._fast, request.connection)
        sent = _outgoing(request, connect_timeout)
        try:
            response = await self._send(sent, route, error_context)
        except CbaiError:
            # The next request looks again: a file of certificates, or the system's proxy, may change.
            _forget(route)
            raise
        if response.status_code == 407 and route.proxy is not None:
            await Response(response, error_context).aclose()
            raise error_mapping.proxy_refused(route.proxy, 407, "", error_context)
        route.keeps_connections = True
        return Response(response, error_context)

    async def _send(
        self, sent: httpx.Request, route: _Route, error_context: error_mapping.ErrorContext
    ) -> httpx.Response:
        """Send a request; send it again at once if its kept connection was closed by the server."""
        clock = asyncio.get_running_loop().time
        began = clock()
        may_be_stale = route.keeps_connections
        while True:
            try:
                return await route.transport.handle_async_request(sent)
            except _ERRORS as error:
                if may_be_stale and _is_dropped(error) and clock() - began < _STALE_S:
                    # The server closed the connection while it was idle, and this request was too
                    # early to notice. Nothing of a response has arrived.
                    may_be_stale = route.keeps_connections = False
                    continue
                raise _error(error, route.proxy, error_context) from error_mapping.without_frames(
                    error, error_context
                )


def _is_dropped(error: BaseException) -> bool:
    """Return whether a connection ended before any byte of a response."""
    if FAST:
        causes = (error, error.__cause__)
        if any(isinstance(each, aiohttp.ServerDisconnectedError) for each in causes):
            return True
        if any(isinstance(each, aiohttp.ClientConnectorError) for each in causes):
            return False
        if any(isinstance(each, aiohttp.ClientOSError) for each in causes):
            return True
    if isinstance(error, httpx.RemoteProtocolError):
        return "disconnected" in str(error)
    return isinstance(error, (httpx.ReadError, httpx.WriteError))


def _error(
    error: BaseException, proxy: proxies.Proxy | None, error_context: error_mapping.ErrorContext
) -> CbaiError:
    """Return the error of a connection that could not be made."""
    status = getattr(error.__cause__, "status", None)
    if proxy is not None and (isinstance(error, httpx.ProxyError) or status is not None):
        # httpx has the status of a proxy's answer only in its message: "407 Proxy Authentication …".
        words = str(error)
        if isinstance(status, int):
            words = str(getattr(error.__cause__, "message", ""))
        elif words[:3].isdecimal():
            status, words = int(words[:3]), words[3:]
        if status is not None or proxy.is_socks:
            return error_mapping.proxy_refused(proxy, status, words, error_context)
    return error_mapping.from_network(error, error_context, proxy=proxy)


async def aclose() -> None:
    """Close the connections of the running event loop; ``asyncio.run`` does so at its end."""
    with _lock:
        connections = _by_loop.pop(asyncio.get_running_loop(), None)
    if connections is not None:
        for closer in connections.closers:
            await closer.aclose()


@dataclass
class _Route:
    """The way to one server: its connections, and the proxy in between.

    ``keeps_connections``: whether a request was answered, so that a connection may have been kept.
    """

    transport: httpx.AsyncBaseTransport
    proxy: proxies.Proxy | None
    keeps_connections: bool = False


@dataclass
class _LoopConnections:
    """The open connections of one event loop, and the generators that close them."""

    environment: Environment = ()
    read_again_at: float = 0.0
    routes: dict[tuple[str, str, bool, int], _Route] = field(default_factory=dict)
    open: dict[tuple[Environment, str | None, bool, int], httpx.AsyncBaseTransport] = field(
        default_factory=dict
    )
    closers: list[AsyncGenerator[None, None]] = field(default_factory=list)
    pid: int = field(default_factory=os.getpid)


_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopConnections] = (
    weakref.WeakKeyDictionary()
)
_lock = threading.Lock()
_tls_lock = threading.Lock()


async def _route_for(url: str, fast: bool, number: int) -> _Route:
    """Return the route of the running event loop for requests to this URL.

    Args:
        url: The URL.
        fast: Whether to use aiohttp's connections, which all requests share.
        number: Which of httpx's connections to use: its pool takes much work where many requests
            share it.
    """
    loop = asyncio.get_running_loop()
    with _lock:
        connections = _by_loop.get(loop)
        if connections is None:
            # Connections refer to their event loop, so the weak dictionary never drops its entry.
            for closed in [other for other in _by_loop if other.is_closed()]:
                _abandon(_by_loop.pop(closed))
            connections = _by_loop[loop] = _LoopConnections()
    # Reading the environment takes time, and rows come by the thousand.
    now = loop.time()
    if not number or now >= connections.read_again_at:
        connections.read_again_at = now + _READ_AGAIN_S
        environment = tuple([os.environ.get(name) for name in _ENVIRONMENT])
        if environment != connections.environment:
            # A change in the notebook. Connections in use stay open until the end of the loop.
            connections.routes.clear()
            connections.environment = environment
    # The key is the host, not the URL: links of images and queries of lists differ every time.
    parts = urlsplit(url)
    key = parts.scheme, parts.netloc, fast, 0 if fast else number
    route = connections.routes.get(key)
    if route is None:
        route = connections.routes[key] = await _open(connections, url, fast, number)
    return route


def _forget(route: _Route) -> None:
    """Find the route anew at the next request; its connections stay open for other requests."""
    with _lock:
        connections = _by_loop.get(asyncio.get_running_loop())
    if connections is not None:
        for key in [key for key, each in connections.routes.items() if each is route]:
            del connections.routes[key]


async def _open(connections: _LoopConnections, url: str, fast: bool, number: int) -> _Route:
    handler = _in_process.get(urlsplit(url).netloc)
    if handler is not None:
        return _Route(_InProcessTransport(handler), None)
    proxy = proxies.proxy_for(url)
    plain = urlsplit(url).scheme == "http" and proxy is None
    # aiohttp does not support SOCKS.
    fast = fast and not (proxy and proxy.is_socks)
    number = 0 if fast else number
    key = (() if plain else certificates(), proxy.url if proxy else None, fast, number)
    if key not in connections.open:
        verify = False if plain else tls_context()
        transport = connections.open[key] = _build(proxy, verify, fast)
        closer = _close_at_end(transport)
        await closer.__anext__()
        connections.closers.append(closer)
    return _Route(connections.open[key], proxy)


async def _close_at_end(transport: httpx.AsyncBaseTransport) -> AsyncGenerator[None, None]:
    """Close connections when their event loop shuts down its asynchronous generators.

    ``asyncio.run`` does so at its end. A library has no other sign that an event loop ends.
    """
    try:
        yield
    finally:
        await transport.aclose()


@atexit.register
def _close_at_exit() -> None:
    """Close the connections of event loops that nobody ends, such as that of the bridge.

    At the end of the interpreter aiohttp complains about each session that is still open.
    """
    for loop, connections in list(_by_loop.items()):
        if connections.pid != os.getpid():
            continue
        if loop.is_closed():
            _abandon(connections)
            continue
        with contextlib.suppress(*_ERRORS, RuntimeError, concurrent.futures.TimeoutError):
            if loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(_end(), loop)
                closing.result(_LONGEST_EXIT_S)
            else:
                loop.run_until_complete(_end())


def _abandon(connections: _LoopConnections) -> None:
    """Close the sessions of an event loop that was closed without ending its generators.

    Without a loop there is nothing to wait for, so the coroutines end at their first step.
    """
    for (_, _, fast, _), transport in connections.open.items():
        if fast:
            closing = transport.aclose()
            with contextlib.suppress(*_ERRORS, StopIteration, RuntimeError):
                closing.send(None)
            closing.close()


async def _end() -> None:
    """Stop the streams of this event loop and close its connections."""
    await tasks.cancel_all()
    await aclose()


def _build(
    proxy: proxies.Proxy | None, verify: ssl.SSLContext | bool, fast: bool
) -> httpx.AsyncBaseTransport:
    if fast:
        return httpx_aiohttp.AiohttpTransport(
            verify=verify,
            proxy=httpx.Proxy(proxy.url) if proxy else None,
            client=functools.partial(_session, verify),
        )
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEEPALIVE_S
    )
    try:
        return httpx.AsyncHTTPTransport(
            verify=verify, proxy=proxy.url if proxy else None, limits=limits
        )
    except ImportError as error:
        raise MissingDependencyError(say("client.socks_needs_a_package")) from error


def _session(verify: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=verify, limit=0, keepalive_timeout=_KEEPALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _outgoing(request: Request, connect_timeout: float) -> httpx.Request:
    """Return the library's request. Only this frame has the plain key.

    The URL and the body can fail, so they come first: the frame of an error must not have the key.
    """
    url, content = _url(request.url), request.content()
    headers = [
        (name, value.reveal() if isinstance(value, Secret) else value)
        for name, value in request.headers.items()
    ]
    if content:
        headers.append(("Content-Length", str(len(content))))
    made = httpx.Request(
        request.method,
        url,
        # The library derives the same headers from `content`, with a sixth of the work of a request.
        headers=[("Host", url.netloc.decode("ascii")), *headers],
        stream=httpx.ByteStream(content),
        # The reader of the response enforces all other time limits.
        extensions={"timeout": {"connect": connect_timeout}},
    )
    made.read()
    return made


@functools.lru_cache(maxsize=64)
def _url(url: str) -> httpx.URL:
    return httpx.URL(url)


def certificates() -> Environment:
    """Return what the TLS context depends on: the variables, and the age of the file they name."""
    name = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    if name is None:
        return ()
    path = os.environ[name]
    try:
        changed = str(Path(path).stat().st_mtime_ns)
    except OSError:
        changed = None
    return name, path, changed


def tls_context() -> ssl.SSLContext:
    """Return the TLS context that all connections share; it is built once for each environment.

    Raises:
        ConfigurationError: The certificates cannot be read.
    """
    with _tls_lock:
        return _build_tls_context(certificates())


@functools.lru_cache(maxsize=4)
def _build_tls_context(chosen: Environment) -> ssl.SSLContext:
    if not chosen:
        return httpx.create_ssl_context(trust_env=False)
    name, path = str(chosen[0]), Path(str(chosen[1]))
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ConfigurationError(
            say(
                "client.certificates_are_unreadable",
                reason=str(error),
                name=name,
                path=str(path),
            )
        ) from error
