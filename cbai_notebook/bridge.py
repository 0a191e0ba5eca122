"""The bridge from synchronous to asynchronous code; the only one in the package.

All network code runs on one background event loop, on a daemon thread that starts on first use. A
cell, a script or a plain function submits a coroutine and waits for it. The kernel's event loop is
not re-entered: a kernel with a nested loop loses the cells that are queued behind the running one.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import os
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar

from cbai_notebook.errors import CbaiError, NestedLoopError, in_one_line
from cbai_notebook.i18n import say
from cbai_notebook.preferences import preferences

T = TypeVar("T")
P = ParamSpec("P")

POLL_S = 0.05
"""Seconds between two polls of a waiting call, so that an interrupt arrives on every platform."""

PROMPT_BACK_S = 0.25
"""Seconds that the caller of a cancelled coroutine waits for its end; it goes on in the background."""

CANCEL_GRACE_S = 5.0
"""Seconds that a cancelled coroutine may take to clean up before it is cancelled again."""


class Call(Generic[T]):
    """A coroutine on the background loop, controlled from another thread.

    Creating and starting it are two steps, so that `start` can be inside the ``try`` block that
    stops it: an interrupt can come at any line.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> None:
        self._loop = loop
        self._coroutine = coroutine
        # The caller's context, so that the coroutine's displays reach the right cell.
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[T] | None = None
        self._dropped = False
        self._stopping = False
        self._was_told = False
        # Not a threading.Event: an interrupt inside its Python code can become another exception.
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the coroutine; return at once."""
        self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        if self._dropped:
            return
        self._task = self._context.run(self._loop.create_task, self._coroutine)
        self._task.add_done_callback(lambda _: self._ended.put(None))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds; return whether the coroutine has ended and cleaned up."""
        if not self.done:
            with contextlib.suppress(queue.Empty):
                self._ended.get(timeout=timeout)
                self._ended.put(None)  # for other waiting threads
        return self.done

    @property
    def done(self) -> bool:
        """Whether the coroutine has ended."""
        return self._dropped or (self._task is not None and self._task.done())

    def cancel(self) -> None:
        """Cancel the coroutine; return at once."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._was_told = True
        if self._task is not None:
            self._task.cancel()
            if self._stopping:
                leave(self._task)
        elif not self._dropped:
            self._dropped = True
            self._coroutine.close()
            self._ended.put(None)

    def stop(self) -> None:
        """Cancel the coroutine and wait a moment for its end; it cleans up in the background."""
        if self._stopping:
            return
        self._stopping = True
        self.cancel()
        if not self.wait(PROMPT_BACK_S):
            _background.last_left = weakref.ref(self)
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.call_later, CANCEL_GRACE_S, self._cancel)

    def result(self) -> T:
        """Wait for the end in short polls; return the coroutine's result or raise its exception.

        An exception while waiting, such as an interrupt, stops the coroutine and is raised again.
        """
        try:
            while not self.wait(POLL_S):
                pass
        except BaseException:
            self.stop()
            raise
        assert self._task is not None
        try:
            return self._task.result()
        except asyncio.CancelledError:
            raise CbaiError(say("python.cancelled")) from None


_closing: set[asyncio.Future[Any]] = set()
"""Tasks that nobody waits for any more: an event loop does not keep its tasks alive."""


def leave(task: asyncio.Future[Any]) -> None:
    """Let a task that was stopped clean up in the background; its error is not reported.

    Call this on the task's event loop.
    """
    _closing.add(task)
    task.add_done_callback(_end)


def _end(task: asyncio.Future[Any]) -> None:
    _closing.discard(task)
    if not task.cancelled():
        task.exception()  # an error that nobody asks for would be printed


class _BackgroundLoop:
    """The daemon thread with its event loop. A forked child has no threads and makes a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self.last_left: Callable[[], Call[Any] | None] = lambda: None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            alive = self._thread is not None and self._thread.is_alive()
            if self._loop is None or self._pid != os.getpid() or not alive:
                self._loop = asyncio.new_event_loop()
                self._pid = os.getpid()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="cbai-notebook", daemon=True
                )
                self._thread.start()
            return self._loop

    def is_current(self) -> bool:
        return threading.current_thread() is self._thread

    def is_held(self) -> bool:
        call = self.last_left()
        return call is not None and not call._was_told and call._loop is self.loop()


_background = _BackgroundLoop()


def background_loop() -> asyncio.AbstractEventLoop:
    """Return the background event loop; start it if needed."""
    return _background.loop()


def is_background() -> bool:
    """Return whether this is the thread of the background loop, which must not wait for the loop."""
    return _background.is_current()


