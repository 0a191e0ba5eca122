"""Make an image part of a message from a path, a URL, bytes, or an image of another library."""

from __future__ import annotations

import base64
import binascii
import io
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.client.images.formats import mime_of, name_of
from cbai_notebook.errors import MissingDependencyError, UsageError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import say
from cbai_notebook.text import cut

LARGEST_BYTES = 4 * 1024 * 1024
"""The most bytes of an image that is sent unchanged; a larger one is scaled."""

LONGEST_SIDE = 2048
"""Pixels of the longer side of a scaled image."""

_LARGEST_SOURCE = 64 * 1024 * 1024
_MOST_PIXELS = 100_000_000
# The most characters of a URL or path in an error message.
_LONGEST_SHOWN = 80


def image_part(source: Any, *, detail: str | None = None) -> dict[str, Any]:
    """Make a content part of a message from an image.

    Args:
        source: A path; an ``https://`` URL, which is sent unchanged; a ``data:`` URL; the bytes of
            a PNG, JPEG, GIF or WebP file; a PIL image; a matplotlib figure or axes, such as
            ``df.plot()`` returns; or any object that Jupyter displays as a PNG.
        detail: The resolution that the model reads, ``"low"`` or ``"high"``, for models that take
            it.

    Returns:
        ``{"type": "image_url", "image_url": {"url": …}}``, an item of a message's ``content``, as
        ``{"type": "text", "text": …}`` is. An image of more than 4 MB is scaled to 2048 pixels.

    Raises:
        UsageError: It is no image, or its format or size is not supported.
        MissingDependencyError: It must be scaled, and Pillow is not installed.

    Source: image parts of the chat completions API.
    """
    address = source if isinstance(source, str) else ""
    if address[:8].lower() == "https://":
        url = _checked_address(address)
    elif address[:7].lower() == "http://":
        raise UsageError(say("image.address_is_not_https", address=cut(address, _LONGEST_SHOWN)))
    else:
        data = _sendable(_bytes_of(source), source)
        url = f"data:{mime_of(data)};base64,{base64.b64encode(data).decode()}"
    image = {"url": url, "detail": detail} if detail else {"url": url}
    return {"type": "image_url", "image_url": image}


def _checked_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and not parts.username and not parts.password
    except ValueError:
        usable = False
    if not usable or any(c.isspace() for c in url):
        raise UsageError(say("image.address_cannot_be_opened", address=cut(url, _LONGEST_SHOWN)))
    return url


def _bytes_of(source: Any) -> bytes:
    """Return the bytes of an image file from a path, a URL, bytes or an object."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, str) and source[:5].lower() == "data:":
        return _decoded(source)
    if isinstance(source, (str, os.PathLike)):
        return _read(expanded(source))
    drawn = _drawn(source)
    if drawn is None:
        raise UsageError(say("image.object_is_no_image", kind=type(source).__name__))
    return drawn


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST_SOURCE:
            raise UsageError(
                say(
                    "image.file_is_too_large",
                    path=str(path),
                    size=size // 2**20,
                    largest=_LARGEST_SOURCE // 2**20,
                )
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            say("image.file_is_unreadable", path=cut(str(path), _LONGEST_SHOWN), reason=reason)
        ) from error


def _decoded(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if comma and head.lower().endswith(";base64"):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            pass
    raise UsageError(say("image.data_address_is_wrong"))


def _drawn(source: Any) -> bytes | None:
    """Return an object of an image library as a PNG, or None. The library is not imported."""
    if hasattr(source, "flat") and hasattr(source, "tolist"):
        # df.plot(subplots=True) returns an array of axes, which share their figure.
        source = next(iter(source.flat), None)
    figure: Any = source if hasattr(source, "savefig") else getattr(source, "figure", None)
    if hasattr(figure, "savefig"):
        drawing = io.BytesIO()
        figure.savefig(drawing, format="png", bbox_inches="tight")
        return drawing.getvalue()
    if isinstance(getattr(source, "data", None), bytes):
        return bytes(source.data)  # an IPython.display.Image, or a GeneratedImage
    if hasattr(source, "_repr_png_"):
        data = source._repr_png_()
        if data is None and hasattr(source, "convert"):
            # A PIL image in a colour mode that PNG does not have.
            data = source.convert("RGB")._repr_png_()
        if isinstance(data, tuple):
            data = data[0]  # the bytes and the metadata
        if isinstance(data, str):
            return base64.b64decode(data)
        return data if isinstance(data, bytes) else None
    return None


def _sendable(data: bytes, source: Any) -> bytes:
    """Return the image, scaled if it is too large to send."""
    if mime_of(data) is None:
        found = name_of(data)
        if isinstance(source, (str, os.PathLike)):
            path = cut(str(source), _LONGEST_SHOWN)
            raise UsageError(say("image.file_has_another_format", path=path, found=found))
        raise UsageError(say("image.has_another_format", found=found))
    if len(data) > _LARGEST_SOURCE:
        raise UsageError(
            say(
                "image.is_too_large",
                size=len(data) // 2**20,
                largest=_LARGEST_SOURCE // 2**20,
            )
        )
    return data if len(data) <= LARGEST_BYTES else _scaled(data)


def _scaled(data: bytes) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError(
            say(
                "image.scaling_needs_pillow",
                size=f"{len(data) / 2**20:.1f}",
                largest=LARGEST_BYTES // 2**20,
            )
        ) from None
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > _MOST_PIXELS:
            raise UsageError(
                say("image.has_too_many_pixels", width=image.width, height=image.height)
            )
        return _shrunk(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(say("image.is_damaged", reason=str(error))) from error


def _shrunk(image: Any) -> bytes:
    """Return the image scaled, as a PNG, or as a JPEG if the PNG is still too large."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    image = image.convert("RGBA" if transparent else "RGB")
    side = LONGEST_SIDE
    while True:
        image.thumbnail((side, side))
        data = _saved(image, "PNG", optimize=True)
        if len(data) > LARGEST_BYTES:
            background = Image.new("RGB", image.size, "white")
            background.paste(image, mask=image if transparent else None)
            data = _saved(background, "JPEG", quality=85)
        if len(data) <= LARGEST_BYTES:
            return data
        side //= 2


def _saved(image: Any, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()
