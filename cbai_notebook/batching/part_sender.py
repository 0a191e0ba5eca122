"""Sends the rows of a batch to workers, in parts; what they have asked comes back row by row."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import pickle
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from cbai_notebook.batching.parts import Arrived, BatchSpec, Part, PartRow
from cbai_notebook.batching.plan import Unit
from cbai_notebook.batching.sending import Reply
from cbai_notebook.client.budget import Budget, Reservation
from cbai_notebook.client.loop_waiters import Stop, StoppedError, Waiter
from cbai_notebook.client.secret_values import known_secrets, texts_in
from cbai_notebook.errors import CbaiError, SecretRefusedError, UsageError
from cbai_notebook.i18n import listed, say

PARTS_OF_WORKER = 2
"""The parts that a worker has at once: the second one fills the lanes that the first one leaves."""

FEWEST_ROWS = 16
"""The fewest rows of a part, as long as there are so many."""

ROUNDS = 4
"""A part has so many rows for each request that its worker may send at once: fewer would cost much for
what they are, and with more a worker may have many at the end while others have none."""

GATHER_S = 0.02
"""Seconds that rows wait for others before they are a part."""

MOST_BYTES = 8_000_000
"""About the most bytes of a part: rows with images are large."""

MOST_TRIES = 3
"""So often a row is given to a worker, where the workers before have ended."""

LATE_S = 5.0
"""Seconds for which replies are waited for that are still on their way when their part has ended."""

_NOTHING = Reservation(())


class Worker(NamedTuple):
    """A worker: its name for the user and, where that is known, its process."""

    name: str
    process: str = ""


class WorkerLostError(Exception):
    """A worker ended before its part did; the text says why, if that is known."""


class Engine(Protocol):
    """Runs parts on workers.

    Attributes:
        most_rows: The most rows of a part.
    """

    most_rows: int

    @property
    def workers(self) -> Collection[Worker]:
        """The workers that there are at the moment."""

    def pack(self, spec: BatchSpec) -> BatchSpec | bytes:
        """Return what all parts begin with, as the workers get it.

        Raises:
            Exception: It cannot be pickled.
        """

    async def begin(self, name: str, spec: BatchSpec | bytes, driver: Driver) -> None:
        """Make sure that the workers can ask the rows of a batch.

        Raises:
            ConfigurationError: They cannot, or there is none.
        """

    async def run(self, part: Part) -> None:
        """Run a part, and return when it has ended.

        Raises:
            WorkerLostError: Its worker has ended; another one may take the rows.
            CbaiError: No worker can run it.
        """

    async def stop(self) -> None:
        """Let the workers send no more rows of the batch."""

    async def end(self) -> None:
        """Clean up; no part runs any more."""


@dataclass(frozen=True)
class Driver:
    """What an engine tells the driver; called on the driver's event loop.

    Attributes:
        arrived: Gets a pickled `Arrived`.
        changed: There are other workers.
        failed: Gets why no part can be run any more.
    """

    arrived: Callable[[bytes], None]
    changed: Callable[[], None]
    failed: Callable[[CbaiError], None]


@dataclass(eq=False)
class _Row:
    """A row on its way: its future gets the reply."""

    number: int
    unit: Unit
    reservation: Reservation
    future: asyncio.Future[Reply]
    tries: int = 0

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        contents = [each.get("content") for each in self.unit.messages]
        return sum(len(each) if type(each) is str else _size(each) for each in contents)

    def fail(self, error: CbaiError) -> None:
        if not self.future.done():
            self.future.set_result(Reply(error=error))

    def stop(self) -> None:
        if not self.future.done():
            self.future.set_exception(StoppedError())


def _size(content: Any) -> int:
    return sum(map(len, texts_in(content)))


class PartSender:
    """Sends requests by the workers of an engine.

    Args:
        engine: Runs the parts.
        spec: How the workers ask.
        budgets: What the requests may use; reserved here for each row before it is sent.
        body: The body of the requests without messages, for the budgets.
        secrets: All keys that are known, by their names: none may be in a task.
        stop: Set when no more rows are to be sent.
        concurrency: The most requests at once; each worker gets its share.
    """

    def __init__(
        self,
        engine: Engine,
        spec: BatchSpec,
        budgets: Sequence[Budget],
        body: Mapping[str, Any],
        secrets: Mapping[str, str],
        stop: Stop,
        concurrency: int,
    ) -> None:
        self._engine = engine
        self._spec = spec
        self._budgets = budgets
        self._limits = [each for each in budgets if each.is_limited]
        self._body = body
        self._secrets = secrets
        self._stop = stop
        self.concurrency = concurrency
        self.at_once = FEWEST_ROWS
        self._share = self._size = FEWEST_ROWS
        self._packed: BatchSpec | bytes = b""
        self._numbers = 0
        self._rows: dict[int, _Row] = {}
        self._waiting: deque[_Row] = deque()
        self._parts: dict[asyncio.Task[None], str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._failure: CbaiError | None = None

    async def begin(self) -> None:
        """Make sure that the workers can ask; nothing is sent.

        Raises:
            ConfigurationError: A tool or a type cannot be sent, or the workers cannot ask.
            SecretRefusedError: A tool holds a key.
        """
        self._packed = self._pack()
        driver = Driver(self._arrived, self._note_workers, self._fail)
        await self._engine.begin(self._spec.batch, self._packed, driver)
        self._note_workers()
        self._watching = asyncio.get_running_loop().create_task(self._stop_workers())

    async def send(self, unit: Unit) -> Reply:
        """Give one request to a worker, and return what became of it.

        Raises:
            StoppedError: It was not sent: the batch has stopped.
        """
        self._stop.check()
        if self._failure is not None:
            return Reply(error=self._failure)
        reservation = _NOTHING
        if self._limits:
            body = {**self._body, "messages": unit.messages}
            try:
                reservation = await Reservation.make(
                    self._limits, body, waits=True, stop=self._stop
                )
            except CbaiError as error:
                return Reply(error=error)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        row = _Row(self._numbers, unit, reservation, future)
        self._numbers += 1
        self._rows[row.number] = row
        self._waiting.append(row)
        self._fill()
        try:
            return await future
        finally:
            del self._rows[row.number]
            reservation.release()

    async def end(self) -> None:
        """Take back the parts that still run."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._parts, *filter(None, (self._watching,))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._engine.end()

    def _pack(self) -> BatchSpec | bytes:
        try:
            packed = self._engine.pack(self._spec)
        except CbaiError:
            raise
        except Exception as error:  # the object is the user's: it may raise anything
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(say("batch.cannot_be_pickled", reason=reason)) from error
        if isinstance(packed, bytes) and not self._spec.shares_key:
            known = known_secrets(self._secrets, os.environ)
            if names := known.names_in(packed.decode("latin-1")):
                raise SecretRefusedError(say("batch.task_holds_a_secret", names=listed(names)))
        return packed

    # Parts

    def _fill(self, *, late: bool = False) -> None:
        """Give the rows that wait to workers that have room.

        Args:
            late: Whether too few rows for a part have waited long enough for more.
        """
        while self._waiting:
            if len(self._waiting) < self._size and not late:
                if self._timer is None:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(GATHER_S, self._fill_late)
                return
            if not (workers := self._free_workers()):
                return
            count = max(FEWEST_ROWS, math.ceil(len(self._waiting) / len(workers)))
            if rows := self._take_rows(min(count, self._size)):
                task = asyncio.get_running_loop().create_task(self._run(workers[0], rows))
                self._parts[task] = workers[0].name
                task.add_done_callback(self._end_part)

    def _fill_late(self) -> None:
        self._timer = None
        self._fill(late=True)

    def _free_workers(self) -> list[Worker]:
        """Return the workers with the fewest parts, if they may get another one."""
        counts = Counter(self._parts.values())
        fewest = min((counts[each.name] for each in self._engine.workers), default=0)
        if fewest >= PARTS_OF_WORKER:
            return []
        return [each for each in self._engine.workers if counts[each.name] == fewest]

    def _take_rows(self, count: int) -> list[_Row]:
        """Return the rows of the next part."""
        rows: list[_Row] = []
        size = 0
        while self._waiting and len(rows) < count and size < MOST_BYTES:
            row = self._waiting.popleft()
            if not row.future.done():
                rows.append(row)
                size += row.size
        return rows

    async def _run(self, worker: Worker, rows: list[_Row]) -> None:
        """Run one part to its end; rows that it has left are given to another worker."""
        share = self._share  # may change meanwhile
        sent = [PartRow(row.number, row.unit.key, row.unit.messages) for row in rows]
        part = Part(self._spec.batch, self._packed, worker.name, worker.process, share, sent)
        reason = ""
        try:
            await self._engine.run(part)
        except CbaiError as error:
            self._fail(error)
        except WorkerLostError as error:
            reason = str(error)
            self._count_lost(rows, share)
        else:
            await self._late(rows)
        for row in reversed(rows):
            if not row.future.done():
                self._again(row, reason)

    def _end_part(self, task: asyncio.Task[None]) -> None:
        del self._parts[task]
        if not task.cancelled():
            task.result()
        self._fill()

    async def _late(self, rows: Sequence[_Row]) -> None:
        """Wait for replies that are still on their way."""
        if left := [row.future for row in rows if not row.future.done()]:
            await asyncio.wait(left, timeout=LATE_S)

    def _count_lost(self, rows: Sequence[_Row], share: int) -> None:
        """Count what a worker that has ended may have used for the rows that it was asking."""
        for row in [row for row in rows if not row.future.done()][:share]:
            row.reservation.count()

    def _again(self, row: _Row, reason: str) -> None:
        row.tries += 1
        if self._stop.is_set:
            row.stop()
        elif row.tries >= MOST_TRIES:
            row.fail(CbaiError(say("batch.worker_ended", n=row.tries, reason=reason)))
        else:
            self._waiting.appendleft(row)

    # What the engine tells

    def _note_workers(self) -> None:
        count = len(self._engine.workers)
        self._share = max(1, self.concurrency // max(1, count))
        self._size = min(max(FEWEST_ROWS, ROUNDS * self._share), self._engine.most_rows)
        # The rows of all parts that the workers may have, and of the next part.
        self.at_once = self._size * (PARTS_OF_WORKER * count + 1)
        self._fill()

    def _arrived(self, message: bytes) -> None:
        # As trustworthy as a result of the library, which is pickled too.
        arrived: Arrived = pickle.loads(message)
        if arrived.batch != self._spec.batch:
            return
        for budget in self._budgets:
            budget.spend(str(self._body.get("model")), arrived.used)
        for number, reply in arrived.replies:
            row = self._rows.get(number)
            if row is None or row.future.done():
                continue  # of a worker that was taken for lost
            if reply is None:
                row.stop()
            else:
                row.future.set_result(reply)

    def _fail(self, error: CbaiError) -> None:
        self._failure = error
        for row in self._rows.values():
            row.fail(error)

    async def _stop_workers(self) -> None:
        """Wait until the batch stops; let the workers stop too, and the rows that wait."""
        with contextlib.suppress(StoppedError):
            await Waiter().wait(self._stop)
        for row in self._waiting:
            row.stop()
        self._waiting.clear()
        await self._engine.stop()
