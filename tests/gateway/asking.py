"""Send requests to the gateway with httpx or a plain socket, for the gateway's own tests."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from tests.gateway.gateway import DEFAULT_KEY

if TYPE_CHECKING:
    from tests.gateway.gateway import Gateway

PATH = "/ai/cloudbase/chat/completions"


def body(model: str, prompt: str = "hello", *, stream: bool = True, **more: Any) -> dict[str, Any]:
    """Return the JSON of a request."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": model, "messages": messages, "stream": stream, **more}


def client(gateway: Gateway, **options: Any) -> httpx.Client:
    """Return a client with the right key; it ignores redirects and the environment's proxies."""
    options.setdefault("headers", {"Authorization": f"Bearer {DEFAULT_KEY}"})
    # The tests use no TLS, and loading the certificates would take most of a test's time.
    options.setdefault("verify", False)
    return httpx.Client(base_url=gateway.base_url, trust_env=False, timeout=30, **options)


def ask(gateway: Gateway, model: str, prompt: str = "hello", **more: Any) -> httpx.Response:
    """Send one request on a new connection, and read the whole answer."""
    with client(gateway) as http:
        return http.post(PATH, json=body(model, prompt, **more))


class RawClient:
    """A socket that sends requests and returns the exact bytes of the answers."""

    def __init__(self, gateway: Gateway) -> None:
        address = urlsplit(gateway.base_url)
        self._host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port or 80), timeout=30)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, model: str, prompt: str = "hello", **more: Any) -> None:
        """Send one request."""
        content = json.dumps(body(model, prompt, **more)).encode()
        head = (
            f"POST /v1{PATH} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Authorization: Bearer {DEFAULT_KEY}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + content)

    def read_to_end(self) -> bytes:
        """Read until the gateway closes the connection."""
        parts = []
        while part := self.socket.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def read_until(self, mark: bytes) -> bytes:
        """Read until ``mark`` was received."""
        read = b""
        while mark not in read:
            part = self.socket.recv(65536)
            assert part, f"the connection ended before {mark!r}: {read!r}"
            read += part
        return read


def frames(wire: bytes) -> list[bytes]:
    """Return the frames of a chunked body, after the head."""
    _, _, rest = wire.partition(b"\r\n\r\n")
    found: list[bytes] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert rest == b"\r\n"
            return found
        found.append(rest[:length])
        assert rest[length : length + 2] == b"\r\n"
        rest = rest[length + 2 :]
    raise AssertionError("the last frame is missing")
