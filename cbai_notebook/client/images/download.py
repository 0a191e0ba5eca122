"""Fetching an image from the link that a server gave. The link is not to be trusted, nor its host.

The API key is not sent there, redirects are not followed, and what arrives must be an image by its
bytes and of a bearable size.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from cbai_notebook.client import retry
from cbai_notebook.client.completion import within
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.images.formats import mime_of, name_of
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request, headers_of
from cbai_notebook.client.settings import Secret, Timeout
from cbai_notebook.client.transport import Transport
from cbai_notebook.errors import AgentNotFoundError, InvalidResponseError, ServerError

LARGEST_IMAGE = 32 * 1024 * 1024
"""Bytes of an image that are downloaded; reading stops there."""

LONGEST_S = 120.0
"""Seconds that one download may take."""


async def download(
    url: str, transport: Transport, timeout: Timeout, *, secret: Secret, plain_http: bool
) -> bytes:
    """Return the bytes of an image.

    Args:
        url: The link.
        transport: What sends the request.
        timeout: How long to wait for the connection, and for all of it if less than 120 s.
        secret: The API key, which must not be in the link.
        plain_http: Whether a link may be ``http://``: only if the server was asked that way too.

    Raises:
        CbaiError: It could not be had, or is no image.
    """
    _check(url, secret, plain_http)
    headers = headers_of(Endpoint("image", url), False)
    del headers["Content-Type"]
    request = Request("GET", url, {**headers, "Accept": "image/*"}, {})
    error_context = ErrorContext(provider="image", url=url, secret=secret)

    async def attempt(_number: int) -> bytes:
        seconds = min(timeout.answer, LONGEST_S)
        return await within(
            seconds, _once(request, transport, timeout, error_context), error_context, "download"
        )

    return await retry.call(attempt)


async def _once(
    request: Request, transport: Transport, timeout: Timeout, error_context: ErrorContext
) -> bytes:
    response = await transport.send(request, error_context, connect_timeout=timeout.connect)
    try:
        if response.status != 200:
            raise _refused(response.status)
        data = await response.read(LARGEST_IMAGE)
    finally:
        await response.aclose()
    if mime_of(data) is None:
        raise InvalidResponseError(f"What stands there is {name_of(data)}, not an image.")
    return data


def _refused(status: int) -> InvalidResponseError | AgentNotFoundError | ServerError:
    if 300 <= status < 400:
        return InvalidResponseError(
            "The link leads on to another address, which is not followed.", status=status
        )
    if status in (401, 403, 404, 410):
        return AgentNotFoundError("The link has expired or was never good.", status=status)
    return ServerError(f"The server of the image failed (HTTP {status}).", status=status)


def _check(url: str, secret: str, plain_http: bool) -> None:
    schemes = ("https", "http") if plain_http else ("https",)
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        good = False
    if not good or not url.isascii() or any(c.isspace() for c in url) or (secret and secret in url):
        raise InvalidResponseError("The server gave a link that is not safe to open.")
