"""Runs a coroutine for each of many items, some of them at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Lanes(Generic[Item]):
    """Tasks that work off items, one after the other each; they end while nothing waits.

    Args:
        work: Works off one item.
        at_once: Returns the most items that are worked off at once; it may return another number
            later.
    """

    def __init__(self, work: Callable[[Item], Awaitable[None]], at_once: Callable[[], int]) -> None:
        self._work = work
        self._at_once = at_once
        self._waiting: deque[Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_room = asyncio.Event()
        self._error: BaseException | None = None

    async def put(self, item: Item) -> None:
        """Add an item, as soon as few enough wait.

        Raises:
            BaseException: What the work on an item before has raised.
        """
        while len(self._waiting) >= self._at_once() and self._error is None:
            self._has_room.clear()
            await self._has_room.wait()
        self._check()
        self._waiting.append(item)
        if len(self._tasks) < self._at_once():
            task = asyncio.get_running_loop().create_task(self._lane())
            self._tasks.add(task)
            task.add_done_callback(self._end)

    async def join(self) -> None:
        """Wait until all items are worked off.

        Raises:
            BaseException: What the work on one of them has raised.
        """
        while self._tasks and self._error is None:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._check()

    async def cancel(self) -> None:
        """Forget the items that wait, cancel the work on the others, and wait for its end."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _lane(self) -> None:
        while self._waiting and len(self._tasks) <= self._at_once():
            item = self._waiting.popleft()
            if len(self._waiting) * 2 <= self._at_once():  # not for each item: waking costs time
                self._has_room.set()
            await self._work(item)
        # At once, not in `_end`: the other lanes count those that go on.
        self._tasks.discard(asyncio.current_task())

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._error = self._error or task.exception()
        self._has_room.set()
