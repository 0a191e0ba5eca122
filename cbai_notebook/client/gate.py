"""The gate: how many requests to one server may run at once, learned from its refusals.

There is one gate for each address and key in the process. The rows of batches wait in front of it;
a prompt of a cell or a panel goes first, and waits only while rows fill all places that the server is
known to have.

The gate begins with `FIRST` places and gets one more for each success. After the first refusal (HTTP
429) the number only follows what the server allows: a refusal because too many requests run sets it
to the number that really runs, any other one cuts it to `CUT`, at most once for all requests that ran
at the same time. After some rounds without a refusal it tries one more.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from cbai_notebook.client.loop_waiters import Stop, Waiter, Waiters
from cbai_notebook.client.retry import LONGEST_RETRY_AFTER_S
from cbai_notebook.errors import (
    CbaiError,
    ConcurrencyLimitError,
    QuotaExceededError,
    RateLimitError,
)
from cbai_notebook.forks import fork_safe_lock

FIRST = 4
"""Requests that may run at once before anything is known of the server."""

CUT = 0.7
"""What is left of the places after a refusal that names no number."""

CLEAN_ROUNDS = 4
MOST_CLEAN_ROUNDS = 32
"""Rounds without a refusal before one more place is tried; doubled each time that it is refused."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""Seconds without new rows after a refusal; doubled while nothing else comes back."""

MOST_REFUSED_ROUNDS = 12
"""Rounds of refusals without a single answer, which take more than a minute, before rows give up."""


class Slot:
    """The place of one request.

    Args:
        gate: The gate.
        number: The number of the place, from 0: the smallest that was free.
        rows: Whether it is a request of a batch.
        round: The round of the gate in which the request was let in.
    """

    __slots__ = ("_gate", "_left", "number", "round", "rows")

    def __init__(self, gate: Gate, number: int, rows: bool, round: int) -> None:
        self._gate = gate
        self._left = False
        self.number = number
        self.rows = rows
        self.round = round

    def leave(self, error: BaseException | None = None, *, answered: bool = True) -> None:
        """Give the place back; the gate learns from how the request ended.

        Args:
            error: Why there was no answer.
            answered: Whether there was one, if there is no error; false for one that was cancelled.
        """
        if not self._left:
            self._left = True
            self._gate._leave(self, error, answered=answered and error is None)


