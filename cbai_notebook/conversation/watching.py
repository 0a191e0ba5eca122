"""Watchers: callbacks that are called on every change of a conversation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cbai_notebook.conversation.turn import Turn


@dataclass(frozen=True)
class Change:
    """A change of a conversation.

    Attributes:
        kind: ``opened``, ``grown`` and ``closed`` refer to one turn; ``arranged`` means that the
            active path has changed: turns were deleted, or another alternative was chosen; ``stored``
            means that the reason has changed why newer changes are not stored.
        turn: The turn, if the change refers to one.
    """

    kind: Literal["opened", "grown", "closed", "arranged", "stored"]
    turn: Turn | None = None


Watcher = Callable[[Change], None]


class Watchers:
    """The watchers of a conversation; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Watcher, ...] = ()

    def add(self, watcher: Watcher) -> Callable[[], None]:
        """Add a watcher; return a function that removes it and may be called more than once."""

        # Each call gets its own wrapper, so that a function may be added twice and removed once.
        def entry(change: Change) -> None:
            watcher(change)

        def remove() -> None:
            with self._lock:
                self._watchers = tuple(other for other in self._watchers if other is not entry)

        with self._lock:
            self._watchers += (entry,)

        return remove

    def notify(self, change: Change) -> None:
        """Call every watcher, outside of any lock."""
        for watcher in self._watchers:
            watcher(change)
