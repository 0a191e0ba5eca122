"""Processes that share one history: which are alive, and what a fork must not copy to a child.

A SQLite connection that is carried over a fork writes without locks; a file lock that is carried
over outlives the process that took it; a lock that another thread holds is never released in the
child. So all of them register hooks that run around every fork.
https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
import weakref
from pathlib import Path
from typing import Protocol

from cbai_notebook.files import try_lock

# Forks -------------------------------------------------------------------------------------------


class ForkHooks(Protocol):
    """An object that holds something open which a forked child must not use."""

    def before_fork(self) -> None:
        """Prepare for a fork; runs in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Continue after a fork; runs once in the parent and once in the child."""


_registered: weakref.WeakSet[ForkHooks] = weakref.WeakSet()
_prepared: list[ForkHooks] = []
_registering = threading.Lock()
"""Held during a fork too, so that the objects are the same before and after it."""


def register_fork_hooks(owner: ForkHooks) -> None:
    """Run the hooks of an object around every fork, for as long as the object exists."""
    with _registering:
        _registered.add(owner)


def _before_fork() -> None:
    _registering.acquire()
    for owner in list(_registered):
        owner.before_fork()
        _prepared.append(owner)


def _after_fork(*, in_child: bool) -> None:
    try:
        if in_child:
            _replace_held_locks()
        for owner in _prepared:
            owner.after_fork(in_child=in_child)
    finally:
        _prepared.clear()
        _registering.release()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(in_child=False),
        after_in_child=lambda: _after_fork(in_child=True),
    )


_locks: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()


def fork_safe_lock(owner: object, name: str = "_lock") -> threading.RLock:
    """Return a new lock which is replaced in a forked child if another thread held it.

    That thread does not exist in the child and would never release the lock.

    Args:
        owner: The object or module that has the lock.
        name: The name of its attribute.
    """
    with _registering:
        _locks[owner] = name
    return threading.RLock()


def _replace_held_locks() -> None:
    for owner, name in list(_locks.items()):
        lock: threading.RLock = getattr(owner, name)
        if lock.acquire(blocking=False):
            lock.release()
        else:
            setattr(owner, name, threading.RLock())


# Which processes are alive -----------------------------------------------------------------------


class LiveProcesses:
    """Lock files that show which processes are alive.

    Each process locks a file named after it; the system releases the lock when the process ends,
    however it ends.

    Args:
        folder: The folder of the lock files; made with the first of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._name = ""
        register_fork_hooks(self)

    @property
    def name(self) -> str:
        """The name of this process; its lock file is made when the name is first read."""
        while not self._name:
            name = uuid.uuid4().hex
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._file(name), os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks
                try_lock(descriptor)
            # Another process may have removed the file in `remove_ended` before it was locked.
            if self._file(name).exists():
                self._name, self._descriptor = name, descriptor
            else:
                os.close(descriptor)
        return self._name

    def remove_ended(self) -> None:
        """Remove the lock files of processes that have ended."""
        for file in self._folder.glob("*.lock"):
            self.has_ended(file.stem)

    def is_me(self, name: str | None) -> bool:
        """Return whether a name is that of this process."""
        return bool(name) and name == self._name

    def has_ended(self, name: str) -> bool:
        """Return whether the process of a name has ended; if so, remove its lock file."""
        if self.is_me(name):
            return False
        file = self._file(name)
        try:
            descriptor = os.open(file, os.O_RDWR)
        except OSError:
            return True
        try:
            free = try_lock(descriptor)
        except OSError:
            # Without locks this is unknown. An answer that still streams corrects it when it ends.
            return True
        finally:
            os.close(descriptor)
        if free:
            with contextlib.suppress(OSError):
                file.unlink()
        return free

    def close(self) -> None:
        """Release the lock of this process and remove its file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                self._file(self._name).unlink()
        self._descriptor, self._name = None, ""

    def before_fork(self) -> None:
        """Do nothing: the parent keeps its lock."""

    def after_fork(self, *, in_child: bool) -> None:
        """Close the lock file in the child, which would hold the lock after the parent's end."""
        if in_child and self._descriptor is not None:
            os.close(self._descriptor)
        if in_child:
            self._descriptor, self._name = None, ""

    def _file(self, name: str) -> Path:
        # The name is read from the history file, which anyone could have written.
        return self._folder / f"{Path(name).name}.lock"


class OnlyThisProcess:
    """The only process that uses a history in memory; the same methods as :class:`LiveProcesses`."""

    name = "this process"

    def remove_ended(self) -> None:
        """Do nothing: there are no lock files."""

    def is_me(self, name: str | None) -> bool:
        """Return whether a name is that of this process."""
        return name == self.name

    def has_ended(self, name: str) -> bool:
        """Return False: this process runs."""
        return False

    def close(self) -> None:
        """Do nothing: there is no lock."""
