"""A lock on an open file that the system releases however its holder ends. Imports nothing of the package."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(descriptor: int) -> bool:
    """Lock an open file without waiting; return whether the lock is held.

    Raises:
        OSError: The file system knows no locks (some network homes).
    """
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):  # held by another: POSIX, Windows
        return False
    return True