async def on_background(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on the background loop, and wait for it on any loop.

    Args:
        make: Makes the coroutine.
    """
    loop = _background.loop()
    if asyncio.get_running_loop() is loop:
        return await make()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(make(), loop))


def is_held() -> bool:
    """Return whether code that blocks keeps the background loop from a call that was stopped."""
    return _background.is_held()


def prepare(awaitable: Awaitable[T]) -> Call[T]:
    """Return a `Call` of an awaitable on the background loop, not started yet."""
    return Call(_background.loop(), _as_coroutine(awaitable))


def submit(awaitable: Awaitable[T]) -> Call[T]:
    """Start an awaitable on the background loop and return at once."""
    call = prepare(awaitable)
    call.start()
    return call


def run(awaitable: Awaitable[T], *, nested: bool | None = None) -> T:
    """Run a coroutine from synchronous code (a cell, a script, a plain function) and wait for it.

    The coroutine runs on the background loop, also while the kernel is busy. An interrupt cancels
    it; what it cleans up then goes on in the background.

    Args:
        awaitable: The coroutine to run, such as ``model.generate_text(…)``.
        nested: Run on the *caller's* event loop instead, for a coroutine that uses a connection
            made in a cell. ``None`` follows the ``bridge`` setting.

    Returns:
        The coroutine's result.

    Raises:
        NestedLoopError: ``nested`` is true where a nested loop would lose queued cells.
        CbaiError: Called from a coroutine on the background loop: it would wait for itself.
    """
    coroutine = _as_coroutine(awaitable)
    if nested if nested is not None else preferences().bridge == "nested":
        return _run_nested(coroutine)
    if _background.is_current():
        coroutine.close()
        raise CbaiError(say("python.run_inside", function="cbai.run()", word="await"))
    call = prepare(coroutine)
    try:
        call.start()
        return call.result()
    except KeyboardInterrupt:
        call.stop()
        raise


def stopped_in_one_line(function: Callable[P, T]) -> Callable[P, T]:
    """Let an interrupt of a function of ours show one line in a cell, not the way through our code.

    It is a matter of time too: IPython takes half a second to format such a traceback.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt as error:
            raise in_one_line(error, say("cell.stopped")) from None

    return call


def on_this_loop() -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    """Return a function that runs other functions on the current event loop, from any other loop.

    A call waits while that loop is busy, for example the kernel's loop while a cell runs. Without a
    running loop, functions run on the loop of the call.
    """
    try:
        target_loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        target_loop = None

    async def call(work: Callable[[], Any]) -> Any:
        async def run_work() -> Any:
            value = work()
            return await value if inspect.isawaitable(value) else value

        if target_loop is None or not target_loop.is_running():
            return await run_work()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run_work(), target_loop))

    return call


def _as_coroutine(awaitable: Awaitable[T]) -> Coroutine[Any, Any, T]:
    if inspect.iscoroutine(awaitable):
        return awaitable
    if not inspect.isawaitable(awaitable):
        raise TypeError(
            f"cbai.run() takes a coroutine, not {type(awaitable).__name__}. "
            "Call the function: cbai.run(model.generate_text(…))."
        )

    async def wait() -> T:
        return await awaitable

    return wait()


def _run_nested(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    try:
        _allow_nesting(loop)
    except NestedLoopError:
        coroutine.close()
        raise
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except BaseException:
        # Without this, an interrupted coroutine would continue as if nothing had been.
        task.cancel()
        leave(task)
        # In a tool, the request on the background loop is to be stopped in the same time.
        loop.run_until_complete(asyncio.wait([task], timeout=PROMPT_BACK_S / 2))
        raise


def _allow_nesting(loop: asyncio.AbstractEventLoop) -> None:
    """Patch the running loop so that it can be re-entered; raise if queued cells would be lost."""
    from importlib.metadata import PackageNotFoundError, version

    def release(package: str) -> tuple[int, ...]:
        try:
            parts = version(package).split(".")[:3]
        except PackageNotFoundError:
            return ()
        return tuple(int(digits) for part in parts if (digits := _leading_digits(part)))

    if release("nest_asyncio2") >= (1, 7, 3):
        import nest_asyncio2

        nest_asyncio2.apply(loop)
        return
    if release("ipykernel") >= (7, 1):
        raise NestedLoopError(
            say(
                "python.nested_loop",
                command='pip install "nest-asyncio2>=1.7.3"',
                call="cbai.run(…)",
                argument="nested=True",
            )
        )
    import nest_asyncio

    nest_asyncio.apply(loop)


def _leading_digits(text: str) -> str:
    return text[: len(text) - len(text.lstrip("0123456789"))]
