"""Real proxies on the loopback interface, which know names that no resolver knows.

A test asks for ``http://model.test`` or ``https://model.test``; only the proxy knows where that is.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

CERTIFICATES = Path(__file__).with_name("certificates")
AUTHORITY = CERTIFICATES / "authority.pem"
"""The authority that signed the certificate of model.test."""
HOST = "model.test"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ProxyServer:
    """A running proxy.

    Args:
        port: Its port on 127.0.0.1.
        login: ``"user:password"`` that it wants; empty for none.
        asked: The targets that it was asked for, as ``"model.test:443"``.
        refused: The number of requests with a wrong or no login.
    """

    port: int
    login: str = ""
    asked: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until one side ends."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes = b""
) -> None:
    """Connect to a port of this machine and copy bytes in both directions."""
    target_reader, target_writer = await asyncio.open_connection("127.0.0.1", port)
    target_writer.write(first)
    await asyncio.gather(pipe(reader, target_writer), pipe(target_reader, writer))


@contextlib.asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections on a free port; yield the port."""
    running: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handle(reader, writer)
        finally:
            running.discard(task)
            writer.close()

    listening = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in list(running):
            task.cancel()
        if running:
            await asyncio.wait(running)


@contextlib.asynccontextmanager
async def tls_in_front_of(port: int) -> AsyncIterator[int]:
    """Serve https with the certificate of model.test and localhost; pass the requests on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await tunnel(reader, writer, port)

    async with serving(handle, context) as own:
        yield own


@contextlib.asynccontextmanager
async def http_proxy(
    targets: dict[int, int], *, login: str = "", answer: bytes = b""
) -> AsyncIterator[ProxyServer]:
    """Run an HTTP proxy.

    Args:
        targets: The port of this machine for each port of model.test.
        login: ``"user:password"`` that it wants.
        answer: What it answers to every request instead, such as ``b"503 Busy"``.
    """
    wanted = "Basic " + base64.b64encode(login.encode()).decode()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        lines = head.split("\r\n")[1:-2]
        fields = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        authority = target if method == "CONNECT" else target.split("/")[2]
        server.asked.append(authority)
        if login and fields.get("proxy-authorization") != wanted:
            server.refused += 1
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
            )
            return
        if answer:
            writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
            return
        name, _, port = authority.partition(":")
        assert name == HOST
        own = targets[int(port or 80)]
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await tunnel(reader, writer, own)
            return
        path = "/" + target.split("/", 3)[3]
        kept = [line for line in lines if not line.lower().startswith("proxy-")]
        first = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""])
        await tunnel(reader, writer, own, first.encode("latin-1"))

    async with serving(handle) as port:
        server = ProxyServer(port, login)
        yield server


@contextlib.asynccontextmanager
async def socks_proxy(targets: dict[int, int], *, login: str = "") -> AsyncIterator[ProxyServer]:
    """Run a SOCKS 5 proxy (RFC 1928, and RFC 1929 for the login), as `http_proxy`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(1) == b"\x05"
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        method = 2 if login else 0
        if method not in methods:
            server.refused += 1
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, method]))
        if login:
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            right = user + b":" + password == login.encode()
            server.refused += not right
            writer.write(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return
        assert await reader.readexactly(4) == b"\x05\x01\x00\x03"
        name = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        server.asked.append(f"{name}:{port}")
        known = name == HOST and port in targets
        writer.write(bytes([5, 0 if known else 4, 0, 1, 0, 0, 0, 0, 0, 0]))
        if known:
            await tunnel(reader, writer, targets[port])

    async with serving(handle) as port:
        server = ProxyServer(port, login)
        yield server
