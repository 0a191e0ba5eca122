"""Detect the format of an image from its first bytes; a header or a file name is no proof."""

from __future__ import annotations

from cbai_notebook.i18n import Words

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
"""The media types that models and browsers read, each with its file suffix."""

_OTHERS = {
    b"%PDF": "image.pdf",
    b"BM": "image.bmp",
    b"II*\x00": "image.tiff",
    b"MM\x00*": "image.tiff",
    b"\x00\x00\x01\x00": "image.icon",
    b"\x1f\x8b": "image.compressed",
    b"PK": "image.zip",
}


def mime_of(data: bytes) -> str | None:
    """Return the media type of an image, or None if the format is not supported."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def name_of(data: bytes) -> Words:
    """Return what the bytes seem to be, for the error message."""
    return Words(_key_of(data), {})


def _key_of(data: bytes) -> str:
    if not data:
        return "image.empty"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "image.svg"
    if start.startswith(b"<"):
        return "image.web_page"
    if data[4:8] == b"ftyp":
        return "image.heic_or_video"
    return next((key for mark, key in _OTHERS.items() if data.startswith(mark)), "image.no_image")
