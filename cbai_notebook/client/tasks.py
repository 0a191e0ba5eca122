"""Helpers for asyncio tasks: start one, wait for one, mark its error as retrieved."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

LONGEST_SLEEP_S = 0.1
"""The longest time, in seconds, that an event loop may sleep while something waits for a response.

When a cell awaits on the kernel's own event loop, the system may deliver the signal of an interrupt
to any thread. Python handles the signal in the main thread, which sleeps in the event loop until
the loop has something to do: on ipykernel 7, an interrupt of ``await asyncio.sleep(60)`` is noticed
after the minute. A timer wakes the loop.
"""

# An event loop keeps only weak references to its tasks.
_running: set[asyncio.Task[None]] = set()


def start(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start a background task on the running event loop and keep a reference until it has ended.

    The event loop does not report an error of such a task: the task must pass its errors on to its
    readers.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_end)
    return task


def _end(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    mark_retrieved(task)


async def cancel_all() -> None:
    """Cancel the background tasks of the running event loop and wait until they have ended."""
    loop = asyncio.get_running_loop()
    running = [task for task in _running if task.get_loop() is loop]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)


async def wait_awake(task: asyncio.Future[Any], seconds: float) -> None:
    """Wait until a task has ended, at most `seconds`. The loop wakes every `LONGEST_SLEEP_S`.

    The task is not cancelled, and neither its result nor its error is read.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not task.done() and (left := deadline - loop.time()) > 0:
        await asyncio.wait({task}, timeout=min(left, LONGEST_SLEEP_S))


def mark_retrieved(task: asyncio.Future[Any]) -> None:
    """Keep the event loop from reporting the error of a task as never retrieved.

    A task that is not done, or that was cancelled, is left alone.
    """
    if task.done() and not task.cancelled():
        task.exception()
