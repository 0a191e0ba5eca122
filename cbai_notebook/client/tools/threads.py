"""A blocking function on a thread of its own, left at once when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Any


class _Stopped(SystemExit):
    """Raised inside a function that nobody waits for; a thread that it ends says nothing about it."""


async def in_thread(function: Callable[[], Any], name: str) -> Any:
    """Run a function on a daemon thread and wait for it, in the caller's context.

    When this is cancelled, it returns at once. Python code in the thread is asked to stop; code that
    waits inside a system call goes on until that returns, and its result is dropped.

    Args:
        function: Takes nothing.
        name: What it is called, for the thread's name.

    Returns:
        What the function returned.

    Raises:
        Exception: What the function raised; also SystemExit. Anything else becomes a RuntimeError,
            because it would be taken for an interrupt of the loop.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()
    worker = _Worker()

    def tell(value: Any, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((value, error))

    def work() -> None:
        with contextlib.suppress(_Stopped):
            value, error = None, None
            try:
                value = context.run(function)
            except BaseException as raised:  # noqa: BLE001  # raised again where it is waited for
                error = raised
            worker.leave()
            # Nobody is left to tell when the loop is closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, value, error)

    thread = threading.Thread(target=work, name=f"cbai tool {name}", daemon=True)
    thread.start()
    try:
        value, error = await ended
    except BaseException:
        worker.stop(thread)
        raise
    if error is None:
        return value
    if isinstance(error, (Exception, SystemExit)):
        raise error
    raise RuntimeError(f"The tool raised {type(error).__name__}.") from error


class _Worker:
    """Knows whether the function is still running, so that nothing else is ever stopped."""

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
