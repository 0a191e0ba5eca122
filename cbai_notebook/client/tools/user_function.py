"""Call a function of the user in a task or a thread of its own, so that a stop does not depend on it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
from collections.abc import Awaitable, Callable
from typing import Any

from cbai_notebook.client.tasks import mark_retrieved, wait_awake
from cbai_notebook.client.tools import left_running
from cbai_notebook.client.tools.threads import in_thread


async def call_user(function: Callable[..., Any], call: Callable[[], Any], name: str) -> Any:
    """Call a function of the user, on a thread if it is not asynchronous, and return its result.

    A cancellation returns after a moment at the latest, whatever the function does with it. A
    function that goes on is noted as left running.

    Args:
        function: The function, by which is known whether it is asynchronous.
        call: Calls it with its arguments.
        name: Its name for the user.

    Raises:
        Exception: What the function raised, or its SystemExit.
        RuntimeError: The function was cancelled, but the caller was not.
    """
    if _is_async(function):
        return await in_task(call(), name)
    value = await in_thread(call, name)
    return await in_task(value, name) if inspect.isawaitable(value) else value


async def in_task(work: Awaitable[Any], name: str) -> Any:
    """Wait for work in a separate task; as `call_user`."""

    async def guarded() -> tuple[Any, SystemExit | None]:
        try:
            return await work, None
        except SystemExit as error:
            return None, error  # raised in the task, it would end the event loop

    task = asyncio.ensure_future(guarded())
    try:
        await wait_awake(task, math.inf)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=left_running.STOP_S)
            if not task.done():
                _left_running.add(task)
                left_running.add(name, lambda: not task.done())
        task.add_done_callback(_end)
    if task.cancelled():
        raise RuntimeError(f"{name} was cancelled before it ended.")
    value, exit_ = task.result()
    if exit_ is not None:
        raise exit_
    return value


async def elsewhere(
    run: Callable[[Callable[[], Any]], Awaitable[Any]], call: Callable[[], Any], name: str
) -> Any:
    """Call a function of the user on another event loop; as `call_user`.

    Args:
        run: Runs a function on the other loop; its result may be awaitable.
        call: Calls the user's function with its arguments.
        name: Its name for the user.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    runs_on: asyncio.AbstractEventLoop | None = None

    async def noted() -> Any:
        nonlocal runs_on
        runs_on = asyncio.get_running_loop()
        try:
            value = call()
            return await value if inspect.isawaitable(value) else value
        finally:
            runs_on = None
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(ended.cancel)

    try:
        return await in_task(run(noted), name)
    except asyncio.CancelledError:
        # The other loop is told of it later than we are. On ours, `in_task` has waited.
        if runs_on not in (None, loop):
            await asyncio.wait({ended}, timeout=left_running.STOP_S)
            if runs_on is not None:
                left_running.add(name, lambda: runs_on is not None)
        raise


_left_running: set[asyncio.Task[Any]] = set()
"""An event loop does not keep its tasks alive."""


def _end(task: asyncio.Task[Any]) -> None:
    _left_running.discard(task)
    mark_retrieved(task)  # nobody waits for it any more


def _is_async(function: Callable[..., Any]) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004  # it can be asynchronous
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
