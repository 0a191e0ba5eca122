"""Paint an answer on a screen while the background loop receives it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from cbai_notebook import bridge
from cbai_notebook.conversation import Delta
from cbai_notebook.notebook.held_interrupts import HeldInterrupts

if TYPE_CHECKING:
    from cbai_notebook.notebook.screen import Screen

T = TypeVar("T")
R = TypeVar("R")
Item = TypeVar("Item", contravariant=True)


class _Job(Generic[R]):
    """A function that the cell's thread runs for the background loop."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[R] = self._loop.create_future()

    def run(self) -> None:
        try:
            result = self._work()
        except Exception as error:  # noqa: BLE001 - raised again in the caller of `CellThread.run`
            self._deliver(self.future.set_exception, error)
        else:
            self._deliver(self.future.set_result, result)

    def _deliver(self, set_outcome: Callable[[Any], None], value: Any) -> None:
        self._loop.call_soon_threadsafe(lambda: None if self.future.done() else set_outcome(value))


class CellThread:
    """Run functions on the thread of the cell, from the background loop.

    Questions to the user, and tools that need the kernel's own event loop, must run on that thread.
    """

    def __init__(self, put: Callable[[_Job[Any]], None]) -> None:
        self._put = put

    async def run(self, work: Callable[[], R]) -> R:
        """Run a function on the cell's thread and return its result."""
        job = _Job(work)
        self._put(job)
        return await job.future


def render_answer(
    start: Callable[[Callable[[Delta], None], CellThread], Awaitable[T]],
    screen: Screen,
    waiting: Callable[[], str] | None = None,
) -> T:
    """Run an answer on the background loop and paint it on the calling thread until it ends.

    Deltas pass through a queue: a round trip between the threads for each delta would cost more
    than the paint. The calling thread paints, so that the output reaches its own cell.

    Args:
        start: Called with a listener, and with an object that runs functions on the calling thread;
            returns an awaitable that calls the listener for each delta.
        screen: The screen to paint on; it is not finished here.
        waiting: Returns a line that is shown until the first token.

    Returns:
        The result of the awaitable.

    Raises:
        KeyboardInterrupt: After the request was stopped; the received text is on the screen.
    """
    return paint_while_running(start, _OneAnswer(screen, waiting))


class Canvas(Protocol[Item]):
    """What is painted while items come for it, all by one thread."""

    def begin(self) -> None:
        """Paint what stands there before the first item."""

    def take(self, item: Item) -> None:
        """Take an item, and paint it if a paint is due."""

    def due(self) -> float | None:
        """Return the seconds until the next paint is due, or None if there is nothing to paint."""

    def tick(self) -> None:
        """Paint if a paint is due."""


class _OneAnswer:
    """The canvas of one answer: its items are deltas.

    Args:
        screen: The screen of the answer.
        waiting: Returns a line that is shown until the first token.
    """

    def __init__(self, screen: Screen, waiting: Callable[[], str] | None) -> None:
        self._screen = screen
        self._waiting = waiting
        self.due, self.tick = screen.due, screen.tick

    def begin(self) -> None:
        if self._waiting:
            self._screen.wait(self._waiting)

    def take(self, item: Delta) -> None:
        feed(self._screen, item)


def paint_while_running(
    start: Callable[[Callable[[Item], None], CellThread], Awaitable[T]], canvas: Canvas[Item]
) -> T:
    """Run work on the background loop, and paint what it sends on the calling thread until it ends.

    Args:
        start: Called with a function that takes items for the canvas, and with an object that runs
            functions on the calling thread; returns an awaitable.
        canvas: Gets the items.

    Returns:
        The result of the awaitable.

    Raises:
        KeyboardInterrupt: After the work was stopped; the canvas has all items that were sent.
    """
    items: queue.SimpleQueue[Item | _Job[Any] | _Wake | _End] = queue.SimpleQueue()

    async def work() -> T:
        try:
            return await start(items.put, CellThread(items.put))
        finally:
            items.put(_END)

    call = bridge.prepare(work())
    with HeldInterrupts(lambda: items.put(_WAKE)) as interrupts:
        try:
            call.start()
            canvas.begin()
            _paint_until_end(items, canvas, interrupts)
        except BaseException:
            call.stop()
            _drain(items, canvas)
            raise
    return call.result()


class _Wake:
    """The item that ends a wait for items."""


class _End:
    """The item after the last one."""


_WAKE = _Wake()
_END = _End()


def _paint_until_end(
    items: queue.SimpleQueue[Item | _Job[Any] | _Wake | _End],
    canvas: Canvas[Item],
    interrupts: HeldInterrupts,
) -> None:
    while True:
        interrupts.check()
        due = canvas.due()
        try:
            item = items.get(timeout=bridge.POLL_S if due is None else min(due, bridge.POLL_S))
        except queue.Empty:
            canvas.tick()
            continue
        if isinstance(item, _End):
            interrupts.check()
            return
        if isinstance(item, _Wake):
            continue
        if isinstance(item, _Job):
            interrupts.let_through(item.run)
            continue
        canvas.take(item)
        canvas.tick()


def _drain(items: queue.SimpleQueue[Item | _Job[Any] | _Wake | _End], canvas: Canvas[Item]) -> None:
    while not items.empty():
        if not isinstance(item := items.get(), (_Job, _Wake, _End)):
            canvas.take(item)


def feed(screen: Screen, delta: Delta) -> None:
    """Show one delta."""
    if delta.reasoning:
        screen.reasoning(delta.reasoning)
    if delta.call:
        screen.call(delta.call)
    if delta.text:
        screen.text(delta.text)


async def render_answer_async(
    start: Callable[[Callable[[Delta], None]], Awaitable[T]], screen: Screen
) -> T:
    """Run an answer on the current event loop and paint it there.

    For a screen that accepts paints from any thread or task, such as an Output widget.

    Args:
        start: Called with a listener; returns an awaitable that calls the listener for each delta.
        screen: The screen to paint on; it is not finished here.

    Returns:
        The result of the awaitable.
    """
    arrived = asyncio.Event()

    def listen(delta: Delta) -> None:
        feed(screen, delta)
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
            bridge.leave(answer)
            await asyncio.wait([answer], timeout=bridge.PROMPT_BACK_S)
