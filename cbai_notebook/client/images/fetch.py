"""From what a server answered to images with their bytes."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cbai_notebook.client.images.download import download
from cbai_notebook.client.images.formats import mime_of, name_of
from cbai_notebook.client.images.image import GeneratedImage
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.transport import Transport
from cbai_notebook.errors import CbaiError, InvalidResponseError

_MOST_IMAGES = 32


async def collect(
    value: Mapping[str, Any], request: Request, transport: Transport, timeout: Timeout
) -> tuple[list[GeneratedImage], CbaiError | None]:
    """Return the images of an answer, and why the first of those that are missing is.

    Args:
        value: The answer, as the server sent it.
        request: What was asked: whether by plain HTTP, and the key that goes nowhere else.
        transport: What fetches the images that are behind links.
        timeout: How long to wait for each.

    Raises:
        InvalidResponseError: There are no images in it, or absurdly many.
    """
    found = value.get("data")
    items = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if not items or len(items) > _MOST_IMAGES:
        raise InvalidResponseError(
            f"The server sent {len(items)} images. Check the prompt and the model, and try again."
        )
    outcomes = await asyncio.gather(
        *(_data(one, request, transport, timeout) for one in items), return_exceptions=True
    )
    images: list[GeneratedImage] = []
    failed: CbaiError | None = None
    for one, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, CbaiError):
            failed = failed or outcome
            outcome = b""
        elif isinstance(outcome, BaseException):
            raise outcome
        url, revised = one.get("url"), one.get("revised_prompt")
        images.append(
            GeneratedImage(
                outcome,
                mime_of(outcome) or "",
                url if isinstance(url, str) else None,
                revised if isinstance(revised, str) else None,
            )
        )
    return images, failed


async def _data(
    one: Mapping[str, Any], request: Request, transport: Transport, timeout: Timeout
) -> bytes:
    encoded, url = one.get("b64_json"), one.get("url")
    if isinstance(encoded, str) and encoded:
        return _decoded(encoded)
    if not isinstance(url, str):
        raise InvalidResponseError("The server sent neither an image nor a link to one.")
    plain_http = request.url.startswith("http://")
    return await download(url, transport, timeout, secret=request.secret, plain_http=plain_http)


def _decoded(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidResponseError("The server sent an image that is no base64.") from None
    if mime_of(data) is None:
        raise InvalidResponseError(f"The server sent {name_of(data)} where an image was expected.")
    return data
