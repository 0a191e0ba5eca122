"""Run a blocking function on a separate thread, and leave it when the caller is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import math
import threading
from collections.abc import Callable
from typing import Any

from cbai_notebook.client.tasks import wait_awake
from cbai_notebook.client.tools import left_running


class _Stopped(SystemExit):
    """Raised inside a function whose caller was cancelled. A SystemExit ends a thread silently."""


async def in_thread(function: Callable[[], Any], name: str) -> Any:
    """Run a function on a daemon thread, in the caller's context, and wait for it.

    A cancellation returns after a moment at the latest. Python code in the thread is interrupted; a
    system call continues until it returns, and the result is dropped. Such a function is noted as
    left running.

    Args:
        function: A function without arguments.
        name: The function's name for the user.

    Returns:
        The function's result.

    Raises:
        Exception: The function's exception, or its SystemExit. Any other BaseException becomes a
            RuntimeError, because asyncio would take it for an interrupt of the event loop.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()
    worker = _Worker()

    def deliver(value: Any, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((value, error))

    def work() -> None:
        with contextlib.suppress(_Stopped):
            value, error = None, None
            try:
                value = context.run(function)
            except BaseException as raised:  # noqa: BLE001  # raised again in the caller
                error = raised
            worker.leave()
            # The event loop may be closed by now.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(deliver, value, error)

    thread = threading.Thread(target=work, name=f"cbai {name}", daemon=True)
    thread.start()
    try:
        await wait_awake(ended, math.inf)
    except BaseException:
        worker.stop(thread)
        await asyncio.wait({ended}, timeout=left_running.STOP_S)
        if not ended.done():
            left_running.add(name, thread.is_alive)
        raise
    value, error = ended.result()
    if error is None:
        return value
    if isinstance(error, (Exception, SystemExit)):
        raise error
    raise RuntimeError(f"{name} raised {type(error).__name__}.") from error


class _Worker:
    """Tracks whether the function still runs, so that only the function is interrupted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = True

    def leave(self) -> None:
        with self._lock:
            self._inside = False

    def stop(self, thread: threading.Thread) -> None:
        with self._lock:
            if self._inside and thread.ident is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident), ctypes.py_object(_Stopped)
                )
