"""Keeps a waiting event loop awake enough to notice an interrupt.

When a cell awaits on the kernel's own loop, the system may give the interrupt's signal to any thread.
Python handles it on the main one, which sleeps in the loop until something happens there: on
ipykernel 7 an interrupt of ``await asyncio.sleep(60)`` comes after the minute. A timer is something.
"""

from __future__ import annotations

import asyncio
from typing import Any

PULSE_S = 0.1
"""Seconds for which a loop that waits for an answer may sleep at a stretch."""


async def wait_awake(task: asyncio.Future[Any], seconds: float) -> None:
    """Wait until a task has ended, for so many seconds at most; its result is not looked at."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not task.done() and (left := deadline - loop.time()) > 0:
        await asyncio.wait({task}, timeout=min(left, PULSE_S))
