"""Detect the format of an image from its first bytes; a header or a file name is no proof."""

from __future__ import annotations

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
"""The media types that models and browsers read, each with its file suffix."""

_OTHERS = {
    b"%PDF": "a PDF",
    b"BM": "a BMP image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x00\x00\x01\x00": "an icon",
    b"\x1f\x8b": "a compressed file",
    b"PK": "a ZIP file",
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


def name_of(data: bytes) -> str:
    """Return what the bytes seem to be, for the error message."""
    if not data:
        return "empty"
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "an SVG drawing"
    if start.startswith(b"<"):
        return "a web page"
    if data[4:8] == b"ftyp":
        return "a HEIC or AVIF image, or a video"
    return next((name for mark, name in _OTHERS.items() if data.startswith(mark)), "no image")
