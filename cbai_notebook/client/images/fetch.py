"""Get the images of a server's response: decode base64 images, download linked ones.

A link and its host are not trusted: the API key and the server's own headers are not sent there,
redirects are not followed, and the response must be an image by its bytes, of at most 32 MB.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.client import retry
from cbai_notebook.client.completion import within
from cbai_notebook.client.error_mapping import ErrorContext
from cbai_notebook.client.images.formats import mime_of, name_of
from cbai_notebook.client.images.image import GeneratedImage
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request, headers_of
from cbai_notebook.client.secret import Secret
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.transport import Transport
from cbai_notebook.errors import CbaiError, InvalidResponseError, NotFoundError, ServerError
from cbai_notebook.i18n import say

LARGEST_IMAGE = 32 * 1024 * 1024
"""The most bytes of one download."""

LONGEST_S = 120.0
"""The most seconds of one download."""

_MOST_IMAGES = 32


async def fetch_images(
    value: Mapping[str, Any], request: Request, transport: Transport, timeout: Timeout
) -> tuple[list[GeneratedImage], CbaiError | None]:
    """Return the images of a response, and the first error of a download.

    An image that could not be downloaded has no bytes.

    Args:
        value: The response, as the server sent it.
        request: The request. Plain HTTP is allowed only if its URL is plain HTTP. Its key must not
            be sent to the hosts of the images.
        transport: Sends the requests for the images.
        timeout: The time limits of each download.

    Raises:
        InvalidResponseError: The response holds no image, or more than 32.
    """
    found = value.get("data")
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    if not items or len(items) > _MOST_IMAGES:
        raise InvalidResponseError(say("image.server_sent_a_number_of_images", number=len(items)))
    outcomes = await asyncio.gather(
        *(_bytes_of(item, request, transport, timeout) for item in items), return_exceptions=True
    )
    images: list[GeneratedImage] = []
    failed: CbaiError | None = None
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, CbaiError):
            failed = failed or outcome
            outcome = b""
        elif isinstance(outcome, BaseException):
            raise outcome
        url, revised = item.get("url"), item.get("revised_prompt")
        images.append(
            GeneratedImage(
                outcome,
                mime_of(outcome) or "",
                url if isinstance(url, str) else None,
                revised if isinstance(revised, str) else None,
            )
        )
    return images, failed


async def _bytes_of(
    item: Mapping[str, Any], request: Request, transport: Transport, timeout: Timeout
) -> bytes:
    encoded, url = item.get("b64_json"), item.get("url")
    if isinstance(encoded, str) and encoded:
        return _decoded(encoded)
    if not isinstance(url, str):
        raise InvalidResponseError(say("image.server_sent_no_image"))
    plain_http = request.url.startswith("http://")
    return await download(url, transport, timeout, secrets=request.secrets, plain_http=plain_http)


def _decoded(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidResponseError(say("image.server_sent_no_base64")) from None
    if mime_of(data) is None:
        raise InvalidResponseError(say("image.server_sent_something_else", found=name_of(data)))
    return data


async def download(
    url: str,
    transport: Transport,
    timeout: Timeout,
    *,
    secrets: tuple[Secret, ...],
    plain_http: bool,
) -> bytes:
    """Download an image and return its bytes.

    Args:
        url: The link.
        transport: Sends the request.
        timeout: The limits for the connection and for the download, which takes at most 120 s.
        secrets: The API key and other secrets of the API request; none may be in the link.
        plain_http: Whether the link may be ``http://``: only if the API request was, too.

    Raises:
        CbaiError: The download failed, or the response is no image.
    """
    error_context = ErrorContext(provider="image", url=url, secrets=secrets)
    _check_link(url, error_context, plain_http)
    headers = headers_of(Endpoint("image", url), False)
    del headers["Content-Type"]
    request = Request("GET", url, {**headers, "Accept": "image/*"}, {})

    async def attempt(_number: int) -> bytes:
        seconds = min(timeout.answer, LONGEST_S)
        return await within(
            seconds,
            _download_once(request, transport, timeout, error_context),
            error_context,
            "download",
        )

    return await retry.call(attempt)


async def _download_once(
    request: Request, transport: Transport, timeout: Timeout, error_context: ErrorContext
) -> bytes:
    response = await transport.send(request, error_context, connect_timeout=timeout.connect)
    try:
        if response.status != 200:
            raise _status_error(response.status)
        data = await response.read(LARGEST_IMAGE)
    finally:
        await response.aclose()
    if mime_of(data) is None:
        raise InvalidResponseError(say("image.link_leads_to_something_else", found=name_of(data)))
    return data


def _status_error(status: int) -> InvalidResponseError | NotFoundError | ServerError:
    if 300 <= status < 400:
        return InvalidResponseError(say("image.link_leads_on"), status=status)
    if status in (401, 403, 404, 410):
        return NotFoundError(say("image.link_has_expired"), status=status)
    return ServerError(say("image.server_failed", status=status), status=status)


def _check_link(url: str, error_context: ErrorContext, plain_http: bool) -> None:
    schemes = ("https", "http") if plain_http else ("https",)
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        good = False
    good = good and url.isascii() and not any(c.isspace() for c in url)
    if not good or error_context.has_secret(url):
        raise InvalidResponseError(say("image.link_is_not_safe"))
