"""Tells whoever watches a conversation what has happened to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cbai_notebook.conversation.turn import Turn


@dataclass(frozen=True)
class Change:
    """Something that happened to a conversation.

    Attributes:
        kind: ``opened``, ``grown`` and ``closed`` are about one turn; ``arranged`` means that other
            turns are on show: forgotten, deleted, or another alternative chosen.
        turn: The turn, where the change is about one.
    """

    kind: Literal["opened", "grown", "closed", "arranged"]
    turn: Turn | None = None


Watcher = Callable[[Change], None]


class Watchers:
    """Who watches. Watchers come, go and are told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: tuple[Watcher, ...] = ()

    def add(self, watcher: Watcher) -> Callable[[], None]:
        """Add a watcher; return what takes it away again, once or more often."""

        # A wrapper of its own, so that the same function may watch twice and leave once.
        def entry(change: Change) -> None:
            watcher(change)

        def remove() -> None:
            with self._lock:
                self._watchers = tuple(other for other in self._watchers if other is not entry)

        with self._lock:
            self._watchers += (entry,)

        return remove

    def notify(self, change: Change) -> None:
        """Tell every watcher, outside of any lock."""
        for watcher in self._watchers:
            watcher(change)
