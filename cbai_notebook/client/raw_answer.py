"""The raw answer of the server, folded when it is first needed and kept as one dict."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class RawAnswer:
    """A dict that is made once, by the first reader of any thread.

    Args:
        make: Makes the dict. It is dropped afterwards, with the chunks that it refers to.
    """

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make: Callable[[], dict[str, Any]] | None = make
        self._value: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def value(self) -> dict[str, Any]:
        """The dict."""
        self.fold()
        return self._value

    def fold(self) -> None:
        """Make the dict, if it has not been made."""
        if self._make is not None:
            with self._lock:
                if self._make is not None:
                    self._value = self._make()
                    self._make = None

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], RawAnswer], tuple[dict[str, Any]]]:
        # Pickled and copied as the dict: a lock and a function cannot be.
        return made, (self.value,)


def made(value: dict[str, Any]) -> RawAnswer:
    """Return the raw answer for a dict that exists already."""
    raw = RawAnswer(dict)
    raw._value, raw._make = value, None
    return raw
