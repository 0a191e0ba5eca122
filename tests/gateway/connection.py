"""The connection of one client: read requests, and run the steps of their answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from typing import TYPE_CHECKING, Protocol

from tests.gateway import http1
from tests.gateway.answer import Answer, Cut, Hold, Pause, Send, Step, Until, fault_step
from tests.gateway.log import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tests.gateway.scenario import Fault

_RESET = struct.pack("ii", 1, 0)


class Service(Protocol):
    """Chooses the answers of a connection, and is notified of their progress."""

    def begin(self, connection: int, head: http1.Head, body: bytes) -> tuple[Exchange, Answer]:
        """Log a request and choose its answer."""

    def ended(self, exchange: Exchange) -> None:
        """Called when an answer has ended."""

    def changed(self) -> None:
        """Called when an exchange has changed."""

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait without a timeout until a condition holds, which a test controls."""


class _Cut(Exception):
    """The answer ends by cutting the connection."""


class Connection:
    """A socket that speaks HTTP/1.1, correctly or with the faults of a scenario."""

    def __init__(self, sock: socket.socket, number: int, service: Service) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._number = number
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._resets = False

    async def serve(self) -> None:
        """Answer requests until one side ends the connection."""
        reading = asyncio.ensure_future(self._read())
        try:
            while await self._serve_one():
                pass
        except http1.BadRequest as error:
            await self._refuse(error, reading)
        except OSError:
            # The client disconnected between two requests.
            pass
        finally:
            reading.cancel()
            # The event loop must stop using the socket before it is closed.
            await asyncio.wait([reading])
            if not self._resets:
                with contextlib.suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)
            self._sock.close()

    async def _refuse(self, error: http1.BadRequest, reading: asyncio.Future[None]) -> None:
        page = f"{error}\n".encode()
        head = http1.write_head(400, [("Content-Length", str(len(page)))])
        with contextlib.suppress(OSError):
            await self._loop.sock_sendall(self._sock, head + page)
            self._sock.shutdown(socket.SHUT_WR)
            # Closing while bytes still arrive would reset the connection and lose the answer.
            await asyncio.wait([reading], timeout=1)

    async def _read(self) -> None:
        """Receive bytes, also while an answer is sent, to notice when the client disconnects."""
        with contextlib.suppress(OSError):
            while data := await self._loop.sock_recv(self._sock, 256 * 1024):
                self._buffer += data
                self._news.set()
        self._gone.set()
        self._news.set()

    async def _more(self) -> bool:
        """Wait for more bytes; return False if the client has disconnected."""
        if self._gone.is_set():
            return False
        self._news.clear()
        await self._news.wait()
        return True

    async def _serve_one(self) -> bool:
        """Answer one request; return whether another may follow."""
        while (head := http1.take_head(self._buffer)) is None:
            if not await self._more():
                return False
        if head.get("expect").lower() == "100-continue":
            await self._loop.sock_sendall(self._sock, b"HTTP/1.1 100 Continue\r\n\r\n")
        while (body := http1.take_body(head, self._buffer)) is None:
            if not await self._more():
                return False
        exchange, answer = self._service.begin(self._number, head, body)
        return await self._answer(exchange, answer, head.get("connection").lower() == "close")

    async def _answer(self, exchange: Exchange, answer: Answer, last: bool) -> bool:
        scenario = exchange.scenario
        close = scenario.close if scenario is not None else None
        until_closed = scenario is not None and scenario.framing == "close"
        announced = last or close == "announced" or until_closed
        try:
            done = await self._unless_gone(self._carry_out(exchange, answer, announced))
        except _Cut:
            self._finish(exchange)
            return False
        finally:
            if exchange.in_flight:
                exchange.disconnected_at = time.monotonic()
                self._service.ended(exchange)
        return done and not announced and close is None and answer.raw is None

    def _finish(self, exchange: Exchange) -> None:
        exchange.finished_at = time.monotonic()
        self._service.ended(exchange)

    async def _unless_gone(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run ``work`` until the client disconnects; return whether it was completed."""
        working = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                return False
            try:
                working.result()
            except OSError:
                return False
            return True
        finally:
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)

    async def _carry_out(self, exchange: Exchange, answer: Answer, announced: bool) -> None:
        if answer.raw is not None:
            await self._send(exchange, Send(answer.raw))
        else:
            await self._send_head(exchange, answer, announced)
        started = self._loop.time()
        for number, step in enumerate(answer.steps):
            if number:
                # A write that fits into the socket's buffer does not yield to the event loop.
                await asyncio.sleep(0)
            begun = self._loop.time()
            await self._take(step, exchange, started)
            if isinstance(step, Hold):
                # Do not count the time of the hold: later steps keep their pace.
                started += self._loop.time() - begun
        # No await before this: who waits on this event loop sees a finished answer when the last
        # byte is read. A client in another thread may be faster, and has to wait for it.
        self._finish(exchange)

    async def _take(self, step: Step, exchange: Exchange, started: float) -> None:
        if isinstance(step, Send):
            await self._send(exchange, step)
        elif isinstance(step, Until):
            await asyncio.sleep(started + step.seconds - self._loop.time())
        elif isinstance(step, Pause):
            await self._pause(step, exchange)
        elif isinstance(step, Hold):
            exchange.holds += 1
            self._service.changed()
            await self._service.until(lambda: not exchange.held)
        else:
            self._cut(step)

    async def _pause(self, pause: Pause, exchange: Exchange) -> None:
        end = None if pause.seconds is None else self._loop.time() + pause.seconds
        if not pause.beat:
            await (self._loop.create_future() if end is None else asyncio.sleep(pause.seconds or 0))
            return
        while end is None or self._loop.time() + pause.every < end:
            await asyncio.sleep(pause.every)
            await self._send(exchange, Send(pause.beat, exchange.tokens_sent))

    async def _send(self, exchange: Exchange, step: Send) -> None:
        await self._loop.sock_sendall(self._sock, step.data)
        exchange.bytes_sent += len(step.data)
        exchange.tokens_sent = step.tokens
        self._service.changed()

    async def _send_head(self, exchange: Exchange, answer: Answer, announced: bool) -> None:
        scenario = exchange.scenario
        if scenario is not None:
            await self._faults(scenario.faults_at("headers"), exchange)
        kept = ("Connection", "close" if announced else "keep-alive")
        head = http1.write_head(answer.status, (*answer.headers, kept))
        if scenario is not None and (faults := scenario.faults_at("head")):
            await self._send(exchange, Send(head[: len(head) // 2]))
            await self._faults(faults, exchange)
            head = head[len(head) // 2 :]
        exchange.status = answer.status
        if scenario is not None and scenario.slow_head is not None:
            for position in range(len(head)):
                await asyncio.sleep(scenario.slow_head)
                await self._send(exchange, Send(head[position : position + 1]))
        else:
            await self._send(exchange, Send(head))
        exchange.head_sent_at = time.monotonic()

    async def _faults(self, faults: list[Fault], exchange: Exchange) -> None:
        for fault in faults:
            await self._take(fault_step(fault), exchange, self._loop.time())

    def _cut(self, cut: Cut) -> None:
        if cut.reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._resets = True
        raise _Cut
