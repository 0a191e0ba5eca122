"""The limits of a gateway: answers at once, answers a second, and times at which it refuses all."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from tests.gateway.errors import Error
from tests.gateway.scenario import Scenario

if TYPE_CHECKING:
    from tests.gateway.rows import Tally

TOO_MANY_AT_ONCE = Error("EXCEED_CONCURRENT_REQUEST_LIMIT")
TOO_MANY_A_SECOND = Error(
    "rate_limit_exceeded", status=429, message="Too many requests a second.", upstream=True
)


@dataclass(frozen=True)
class Rate:
    """A limit of the answers a second: a bucket that fills at this rate, and is full at first.

    Args:
        per_second: Answers a second.
        burst: The size of the bucket: answers at once after a quiet time.
        retry_after: The ``Retry-After`` of a refusal: ``"seconds"`` or ``"date"`` until the next
            answer, any other text as it is (``"0"``, ``"3600"``), or None for no header.
    """

    per_second: float
    burst: float = 1
    retry_after: str | None = None

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Parse ``PER_SECOND[:BURST[:RETRY_AFTER]]``.

        Raises:
            ValueError: It is not of that form.
        """
        per_second, *rest = text.split(":", 2)
        burst = float(rest[0]) if rest else 1
        return cls(float(per_second), burst, rest[1] if len(rest) > 1 else None)


class Bucket:
    """The answers that a rate allows; times are seconds of any clock."""

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._level = rate.burst
        self._at = now

    def take(self, now: float) -> float:
        """Take one answer.

        Returns:
            0 if there was one, else the seconds until there is one.
        """
        rate = self.rate
        self._level = min(rate.burst, self._level + (now - self._at) * rate.per_second)
        self._at = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / rate.per_second


def http_date(seconds: float) -> str:
    """Return the date so many seconds from now, as a ``Retry-After`` header has it."""
    return formatdate(math.ceil(time.time() + seconds), usegmt=True)


class Limits:
    """Decides which requests are refused before anything else is read of them.

    Args:
        concurrency: The most answers at once; None is no limit. It may be changed at any time.
        rate: The most answers a second; None is no limit.
    """

    def __init__(self, concurrency: int | None, rate: Rate | None) -> None:
        self.concurrency = concurrency
        self._bucket: Bucket | None = None
        self._storm: tuple[float, Scenario] | None = None
        self.rate = rate

    @property
    def rate(self) -> Rate | None:
        """Return the most answers a second; setting it begins with a full bucket."""
        return None if self._bucket is None else self._bucket.rate

    @rate.setter
    def rate(self, rate: Rate | None) -> None:
        self._bucket = None if rate is None else Bucket(rate, time.monotonic())

    def storm(self, refusal: Scenario, seconds: float) -> None:
        """Refuse every request for so many seconds from now."""
        self._storm = (time.monotonic() + seconds, refusal)

    def calm(self) -> None:
        """End the storm."""
        self._storm = None

    def refusal(self, tally: Tally) -> Scenario | None:
        """Return the answer that refuses a request which comes now, or None to accept it."""
        now = time.monotonic()
        # A local name: another thread may end the storm in between.
        storm, bucket = self._storm, self._bucket
        if storm is not None and now < storm[0]:
            return storm[1]
        if self.concurrency is not None and tally.running >= self.concurrency:
            return Scenario(error=TOO_MANY_AT_ONCE)
        wait = 0.0 if bucket is None else bucket.take(now)
        if not wait or bucket is None:
            return None
        after = bucket.rate.retry_after
        if after is None:
            return Scenario(error=TOO_MANY_A_SECOND)
        # A header has whole seconds; a smaller number would be too soon.
        known = {"seconds": str(math.ceil(wait)), "date": http_date(wait)}
        return Scenario(
            error=TOO_MANY_A_SECOND, headers=(("Retry-After", known.get(after, after)),)
        )