class Gate:
    """The places for requests to one server; used from any thread and event loop.

    Args:
        most: The most requests of rows at once that the server can use; None if that is not known.
        clock: Returns the time in seconds.
        first_pause_s: The seconds of the first pause without new rows.
        longest_pause_s: The seconds of the longest one, where the server names no time.

    Attributes:
        limit: How many requests may run at once.
        found: Whether a refusal has shown the limit.
        proven: The last limit that the server has named by a refusal, or has allowed for some
            rounds; None before that. What a storm of refusals has left proves nothing.
        refusals: How many requests were refused.
    """

    def __init__(
        self,
        most: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self.limit = min(FIRST, most or FIRST)
        self.found = False
        self.proven: int | None = None
        self.refusals = 0
        self._most = most
        self._clock = clock
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        # The garbage collector may end a request while this thread holds the lock.
        self._lock = threading.RLock()
        self._free: list[int] = []
        self._running = 0
        self._running_rows = 0
        self._prompts, self._rows = Waiters(), Waiters()
        self._admitted: dict[Waiter, Slot] = {}
        self._opens_at = 0.0
        self._timer_at = 0.0
        self._timer_loop: asyncio.AbstractEventLoop
        self._round = 0
        self._refused_rounds = 0
        self._clean = 0
        self._clean_rounds = CLEAN_ROUNDS
        self._tries_more = False

    def begin_with(self, limit: int) -> None:
        """Begin with a limit that an earlier process has found, if this one has found none."""
        with self._lock:
            if not self.found and not self.refusals:
                self._set_limit(limit)
                self.found, self.proven = True, self.limit

    async def enter(self, *, rows: bool = False, stop: Stop | None = None) -> Slot:
        """Wait for a place.

        Args:
            rows: Whether it is a request of a batch, which lets prompts go first.
            stop: Ends the wait of the batch.

        Raises:
            StoppedError: The batch was stopped before there was a place.
        """
        with self._lock:
            if self._has_room(rows):
                return self._take(rows)
            waiters = self._rows if rows else self._prompts
            waiter = waiters.add()
            self._open_later()
        try:
            await waiter.wait(stop)
        except BaseException:
            with self._lock:
                waiters.remove(waiter)
                admitted = self._admitted.pop(waiter, None)
                self._open_later()
            if admitted is not None:
                admitted.leave(answered=False)
            raise
        with self._lock:
            return self._admitted.pop(waiter)

    def waits_for(self, error: BaseException) -> bool:
        """Return whether a row that was refused with this error should come again.

        It should not where waiting does not help, where the server wants a longer wait than a user
        has patience for, or where the server has refused everything for more than a minute.
        """
        if not isinstance(error, RateLimitError) or isinstance(error, QuotaExceededError):
            return False
        if error.answer_began or (error.retry_after or 0.0) > LONGEST_RETRY_AFTER_S:
            return False
        return self._refused_rounds < MOST_REFUSED_ROUNDS

    def _has_room(self, rows: bool) -> bool:
        if rows:
            is_open = self._clock() >= self._opens_at and not self._prompts
            return is_open and self._running < self.limit
        return not (self.found and self._running_rows and self._running >= self.limit)

    def _take(self, rows: bool) -> Slot:
        number = heapq.heappop(self._free) if self._free else self._running
        self._running += 1
        self._running_rows += rows
        return Slot(self, number, rows, self._round)

    def _give_back(self, slot: Slot) -> None:
        self._running -= 1
        self._running_rows -= slot.rows
        heapq.heappush(self._free, slot.number)

    def _open(self) -> None:
        with self._lock:
            self._timer_at = 0.0
            self._let_in()

    def _open_later(self) -> None:
        """Open when the pause ends, on the event loop of a row that waits; the lock is held."""
        while self._rows and self._opens_at > self._clock():
            loop = self._rows.first.loop
            is_set = self._timer_at == self._opens_at and self._timer_loop is loop
            if is_set and not loop.is_closed():
                return  # a timer on another loop would not count: that loop may have stopped
            with contextlib.suppress(RuntimeError):  # the loop is closed
                pause = self._opens_at - self._clock()
                loop.call_soon_threadsafe(loop.call_later, pause, self._open)
                self._timer_at, self._timer_loop = self._opens_at, loop
                return
            self._rows.remove(self._rows.first)

    def _let_in(self) -> None:
        """Let in those that wait, as far as there is room; the lock is held."""
        for waiters, rows in ((self._prompts, False), (self._rows, True)):
            while waiters and self._has_room(rows):
                waiter = waiters.next()
                self._admitted[waiter] = self._take(rows)
                if not waiter.wake():
                    self._give_back(self._admitted.pop(waiter))
        self._open_later()

    def _leave(self, slot: Slot, error: BaseException | None, *, answered: bool) -> None:
        with self._lock:
            self._give_back(slot)
            if answered:
                self._succeeded()
            elif isinstance(error, RateLimitError) and not isinstance(error, QuotaExceededError):
                self._refused(slot, error)
            self._let_in()

    def _succeeded(self) -> None:
        self._refused_rounds = 0
        if self._running + 1 < self.limit:
            return  # there was room for more, so nothing is known of it
        if not self.found:
            self._set_limit(self.limit + 1)
            return
        self._clean += 1
        if self._clean >= self._clean_rounds * self.limit:
            if self._tries_more:  # the last try went well
                self._clean_rounds = CLEAN_ROUNDS
            self._clean, self._tries_more = 0, True
            self.proven = self.limit
            self._set_limit(self.limit + 1)

    def _refused(self, slot: Slot, error: CbaiError) -> None:
        self.refusals += 1
        is_first = slot.round == self._round
        if isinstance(error, ConcurrencyLimitError):
            # Each refusal of a round says more: only those that are left may be running.
            self._set_limit(min(self.limit, self._running))
            self.proven = self.limit
        elif is_first:
            self._set_limit(int(self.limit * CUT))
        self.found = True
        if not is_first:
            return
        self._round += 1
        now = self._clock()
        if now > self._opens_at + LONGEST_RETRY_AFTER_S:
            self._refused_rounds = 0  # what was refused then says nothing about now
        self._refused_rounds += 1
        if self._tries_more:
            self._clean_rounds = min(2 * self._clean_rounds, MOST_CLEAN_ROUNDS)
        self._clean, self._tries_more = 0, False
        self._opens_at = max(self._opens_at, now + self._pause(error))

    def _pause(self, error: CbaiError) -> float:
        rounds, asked = self._refused_rounds - 1, error.retry_after
        if asked is not None and asked > LONGEST_RETRY_AFTER_S:
            asked = None  # rows do not wait for it, and the next batch is told so by the server
        if asked is not None or isinstance(error, ConcurrencyLimitError):
            # The server names a time, or the requests that run make room; rows wait longer only where
            # that was refused too.
            rounds -= 1
        backoff = self._first_pause_s * 2.0**rounds if rounds >= 0 else 0.0
        return max(asked or 0.0, min(backoff, self._longest_pause_s))

    def _set_limit(self, limit: int) -> None:
        self.limit = max(1, min(limit, self._most or limit))


_gates: dict[tuple[int, str, str, str], Gate] = {}
_lock = fork_safe_lock(sys.modules[__name__])


def gate_of(url: str, api_key: str = "", most: int | None = None) -> Gate:
    """Return the gate of an address and a key.

    Args:
        url: The URL of a request.
        api_key: The key of the request.
        most: The most requests of rows at once that the server can use, for a new gate.
    """
    parts = urlsplit(url)
    # A forked child has none of the requests of its parent.
    key = os.getpid(), parts.scheme, parts.netloc, api_key
    with _lock:
        if key not in _gates:
            _gates[key] = Gate(most)
        return _gates[key]
