"""How fast answers are painted when several stream at once: one browser paints them all."""

from __future__ import annotations

import time
from collections.abc import Callable


class SharedPace:
    """A clock for each answer that streams, which runs slower the more of them there are.

    A screen paints at most so often a second of its clock. With clocks that share the second, all
    answers together are painted as often as one alone, and none falls behind.

    Args:
        clock: Returns seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._streaming = 0

    def start(self) -> Callable[[], float]:
        """Count one more answer; return its clock."""
        self._streaming += 1
        last = now = self._clock()

        def share() -> float:
            nonlocal last, now
            real = self._clock()
            now += (real - last) / max(1, self._streaming)
            last = real
            return now

        return share

    def stop(self) -> None:
        """Count one answer less."""
        self._streaming -= 1


PACE = SharedPace()
"""The pace of this kernel's panels, on the background loop."""
