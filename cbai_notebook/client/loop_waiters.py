"""Wait on an event loop for something that another event loop, or another thread, does."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class Waiter:
    """One coroutine that waits; made on its event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self.loop.create_future()

    async def wait(self) -> None:
        """Wait for `wake`."""
        await self._future

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
