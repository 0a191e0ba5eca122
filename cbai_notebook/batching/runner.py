"""Sends the requests of a batch, some at once, and stores each answer as soon as it is there.

A row is under way until its answer is stored. All answers of one turn of the event loop are handed to
the store together and are committed in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.lanes import Lanes
from cbai_notebook.batching.outcome import Outcome, StoredAnswer
from cbai_notebook.batching.plan import Plan, Sink, Unit
from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.reporters import EVERY_S, Reporter
from cbai_notebook.batching.results import Place
from cbai_notebook.batching.row_errors import Alike, is_fatal, reason_of
from cbai_notebook.batching.sending import Reply, Sender, plain
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.errors import CbaiError, HistoryError, StructuredAnswerError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.structured.response_type import ResponseType

Put = Callable[[Sequence[tuple[Place, Outcome]]], None]

END_S = 0.2
"""Seconds that a stopped batch waits until its last answers are stored; they are stored in any case."""


class Runner:
    """One run of a batch.

    Args:
        plan: The requests.
        sender: Sends them.
        response: The type of the answers.
        stop: Set when no more rows are to be sent: those that wait for a place are not.
        store: The stored answers.
        run: The number of the run in the store.
        put: Gets what became of rows, in groups.
        progress: The counts, which are updated.
        reporter: Shows them.
    """

    def __init__(
        self,
        plan: Plan,
        sender: Sender,
        response: ResponseType | None,
        stop: Stop,
        store: AnswerStore,
        run: int,
        put: Put,
        progress: Progress,
        reporter: Reporter,
    ) -> None:
        self._plan = plan
        self._sender = sender
        self._response = response
        self._stop = stop
        self._store = store
        self._run = run
        self._put = put
        self._progress = progress
        self._reporter = reporter
        self._alike = Alike()
        self._answered: list[tuple[Unit, StoredAnswer, Any]] = []
        self._uncommitted = 0
        self._has_place = asyncio.Event()
        self._given = 0  # to the sender
        self._storing: set[asyncio.Future[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.stopped: CbaiError | None = None
        self.reason = ""

    async def run(self) -> None:
        """Send all requests; return when every row has come to its end, or no more can be sent.

        Raises:
            asyncio.CancelledError: It was cancelled. What had arrived is stored.
            CbaiError: The rows cannot be read, or the first request is not valid.
        """
        await self._sender.begin()
        lanes = Lanes(self._send, lambda: self._sender.at_once)
        ticker = self._loop.create_task(self._tick())
        try:
            await self._feed(lanes)
            await lanes.join()
            self._flush()
            while self._storing:
                await asyncio.wait(set(self._storing))
        except BaseException:
            await lanes.cancel()
            self._flush()
            if self._storing:
                await asyncio.wait(set(self._storing), timeout=END_S)
            raise
        finally:
            ticker.cancel()
            await self._sender.end()

    async def _feed(self, lanes: Lanes[Unit]) -> None:
        sink = Sink(missing=self._missing, failed=self._failed_row, known=self._known)
        units = self._plan.units(self._run, sink, self._stop)
        try:
            async for unit in units:
                if self.stopped is not None:
                    break
                await lanes.put(unit)
        except CbaiError as error:
            self.stop(error)  # those that are under way go on to their end
        except Exception:
            # The rows are the user's and raise anything; those that are under way are paid for.
            await lanes.join()
            raise
        finally:
            await units.aclose()

    async def _send(self, unit: Unit) -> None:
        # An answer that is not stored yet is lost with the process, and would be paid for again: it
        # keeps its place.
        while self._uncommitted and self._given + self._uncommitted >= self._sender.at_once:
            self._has_place.clear()
            await self._has_place.wait()
        if self.stopped is not None:
            return
        self._count_running(1)
        try:
            reply = await self._sender.send(unit)
        except StoppedError:
            self._plan.end(unit)
        else:
            self._take(unit, reply)
        finally:
            self._count_running(-1)

    def _count_running(self, more: int) -> None:
        self._given += more
        self._progress.running = min(self._given, self._sender.concurrency)

    # What became of rows

    def _take(self, unit: Unit, reply: Reply) -> None:
        if reply.answer is not None or (reply.error is not None and reply.error.status is not None):
            self._progress.sent += 1
        if reply.error is not None:
            self._failed(unit, reply.error, reply.answer)
            return
        assert reply.answer is not None
        self._alike.succeeded()
        if not self._answered:
            self._loop.call_soon(self._flush)
        self._answered.append((unit, reply.answer, reply.value))
        self._uncommitted += 1

    def _flush(self) -> None:
        """Hand the answers of this turn of the event loop to the store."""
        answered, self._answered = self._answered, []
        if not answered:
            return
        done: asyncio.Future[None] = self._loop.create_future()
        self._storing.add(done)

        def committed(error: HistoryError | None) -> None:
            self._loop.call_soon_threadsafe(self._committed, answered, error, done)

        self._store.request_add([stored for _, stored, _ in answered], self._run, committed)

    def _committed(
        self,
        answered: list[tuple[Unit, StoredAnswer, Any]],
        error: HistoryError | None,
        done: asyncio.Future[None],
    ) -> None:
        found: list[tuple[Place, Outcome]] = []
        self._uncommitted -= len(answered)
        self._has_place.set()
        for unit, stored, value in answered:
            first, *equal = self._plan.end(unit)
            found.append((first, Outcome(stored, value)))
            found += ((place, Outcome(stored, value, known=True)) for place in equal)
            self._progress.answered += 1 + len(equal)
            self._progress.known += len(equal)
        self._put(found)
        if error is not None:
            # The answers are in the frame, but would be paid for again.
            self.stop(error)
        self._storing.discard(done)
        if not done.done():
            done.set_result(None)

    def _failed(self, unit: Unit, error: CbaiError, stored: StoredAnswer | None) -> None:
        reason = reason_of(error)
        places = self._plan.end(unit, reason)
        self._put([(place, Outcome(stored, None, reason)) for place in places])
        if is_fatal(error):
            self._progress.failed += len(places)  # for no reason of their own
            self.stop(error)
            return
        self._progress.fail(error.message, len(places))
        if self._alike.failed(error):
            self.stop(error, alike=True)

    def stop(self, error: CbaiError, *, alike: bool = False) -> None:
        """Send no more rows; those that are under way go on to their end."""
        if self.stopped is None:
            self.stopped = error
            self.reason = reason_of(error)
            if alike:
                self.reason = say("batch.all_alike", reason=self.reason)
            self._stop.set()

    def _missing(self, place: Place, name: str) -> None:
        self._progress.missing += 1
        self._put([(place, Outcome(error=say("batch.value_is_missing", name=name)))])

    def _failed_row(self, place: Place, reason: str) -> None:
        self._progress.fail(reason)
        self._put([(place, Outcome(error=reason))])

    def _known(self, answered: Sequence[tuple[Unit, StoredAnswer]]) -> list[bool]:
        found: list[tuple[Place, Outcome]] = []
        fits = []
        for unit, stored in answered:
            value = None
            if (response := self._response) is not None:
                try:
                    value = plain(response.parse(stored.text, stored.finish_reason))
                except StructuredAnswerError:
                    fits.append(False)  # the type has other rules by now
                    continue
            outcome = Outcome(stored, value, known=True)
            found += [(place, outcome) for place in unit.places]
            fits.append(True)
        if found:
            self._alike.succeeded()
            self._put(found)
            self._progress.answered += len(found)
            self._progress.known += len(found)
        return fits

    async def _tick(self) -> None:
        while True:
            self._reporter.show(self._progress)
            await asyncio.sleep(EVERY_S)
