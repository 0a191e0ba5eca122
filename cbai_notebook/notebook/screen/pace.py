"""Limit how often answers are painted, so that the browser keeps up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

PAINTS_PER_S = 12
"""Maximum number of paints in a second."""

CHARS_PER_S = 20_000
"""Maximum number of characters that are painted again in a second; browsers keep up with that."""

BYTES_PER_S = 18_500
"""Maximum bytes of markup that are sent again in a second, unless a paint would wait `SLOW_S` for it."""

SLOW_S = 1.0
"""Maximum delay, in seconds, because of heavy markup; a long text may delay a paint more."""

MESSAGE_BYTES = 1_000
"""Bytes of the headers of one message."""


class Pace:
    """The time between two paints: the heavier the last paint, the longer.

    Args:
        clock: Returns seconds that never run backwards.
        share: Returns the number of answers that share the browser, this one included.
    """

    def __init__(self, clock: Callable[[], float], share: Callable[[], int]) -> None:
        self._clock = clock
        self._share = share
        self._next: float | None = None

    def due(self) -> float:
        """Return the seconds until the next paint."""
        return 0.0 if self._next is None else max(0.0, self._next - self._clock())

    def painted(self, chars: int, size: int) -> None:
        """Record a paint.

        Args:
            chars: Characters of the answer that the next such paint sends again.
            size: Bytes of their markup.
        """
        share = self._share()
        by_weight = min(SLOW_S, (MESSAGE_BYTES + size) / BYTES_PER_S)
        pace = max(share / PAINTS_PER_S, share * chars / CHARS_PER_S, by_weight)
        self._next = self._clock() + pace


class SharedPace:
    """Count the answers that stream, so that each is painted less often when there are more.

    All of them together are painted as often as a single one, so that none falls behind.
    """

    def __init__(self) -> None:
        self._streaming = 0

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Count one more answer while the block runs."""
        self._streaming += 1
        try:
            yield
        finally:
            self._streaming -= 1

    def share(self) -> int:
        """Return the number of answers that share the browser."""
        return max(1, self._streaming)


PACE = SharedPace()
"""The pace of this kernel's panels, on the background loop."""
