"""How many answers stream in panels at once: one browser paints them all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


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
