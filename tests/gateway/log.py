"""The log of the gateway: every request with its result, and a way to wait for a change."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.gateway.scenario import Scenario

PATIENCE = 60.0
"""Seconds that a test waits for an expected change; long enough for a busy machine."""


@dataclass(eq=False)
class Exchange:
    """One request, and the progress of its answer. Times are ``time.monotonic()`` seconds.

    Args:
        number: The number of the request, from 1.
        connection: The number of the connection, from 1: requests with the same number shared one.
        method: The HTTP method, such as ``"POST"``.
        target: Path and query as sent.
        raw_headers: Names and values as sent.
        body: The bytes of the body.
        received_at: When the whole request was received.
        request_id: The value of ``X-Request-Id`` in the answer.
        provider: The provider in the path; ``""`` for the OpenAI-compatible path.
        scenario: The scenario of the answer.
        row: The row that the request is about; ``""`` if it was refused before that was read.
        occupies: Whether the answer takes one of the places that ``concurrency`` allows.
        status: The HTTP status of the answer; None before the head is sent.
        head_sent_at: When the head was sent.
        bytes_sent: Bytes of the answer written to the socket, head included.
        tokens_sent: Tokens written to the socket.
        holds: Holds that the answer has reached.
        let_go: Holds that the test has released.
        finished_at: When the answer was sent completely as in its scenario, cuts included.
        disconnected_at: When the gateway noticed that the client had disconnected before that.
    """

    number: int
    connection: int
    method: str
    target: str
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: float = field(default_factory=time.monotonic)
    request_id: str = ""
    provider: str = ""
    scenario: Scenario | None = None
    row: str = ""
    occupies: bool = False
    status: int | None = None
    head_sent_at: float | None = None
    bytes_sent: int = 0
    tokens_sent: int = 0
    holds: int = 0
    let_go: int = 0
    finished_at: float | None = None
    disconnected_at: float | None = None

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return self.target.partition("?")[0]

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers by lower-case name; of several with the same name, the last."""
        return {name.lower(): value for name, value in self.raw_headers}

    @property
    def json(self) -> Any:
        """Return the body as parsed JSON."""
        return json.loads(self.body)

    @property
    def finished(self) -> bool:
        """Return whether the answer was sent completely as in its scenario."""
        return self.finished_at is not None

    @property
    def disconnected(self) -> bool:
        """Return whether the client closed the connection before its answer was complete."""
        return self.disconnected_at is not None

    @property
    def in_flight(self) -> bool:
        """Return whether the answer is still being sent."""
        return not (self.finished or self.disconnected)

    @property
    def held(self) -> bool:
        """Return whether the answer waits at a hold."""
        return self.holds > self.let_go

    def summary(self) -> dict[str, Any]:
        """Return the fields that JSON can encode."""
        return {
            "number": self.number,
            "connection": self.connection,
            "method": self.method,
            "target": self.target,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
            "request_id": self.request_id,
            "provider": self.provider,
            "row": self.row,
            "status": self.status,
            "bytes_sent": self.bytes_sent,
            "tokens_sent": self.tokens_sent,
            "finished": self.finished,
            "disconnected": self.disconnected,
        }


class Watch:
    """Wakes the waiters for a condition, on any thread and any event loop."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiters: dict[object, Callable[[], None]] = {}

    def changed(self) -> None:
        """Wake all waiters after a change."""
        with self._condition:
            self._condition.notify_all()
            for wake in self._waiters.values():
                wake()

    async def until(
        self, condition: Callable[[], object], timeout: float | None = PATIENCE
    ) -> None:
        """Wait on the running event loop until ``condition()`` holds.

        Raises:
            TimeoutError: It is still false after ``timeout`` seconds; None waits for ever.
        """
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        token = object()
        with self._condition:
            self._waiters[token] = lambda: _wake(loop, woken)
        try:
            deadline = None if timeout is None else loop.time() + timeout
            while not condition():
                left = None if deadline is None else deadline - loop.time()
                if left is not None and left <= 0:
                    raise TimeoutError(f"still not so after {timeout} s")
                try:
                    await asyncio.wait_for(woken.wait(), left)
                except asyncio.TimeoutError:
                    continue
                woken.clear()
        finally:
            with self._condition:
                del self._waiters[token]

    def wait_until(self, condition: Callable[[], object], timeout: float = PATIENCE) -> None:
        """Block this thread until ``condition()`` holds.

        Raises:
            TimeoutError: It is still false after ``timeout`` seconds.
        """
        with self._condition:
            if not self._condition.wait_for(condition, timeout):
                raise TimeoutError(f"still not so after {timeout} s")


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    # Safe: a waiter removes itself from the list before its event loop can close.
    loop.call_soon_threadsafe(event.set)
