"""Wait on an event loop for something that another event loop, or another thread, does."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class StoppedError(Exception):
    """A request was not sent: nobody wants its answer any more."""


class Stop:
    """Ends the wait of all requests of a batch that were not sent; used on one event loop."""

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: set[Waiter] = set()

    def set(self) -> None:
        """Let no more requests be sent, and wake those that wait."""
        self.is_set = True
        for waiter in self._waiting:
            waiter.wake()

    def check(self) -> None:
        """Raise a `StoppedError` if no more requests are to be sent."""
        if self.is_set:
            raise StoppedError


class Waiter:
    """One coroutine that waits; made on its event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self.loop.create_future()

    async def wait(self, stop: Stop | None = None) -> None:
        """Wait for `wake`.

        Raises:
            StoppedError: The stop was set meanwhile.
        """
        if stop is None:
            await self._future
            return
        stop._waiting.add(self)
        try:
            stop.check()
            await self._future
            stop.check()
        finally:
            stop._waiting.discard(self)

    def wake(self) -> bool:
        """Let the coroutine go on, from any thread; return False if its event loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._go_on)
            return True
        return False

    def _go_on(self) -> None:
        if not self._future.done():  # it was cancelled
            self._future.set_result(None)


class Waiters:
    """Coroutines that wait for the same thing, in the order in which they came.

    The caller holds a lock of its own around every call but `Waiter.wait`.
    """

    def __init__(self) -> None:
        self._queue: deque[Waiter] = deque()

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def first(self) -> Waiter:
        """The one that has waited longest."""
        return self._queue[0]

    def add(self) -> Waiter:
        """Return a new waiter, the last one."""
        waiter = Waiter()
        self._queue.append(waiter)
        return waiter

    def remove(self, waiter: Waiter) -> bool:
        """Remove a waiter that was cancelled; return False if it was already let in."""
        try:
            self._queue.remove(waiter)
        except ValueError:
            return False
        return True

    def next(self) -> Waiter:
        """Remove and return the one that has waited longest."""
        return self._queue.popleft()
