"""What a fork must not copy to a child: open files and databases, and locks that are held.

A SQLite connection that is carried over a fork writes without locks; a file lock that is carried
over outlives the process that took it; a lock that another thread holds is never released in the
child. So the objects that have one register here.
https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import Protocol


class ForkHooks(Protocol):
    """An object that holds something open which a forked child must not use."""

    def before_fork(self) -> None:
        """Prepare for a fork; runs in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Continue after a fork; runs once in the parent and once in the child."""


_registered: weakref.WeakSet[ForkHooks] = weakref.WeakSet()
_prepared: list[ForkHooks] = []
_locks: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()
_registering = threading.Lock()
"""Held during a fork too, so that the objects are the same before and after it."""


def register_fork_hooks(owner: ForkHooks) -> None:
    """Run the hooks of an object around every fork, for as long as the object exists."""
    with _registering:
        _registered.add(owner)


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


def _before_fork() -> None:
    _registering.acquire()
    for owner in list(_registered):
        owner.before_fork()
        _prepared.append(owner)


def _after_fork(*, in_child: bool) -> None:
    # Each step is taken even if one of the others fails: what stays held would block every thread.
    with contextlib.ExitStack() as steps:
        steps.callback(_registering.release)
        steps.callback(_prepared.clear)
        for owner in _prepared:
            steps.callback(owner.after_fork, in_child=in_child)
        if in_child:
            for holder, name in list(_locks.items()):
                steps.callback(_replace_held_lock, holder, name)


def _replace_held_lock(owner: object, name: str) -> None:
    lock: threading.RLock | None = getattr(owner, name, None)  # None: not assigned yet
    if lock is None:
        return
    if lock.acquire(blocking=False):
        lock.release()
    else:
        setattr(owner, name, threading.RLock())


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(in_child=False),
        after_in_child=lambda: _after_fork(in_child=True),
    )
