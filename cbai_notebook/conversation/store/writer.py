"""The thread that writes to a database, so that no cell and no answer waits for a disk or a lock.

What cannot be written is tried again, for as long as the process lives.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import queue
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cbai_notebook.conversation.store.database import PATIENCE_S, BusyError, Database
from cbai_notebook.conversation.store.migration import Schema
from cbai_notebook.conversation.store.waiting import while_waiting
from cbai_notebook.errors import HistoryError
from cbai_notebook.forks import register_fork_hooks

FIRST_PAUSE_S = 0.001
LONGEST_BUSY_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
"""Seconds between two tries; they double, up to less where only a lock is waited for."""

IDLE_S = 5.0
"""Seconds without work after which the thread ends; the next request starts it again."""

EXIT_S = 3.0
"""Seconds that the end of the process waits for what is not written yet."""

T = TypeVar("T")


class Source(Protocol):
    """Something that has changes to write."""

    def write(self) -> None:
        """Write all changes.

        Raises:
            HistoryError: Not everything was written; called again later.
        """


class Writer:
    """Calls the sources of changes on one thread, one at a time, in the order of their requests.

    Args:
        schema: The tables that are written to.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._reset()
        register_fork_hooks(self)
        _writers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[Source, None] = {}
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_writing = False
        self._is_stuck = False

    def request(self, source: Source) -> None:
        """Call a source's `write` soon, until it succeeds; return at once."""
        with self._lock:
            self._due[source] = None
            self._is_stuck = False
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run,
                    args=(self._wake,),
                    name=f"cbai-notebook {self._schema.name}",
                    daemon=True,
                )
                self._thread.start()
                _finish_before_worker_ends()
        self._wake.put(None)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function that writes on the thread, and return its result.

        Waits up to :data:`PATIENCE_S` seconds for the lock of another process.

        Raises:
            HistoryError: It could not be written.
        """
        if threading.current_thread() is self._thread:
            return function()
        job = _Job(function, self._schema)
        self.request(job)
        return job.wait()

    def finish(self, timeout_s: float) -> bool:
        """Wait until everything is written, and return whether it is.

        Stops waiting after some seconds, and where not only a lock is in the way.
        """
        until = time.monotonic() + timeout_s
        while self._due or self._is_writing:
            if self._is_stuck or time.monotonic() > until:
                return False
            time.sleep(0.002)
        return True

    def _run(self, wake: queue.SimpleQueue[None]) -> None:
        pause = FIRST_PAUSE_S
        failed = False
        while wake is self._wake:  # else this is a forked child
            try:
                wake.get(timeout=pause if failed else IDLE_S)
            except queue.Empty:
                if not failed and self._ended():
                    return
            with self._lock:
                sources, self._due = list(self._due), {}
                self._is_writing = True
            errors = {source: error for source in sources if (error := _write(source)) is not None}
            with self._lock:
                is_busy = all(isinstance(error, BusyError) for error in errors.values())
                self._is_stuck = not is_busy and not self._due
                self._due = {**dict.fromkeys(errors), **self._due}
                self._is_writing = False
            longest = LONGEST_BUSY_PAUSE_S if is_busy else LONGEST_PAUSE_S
            pause = min(2 * pause, longest) if errors and failed else FIRST_PAUSE_S
            failed = bool(errors)

    def _ended(self) -> bool:
        with self._lock:
            if self._due:
                return False
            self._thread = None
            return True

    def before_fork(self) -> None:
        """Do nothing: the thread goes on in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Begin anew in the child, which has no such thread; what is due is the parent's to write."""
        if in_child:
            self._reset()


def _write(source: Source) -> HistoryError | None:
    try:
        source.write()
    except HistoryError as error:
        return error
    return None


@dataclass(frozen=True, eq=False)
class Transaction:
    """A transaction whose outcome nobody waits for."""

    database: Database
    run: Callable[[sqlite3.Connection], None]

    def write(self) -> None:
        """Run the transaction, unless the database cannot be used any more."""
        if self.database.lost is None:
            with self.database.writing() as connection:
                self.run(connection)


class _Job(Generic[T]):
    """A function that a thread waits for."""

    def __init__(self, function: Callable[[], T], schema: Schema) -> None:
        self._function = function
        self._schema = schema
        self._context = contextvars.copy_context()
        self._until = time.monotonic() + PATIENCE_S
        self._future: Future[T] = Future()
        self._busy: BusyError | None = None

    def write(self) -> None:
        """Run the function, unless nobody waits for it any more."""
        if self._future.cancelled():
            return
        try:
            result = self._context.run(self._function)
        except BusyError as error:
            self._busy = error
            if time.monotonic() < self._until:
                raise
            self._fail(error)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller
            self._fail(error)
        else:
            if self._future.set_running_or_notify_cancel():
                self._future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if self._future.set_running_or_notify_cancel():
            self._future.set_exception(error)

    def wait(self) -> T:
        """Return the function's result, or raise its exception."""
        try:
            with while_waiting() as waiting:
                while True:
                    left = self._until - time.monotonic()
                    with contextlib.suppress(FutureTimeoutError):
                        return self._future.result(timeout=max(0.0, min(left, waiting.next_s)))
                    if left <= 0 and self._future.cancel():
                        raise self._busy or BusyError(self._schema.text("no_answer"))
                    if self._busy is not None:
                        waiting.tell(self._busy)
        except BaseException:
            self._future.cancel()  # an interrupt: nothing is written after it
            raise


def _finish_before_worker_ends() -> None:
    """Let a worker of multiprocessing, which ends without :mod:`atexit`, finish what is due."""
    process, util = map(sys.modules.get, ("multiprocessing.process", "multiprocessing.util"))
    if process and util and process.parent_process() is not None:
        util.Finalize(None, _finish_all, exitpriority=0)


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


@atexit.register
def _finish_all() -> None:
    until = time.monotonic() + EXIT_S
    for writer in list(_writers):
        writer.finish(max(0.0, until - time.monotonic()))
