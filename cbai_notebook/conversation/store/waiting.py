"""Tells the user when a history has to be waited for, so that nothing stands still without a word."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cbai_notebook.errors import HistoryError
from cbai_notebook.i18n import joined, say

SILENT_S = 0.3
"""Seconds after which a wait is shown."""

Show = Callable[[str], Callable[[], None]]
"""Shows a line to the user, and returns a function that takes it away."""


def _write_line(line: str) -> Callable[[], None]:
    sys.stderr.write(f"{line}\n")
    return lambda: None


_show: ContextVar[Show] = ContextVar("_show", default=_write_line)


@contextmanager
def shown_with(show: Show) -> Iterator[None]:
    """Show the waits of a block in a way of its own; by default a line goes to the standard error."""
    token = _show.set(show)
    try:
        yield
    finally:
        _show.reset(token)


class Wait:
    """One wait for a history: silent at first, then with a line."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._take_away: Callable[[], None] | None = None

    @property
    def next_s(self) -> float:
        """Seconds until the line may have to be shown; at least a few."""
        return max(0.02, SILENT_S - (time.monotonic() - self._began))

    def tell(self, cause: HistoryError) -> None:
        """Show the cause, once, if the wait has taken long enough."""
        if self._take_away is None and time.monotonic() - self._began >= SILENT_S:
            line = joined(say("history.waiting"), cause.words or str(cause))
            self._take_away = _show.get()(line)

    def end(self) -> None:
        """Take the line away."""
        if self._take_away is not None:
            self._take_away()


@contextmanager
def while_waiting() -> Iterator[Wait]:
    """Run a block that may have to wait for a history."""
    wait = Wait()
    try:
        yield wait
    finally:
        wait.end()
