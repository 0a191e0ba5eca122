"""File helpers for the whole package: paths as users write them, locks, atomic writes."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


POLL_S = 0.1
"""Seconds between two attempts to get a lock."""


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` and ``~user`` filled in.

    Raises:
        UsageError: There is no such user on this machine, or no path can be written like this.
    """
    try:
        is_path = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a character
        is_path = False
    if not is_path:
        raise UsageError(say("file.no_such_character", path=repr(os.fspath(path))))
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(say("file.no_home", path=os.fspath(path))) from error


def user_directory(kind: str, variable: str) -> Path:
    """Return the user's folder for files of this package.

    Args:
        kind: ``"data"``, ``"config"`` or ``"cache"``.
        variable: The environment variable that names another folder.

    Raises:
        FileNotFoundError: The variable is not set, and the user has no home directory.
        UsageError: The variable begins with ``~``, and there is no such home directory.
    """
    if chosen := os.environ.get(variable):
        return expanded(chosen).absolute()
    import platformdirs

    try:
        found = Path(getattr(platformdirs, f"user_{kind}_dir")("cbai-notebook", appauthor=False))
    except RuntimeError:
        found = Path("~")
    # Older versions of platformdirs return a path that still begins with "~".
    if not found.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "There is no home directory")
    return found


def try_lock(descriptor: int) -> bool:
    """Lock an open file without waiting; return whether the lock is held.

    The system releases the lock when the process ends, however it ends.

    Raises:
        OSError: The file system has no locks (some network homes).
    """
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):  # another process holds it: POSIX, Windows
        return False
    return True


@contextmanager
def locked(path: Path, cancel: threading.Event) -> Iterator[bool]:
    """Hold the lock on a file; wait while another process or thread holds it.

    Args:
        path: The file; created when missing, and left in place.
        cancel: Set it from another thread to end the waiting.

    Yields:
        Whether the lock is held: False when the waiting was cancelled, or when the file system has
        no locks (some network homes).
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
        cancel.wait(POLL_S)
    return False


def temporary_path(path: Path) -> Path:
    """Return an unused path in the folder of `path`, for what is renamed to `path` later.

    A rename is atomic only within one file system.
    """
    return path.with_name(f".{secrets.token_hex(8)}.tmp")


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file atomically: at any moment it holds its old content or its new one.

    Args:
        path: The file; missing parent folders are created.
        content: The new content.
        private: Whether only the user may read the file, from its first byte on.

    Raises:
        OSError: It cannot be written; the old file is still there.
    """
    path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    temporary = temporary_path(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600 if private else 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
