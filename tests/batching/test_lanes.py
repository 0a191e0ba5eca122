"""Lanes: so many items at once, and none is left behind."""

from __future__ import annotations

import asyncio

import pytest

from cbai_notebook.batching.lanes import Lanes


class Work:
    """Work that ends when the test lets it.

    Attributes:
        begun: The items whose work has begun, in order.
        running: How many are worked off at the moment.
        at_once: The most at once.
    """

    def __init__(self, at_once: int) -> None:
        self.begun: list[int] = []
        self.running = 0
        self.at_once = at_once
        self.free = asyncio.Semaphore(0)
        self.lanes = Lanes(self._work, lambda: self.at_once)

    async def _work(self, item: int) -> None:
        self.begun.append(item)
        self.running += 1
        try:
            await self.free.acquire()
        finally:
            self.running -= 1
        if item < 0:
            raise ValueError(item)

    async def put_all(self, count: int) -> None:
        for item in range(count):
            await self.lanes.put(item)

    def let_go(self, count: int) -> None:
        for _ in range(count):
            self.free.release()


async def settled() -> None:
    """Wait until nothing moves any more."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_items_are_worked_off_in_order_and_not_more_at_once_than_asked_for() -> None:
    work = Work(at_once=3)
    putting = asyncio.ensure_future(work.put_all(20))
    for done in range(17):
        await settled()
        assert work.begun == list(range(3 + done))
        work.let_go(1)
    work.let_go(3)
    await putting
    await work.lanes.join()
    assert work.begun == list(range(20))


async def test_another_number_at_once_holds_from_the_next_item_on() -> None:
    work = Work(at_once=4)
    putting = asyncio.ensure_future(work.put_all(30))
    await settled()
    work.at_once = 1
    work.let_go(4)  # all lanes end in one turn of the event loop
    await settled()
    assert work.running == 1
    work.at_once = 6
    work.let_go(4)
    await settled()
    assert work.running == 6
    work.let_go(30)
    await putting
    await work.lanes.join()
    assert work.begun == list(range(30))


async def test_an_error_is_raised_where_the_next_item_is_added_and_at_the_end() -> None:
    work = Work(at_once=2)
    await work.lanes.put(-1)
    work.let_go(1)
    with pytest.raises(ValueError, match="-1"):
        await work.lanes.join()
    with pytest.raises(ValueError, match="-1"):
        await work.lanes.put(0)
    assert work.begun == [-1]


async def test_items_that_wait_are_forgotten_when_the_work_is_cancelled() -> None:
    work = Work(at_once=2)
    putting = asyncio.ensure_future(work.put_all(4))
    await putting
    await settled()
    await work.lanes.cancel()
    await work.lanes.join()
    assert work.begun == [0, 1]
    assert work.running == 0
