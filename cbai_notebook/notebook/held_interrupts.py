"""Hold an interrupt back while the main thread is in code that must not be torn apart.

Python raises KeyboardInterrupt between any two steps of the main thread. In the middle of an import
it can leave the import lock held: the background loop then waits for ever at its next import. In the
middle of a publish of ipykernel it can become a RuntimeError.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import TracebackType


class HeldInterrupts:
    """A block in which an interrupt waits until `check`, or until the end of the block.

    One interrupt waits at a time: a user who interrupts once more is not made to wait. Nothing is
    held back outside the main thread, nor where a handler other than Python's own takes interrupts.
    An interrupt that waits is dropped where the block ends with another exception.

    Args:
        on_interrupt: Called in the signal handler when an interrupt begins to wait.
    """

    def __init__(self, on_interrupt: Callable[[], None] = lambda: None) -> None:
        self._on_interrupt = on_interrupt
        self._waits = False
        self._pid = os.getpid()

    def __enter__(self) -> HeldInterrupts:
        self._hold()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._release()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise the interrupt that waits, if there is one.

        Raises:
            KeyboardInterrupt: There was one.
        """
        if self._waits:
            self._waits = False
            raise KeyboardInterrupt

    def let_through(self, work: Callable[[], object]) -> None:
        """Call a function in which nothing is held back, such as a question to the user.

        Raises:
            KeyboardInterrupt: An interrupt waited, or came.
        """
        self._release()
        try:
            self.check()
            work()
        finally:
            self._hold()

    def _hold(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)

    def _release(self) -> None:
        if signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, *_: object) -> None:
        # A child process that another thread has forked never comes to `check`.
        if self._waits or os.getpid() != self._pid:
            raise KeyboardInterrupt
        self._waits = True
        self._on_interrupt()
