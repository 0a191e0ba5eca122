"""Tasks that go on by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

# The loop itself refers to its tasks weakly only.
_running: set[asyncio.Task[None]] = set()


def start(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start a task on the running loop and keep it until it has ended.

    Its error is not reported as lost: whoever starts one tells its readers.
    """
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()
