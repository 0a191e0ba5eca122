"""An event loop whose time jumps: what waits an hour has waited it at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Returns at once, and says how long it would have waited for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self.waited += max(timeout, 1e-6)  # less would be lost in a sum of floats
        # Without a timeout, only another thread can wake the loop.
        return found if found or timeout is not None else super().select(None)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop for coroutines that only wait for each other and for a time, not for a network."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that would have passed."""
        return 1000.0 + self._jumping.waited


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new `VirtualTimeLoop`, and return its result."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
