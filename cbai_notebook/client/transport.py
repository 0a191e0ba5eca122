"""The one module that knows the HTTP library.

One client per event loop, so nothing is ever used across loops; one TLS context for all of them,
because building it costs more than a request. With ``httpx-aiohttp`` installed (the ``fast``
extra) the same client runs on aiohttp, which reads a stream with a fifth of the work.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from cbai_notebook.client import failures
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Secret
from cbai_notebook.errors import CbaiError, ConfigurationError, InvalidResponseError

try:
    import aiohttp
    import httpx_aiohttp
except ImportError:
    FAST = False
    _CLIENT: type[httpx.AsyncClient] = httpx.AsyncClient
    _ERRORS: tuple[type[BaseException], ...] = ()
else:
    FAST = True
    _CLIENT = httpx_aiohttp.HttpxAiohttpClient
    # Not all of these are translated on the way up.
    _ERRORS = (aiohttp.ClientError,)

_ERRORS += (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    EOFError,
    asyncio.TimeoutError,
)

# An idle connection is kept this long: a reader thinks for a while between two prompts.
_KEEPALIVE_S = 60.0
_LARGEST_BODY = 64 * 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Response:
    """An answer whose headers have arrived; whoever has it closes it."""

    def __init__(self, response: httpx.Response, asked: failures.Asked) -> None:
        self._response = response
        self._asked = asked
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            ConnectionFailedError: The connection broke.
        """
        coding = self.headers.get("content-encoding", "").strip().lower()
        stream = self._response.stream
        if coding not in ("", "identity") or not isinstance(stream, httpx.AsyncByteStream):
            parts = self._response.aiter_bytes()
        else:
            # Straight from the connection: less work than through the layers that could decode.
            parts = stream.__aiter__()
        try:
            async for part in parts:
                yield part
        except _ERRORS as error:
            raise failures.broken(error, self._asked) from failures.bare(error)

    async def read(self, largest: int = _LARGEST_BODY, *, cut: bool = False) -> bytes:
        """Return the whole body, or with ``cut`` its first ``largest`` bytes or a little more.

        Raises:
            InvalidResponseError: It is larger than ``largest`` bytes, without ``cut``.
            ConnectionFailedError: The connection broke.
        """
        parts: list[bytes] = []
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
            raise failures.broken(error, self._asked) from failures.bare(error)
        return b"".join(parts)

    async def aclose(self) -> None:
        """Release the connection: kept if the body was read to its end, closed if not."""
        try:
            await self._response.aclose()
        except _ERRORS:
            # It broke before it could be closed; whoever read from it has been told.
            return


class Transport(Protocol):
    """What sends a request; `HTTPTransport` unless a test brings its own."""

    async def send(
        self, request: Request, asked: failures.Asked, *, connect_timeout: float
    ) -> Response:
        """Send a request and return when the answer's headers have arrived."""
        ...


class HTTPTransport:
    """Sends requests with the client of the running loop. It holds nothing itself."""

    async def send(
        self, request: Request, asked: failures.Asked, *, connect_timeout: float
    ) -> Response:
        """Send a request and return when the answer's headers have arrived.

        Redirects are not followed. Time limits other than connecting are the caller's.

        Raises:
            CbaiError: There was no connection, or it broke.
        """
        client = await _client(_direct(request.url))
        sent = _outgoing(client, request, connect_timeout)
        try:
            response = await client.send(sent, stream=True, follow_redirects=False)
        except _ERRORS as error:
            raise failures.from_network(error, asked) from failures.bare(error)
        return Response(response, asked)


def warm() -> None:
    """Build in the background what the first request needs, so that it need not wait for it."""
    threading.Thread(target=_warm, name="cbai-warm", daemon=True).start()


async def aclose() -> None:
    """Close the running loop's connections. A loop that ends in order does so by itself."""
    with _lock:
        held = _held.pop(asyncio.get_running_loop(), None)
    if held is not None:
        for keeper in held.keepers:
            await keeper.aclose()


@dataclass
class _Held:
    """The clients of one loop, and what closes them."""

    clients: dict[bool, httpx.AsyncClient] = field(default_factory=dict)
    keepers: list[AsyncGenerator[None, None]] = field(default_factory=list)


_held: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Held] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
_tls_lock = threading.Lock()


async def _client(direct: bool) -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    with _lock:
        # A client refers to its loop, so a closed loop would never leave by itself.
        for other in [one for one in _held if one.is_closed()]:
            del _held[other]
        held = _held.setdefault(loop, _Held())
    if direct not in held.clients:
        client = held.clients[direct] = _build(direct)
        keeper = _close_at_end(client)
        await keeper.__anext__()
        held.keepers.append(keeper)
    return held.clients[direct]


async def _close_at_end(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close the client when its loop shuts its asynchronous generators down, as asyncio.run does."""
    try:
        yield
    finally:
        await client.aclose()


def _build(direct: bool) -> httpx.AsyncClient:
    return _CLIENT(
        # Plain HTTP to this very machine needs neither certificates nor a proxy.
        verify=False if direct else _tls_context(),
        trust_env=not direct,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
        limits=httpx.Limits(
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=_KEEPALIVE_S,
        ),
    )


def _direct(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _outgoing(client: httpx.AsyncClient, request: Request, connect_timeout: float) -> httpx.Request:
    """Make the library's request. The plain key is in this frame only, and nothing here fails."""
    content = request.content()
    headers = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in request.headers.items()
    }
    return client.build_request(
        request.method,
        request.url,
        content=content,
        headers=headers,
        timeout=httpx.Timeout(None, connect=connect_timeout),
    )


def _tls_context() -> ssl.SSLContext:
    with _tls_lock:
        return _built_tls_context()


@functools.cache
def _built_tls_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            f"The certificates could not be read ({error}). Check SSL_CERT_FILE and SSL_CERT_DIR."
        ) from error


def _warm() -> None:
    from cbai_notebook.client import retry, wire  # noqa: F401

    try:
        _tls_context()
    except CbaiError:
        # The request that needs it tells the user.
        return
