"""Plays an answer onto a screen while the background loop receives it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cbai_notebook import bridge
from cbai_notebook.conversation import Delta

if TYPE_CHECKING:
    from cbai_notebook.notebook.screen import Screen

T = TypeVar("T")
R = TypeVar("R")


class _Job(Generic[R]):
    """Something that the thread which plays does for the background loop."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[R] = self._loop.create_future()

    def run(self) -> None:
        try:
            result = self._work()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked for the work
            self._deliver(self.done.set_exception, error)
        else:
            self._deliver(self.done.set_result, result)

    def _deliver(self, set_outcome: Callable[[Any], None], value: Any) -> None:
        self._loop.call_soon_threadsafe(lambda: None if self.done.done() else set_outcome(value))


class CellThread:
    """The thread that plays, as the answer on the background loop sees it.

    A question to the user, and a tool that needs the kernel's own loop, must run there.
    """

    def __init__(self, items: queue.SimpleQueue[Delta | _Job[Any] | None]) -> None:
        self._items = items

    async def run(self, work: Callable[[], R]) -> R:
        """Run a function on the thread that plays, and return what it returns."""
        job = _Job(work)
        self._items.put(job)
        return await job.done


def render_answer(
    start: Callable[[Callable[[Delta], None], CellThread], Awaitable[T]], screen: Screen
) -> T:
    """Run an answer on the background loop and paint here what arrives, until it has ended.

    Deltas cross in a queue: a round trip between the threads for each would cost more than the
    paint. The screen is painted by the calling thread, so that what it shows reaches its own cell.

    Args:
        start: Called with a listener, and with what runs functions on the calling thread; returns
            the awaitable that calls the listener for each delta.
        screen: Painted, but not finished.

    Returns:
        What the awaitable returns.

    Raises:
        KeyboardInterrupt: After the request was stopped; what had arrived is on the screen.
    """
    items: queue.SimpleQueue[Delta | _Job[Any] | None] = queue.SimpleQueue()

    async def answer() -> T:
        try:
            return await start(items.put, CellThread(items))
        finally:
            items.put(None)

    call = bridge.prepare(answer())
    try:
        call.start()
        _paint_until_end(items, screen)
    except BaseException:
        call.stop()
        _drain(items, screen)
        raise
    return call.result()


def _paint_until_end(items: queue.SimpleQueue[Delta | _Job[Any] | None], screen: Screen) -> None:
    while True:
        due = screen.due()
        try:
            item = items.get(timeout=bridge.POLL_S if due is None else min(due, bridge.POLL_S))
        except queue.Empty:
            screen.tick()
            continue
        if item is None:
            return
        if isinstance(item, _Job):
            item.run()
            continue
        _feed(screen, item)
        screen.tick()


def _drain(items: queue.SimpleQueue[Delta | _Job[Any] | None], screen: Screen) -> None:
    while not items.empty():
        if isinstance(item := items.get(), Delta):
            _feed(screen, item)


def _feed(screen: Screen, delta: Delta) -> None:
    if delta.reasoning:
        screen.reasoning(delta.reasoning)
    if delta.call:
        screen.call(delta.call)
    if delta.text:
        screen.text(delta.text)


async def render_answer_async(
    start: Callable[[Callable[[Delta], None]], Awaitable[T]], screen: Screen
) -> T:
    """Run an answer on the current loop and paint it from there.

    For a screen that takes paints from any thread or task, such as an Output widget.

    Args:
        start: Called with a listener; returns the awaitable that calls it for each delta.
        screen: Painted, but not finished.

    Returns:
        What the awaitable returns.
    """
    arrived = asyncio.Event()

    def listen(delta: Delta) -> None:
        _feed(screen, delta)
        arrived.set()

    answer = asyncio.ensure_future(start(listen))
    answer.add_done_callback(lambda _: arrived.set())
    try:
        while not answer.done():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(arrived.wait(), screen.due())
            arrived.clear()
            screen.tick()
        return await answer
    finally:
        if not answer.done():
            answer.cancel()
            await asyncio.wait([answer])
