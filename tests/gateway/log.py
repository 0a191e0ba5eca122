"""What the gateway saw: every request with its fate, and a way to wait for something to happen."""

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
"""Seconds that a test waits for something that must happen, on a machine that is busy."""


@dataclass(eq=False)
class Exchange:
    """One request, and what became of its answer. Times are ``time.monotonic()`` seconds.

    Args:
        number: Counts requests from 1.
        connection: Counts connections from 1: two requests with one number shared a connection.
        method: ``"POST"``.
        target: Path and query as they were sent.
        raw_headers: Names and values as they were sent.
        body: The body's bytes.
        received_at: When the whole request was there.
        request_id: What was sent as ``X-Request-Id``.
        provider: The provider in the path; ``""`` for the OpenAI-compatible path.
        scenario: What was chosen to answer with.
        status: The HTTP status answered; None before the head has left.
        head_sent_at: When the head had left.
        bytes_sent: Bytes of the answer handed to the system, head included.
        tokens_sent: Tokens handed to the system.
        holds: Holds that the answer has come to.
        let_go: Holds that the test has opened.
        finished_at: When the answer had been sent as the scenario says, cuts included.
        disconnected_at: When the client was found to have closed the connection before that.
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
        """Return the headers by lower-case name; the last of several wins."""
        return {name.lower(): value for name, value in self.raw_headers}

    @property
    def json(self) -> Any:
        """Return the body as parsed JSON."""
        return json.loads(self.body)

    @property
    def finished(self) -> bool:
        """Tell whether the answer was sent as its scenario says."""
        return self.finished_at is not None

    @property
    def disconnected(self) -> bool:
        """Tell whether the client closed the connection before its answer was complete."""
        return self.disconnected_at is not None

    @property
    def in_flight(self) -> bool:
        """Tell whether the answer is still going on."""
        return not (self.finished or self.disconnected)

    @property
    def held(self) -> bool:
        """Tell whether the answer stands at a hold."""
        return self.holds > self.let_go

    def summary(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "number": self.number,
            "connection": self.connection,
            "method": self.method,
            "target": self.target,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
            "request_id": self.request_id,
            "provider": self.provider,
            "status": self.status,
            "bytes_sent": self.bytes_sent,
            "tokens_sent": self.tokens_sent,
            "finished": self.finished,
            "disconnected": self.disconnected,
        }


class Watch:
    """Wakes whoever waits for a condition, on any thread and any event loop."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiters: dict[object, Callable[[], None]] = {}

    def changed(self) -> None:
        """Say that something changed."""
        with self._condition:
            self._condition.notify_all()
            for wake in self._waiters.values():
                wake()

    async def until(
        self, condition: Callable[[], object], timeout: float | None = PATIENCE
    ) -> None:
        """Wait on the running loop until ``condition()`` holds.

        Raises:
            TimeoutError: It does not hold after ``timeout`` seconds; None waits for ever.
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
            TimeoutError: It does not hold after ``timeout`` seconds.
        """
        with self._condition:
            if not self._condition.wait_for(condition, timeout):
                raise TimeoutError(f"still not so after {timeout} s")


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    # A waiter takes itself off the list before its loop can close.
    loop.call_soon_threadsafe(event.set)
