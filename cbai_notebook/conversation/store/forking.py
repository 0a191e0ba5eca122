"""What a process holds open must not be used in the children that it forks.

A connection of SQLite's that is carried over writes without locks; a lock on a file would outlive the
process that it stands for. https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_across_a_fork_
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Held(Protocol):
    """Something that is open."""

    def before_fork(self) -> None:
        """Get ready, in the parent."""

    def after_fork(self, *, in_child: bool) -> None:
        """Go on, in the parent or in the child."""


_held: weakref.WeakSet[Held] = weakref.WeakSet()
_ready: list[Held] = []


def watch(held: Held) -> None:
    """Tell something of every fork from here on, for as long as it exists."""
    _held.add(held)


def _before() -> None:
    _ready[:] = _held
    for held in _ready:
        held.before_fork()


def _after(*, in_child: bool) -> None:
    for held in _ready:
        held.after_fork(in_child=in_child)
    _ready.clear()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
