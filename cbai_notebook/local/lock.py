"""One process at a time: a lock on a file, released by the system however its holder ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbai_notebook.locks import try_lock

POLL_SECONDS = 0.1


@contextmanager
def locked(path: Path, cancel: threading.Event) -> Iterator[bool]:
    """Hold the lock on a file; waits for another process, or thread, that holds it.

    Args:
        path: The file; created when missing, and left in place.
        cancel: Set from another thread, it ends the waiting.

    Yields:
        Whether the lock is held: False when the waiting was cancelled, or when the file system
        knows no locks (some network homes).
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _wait_for_lock(descriptor, cancel)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, cancel: threading.Event) -> bool:
    while not cancel.is_set():
        try:
            if try_lock(descriptor):
                return True
        except OSError:
            return False
        cancel.wait(POLL_SECONDS)
    return False
