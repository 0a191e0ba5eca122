"""Parse HTTP/1.1 requests and write heads of answers, as bytes. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_HEAD = 64 * 1024
MAX_BODY = 256 * 1024 * 1024
_FRAME_HEAD = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


class BadRequest(Exception):
    """The received bytes are no HTTP/1.1 request."""


@dataclass(frozen=True)
class Head:
    """The head of a request: the request line and the headers."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return a header's value, or ``""``."""
        for known, value in self.headers:
            if known.lower() == name:
                return value
        return ""


@lru_cache(maxsize=64)
def parse_head(data: bytes) -> Head:
    """Parse the lines before the body; a client sends the same head again and again.

    Rule: RFC 9112, sections 2 to 5.
    """
    request_line, *lines = data.decode("latin-1").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(f"not a request line: {request_line[:80]!r}")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(f"not a header: {line[:80]!r}")
        headers.append((name, value.strip()))
    return Head(parts[0], parts[1], parts[2], tuple(headers))


def take_head(buffer: bytearray) -> Head | None:
    """Remove and return the head at the front of ``buffer``, or return None if it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD:
            raise BadRequest("the head is too long")
        return None
    head = parse_head(bytes(buffer[:end]))
    del buffer[: end + 4]
    return head


def take_body(head: Head, buffer: bytearray) -> bytes | None:
    """Remove and return the body of ``head``, or return None if it is incomplete."""
    if head.get("transfer-encoding").lower() == "chunked":
        return _take_chunked(buffer)
    stated = head.get("content-length") or "0"
    if not stated.isdigit():
        raise BadRequest(f"not a length: {stated[:80]!r}")
    length = int(stated)
    if length > MAX_BODY:
        raise BadRequest("the body is too long")
    if len(buffer) < length:
        return None
    body = bytes(buffer[:length])
    del buffer[:length]
    return body


def _take_chunked(buffer: bytearray) -> bytes | None:
    parts = []
    position = 0
    while True:
        match = _FRAME_HEAD.match(buffer, position)
        if match is None:
            return None
        size = int(match[1], 16)
        start = match.end()
        if len(buffer) < start + size + 2:
            return None
        parts.append(bytes(buffer[start : start + size]))
        position = start + size + 2
        if size == 0:
            del buffer[:position]
            return b"".join(parts)


def write_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of an answer."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
