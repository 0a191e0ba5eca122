"""How often an answer may be painted, so that the browser keeps up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

PAINTS_PER_S = 12
"""Paints in a second, at most."""

CHARS_PER_S = 20_000
"""Characters of the answer that a second of repainting covers, at most; browsers keep up with that."""

BYTES_PER_S = 18_500
"""Bytes that a second of repainting sends, where that does not make the pace slower than the next."""

SLOW_S = 1.0
"""Seconds between two paints that no mark-up, however heavy, makes longer; only the text's length does."""

MESSAGE_BYTES = 1_000
"""What the headers of one message weigh."""


class Pace:
    """The time between two paints: the more the last one weighed, the longer.

    Args:
        clock: Returns seconds that never run backwards.
        share: Returns among how many answers the browser's time is divided, this one included.
    """

    def __init__(self, clock: Callable[[], float], share: Callable[[], int]) -> None:
        self._clock = clock
        self._share = share
        self._next: float | None = None

    def due(self) -> float:
        """Return the seconds until the next paint."""
        return 0.0 if self._next is None else max(0.0, self._next - self._clock())

    def painted(self, chars: int, size: int) -> None:
        """Note that there was a paint.

        Args:
            chars: Characters of the answer that the next one like it paints again.
            size: Bytes of their markup.
        """
        share = self._share()
        by_weight = min(SLOW_S, (MESSAGE_BYTES + size) / BYTES_PER_S)
        pace = max(share / PAINTS_PER_S, share * chars / CHARS_PER_S, by_weight)
        self._next = self._clock() + pace


class SharedPace:
    """Counts the answers that stream, so that each is painted the less often the more there are.

    All together are then painted as often as one alone, and none falls behind.
    """

    def __init__(self) -> None:
        self._streaming = 0

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Count one more answer for as long as the block runs."""
        self._streaming += 1
        try:
            yield
        finally:
            self._streaming -= 1

    def share(self) -> int:
        """Return among how many answers the browser's time is divided."""
        return max(1, self._streaming)


PACE = SharedPace()
"""The pace of this kernel's panels, on the background loop."""
