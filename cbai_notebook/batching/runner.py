"""Sends the requests of a batch, some at once, and stores each answer as soon as it is there.

A row is under way until its answer is stored. All answers of one turn of the event loop are handed to
the store together and are committed in one transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.answer_store import AnswerStore
from cbai_notebook.batching.outcome import Outcome, StoredAnswer
from cbai_notebook.batching.plan import Plan, Sink, Unit
from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.reporters import EVERY_S, Reporter
from cbai_notebook.batching.results import Place
from cbai_notebook.batching.row_errors import Alike, is_fatal, reason_of
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.errors import (
    AuthenticationError,
    CbaiError,
    HistoryError,
    StructuredAnswerError,
)
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.repeated import RepeatedRequest
    from cbai_notebook.client.structured.response_type import ResponseType

Put = Callable[[Sequence[tuple[Place, Outcome]]], None]

END_S = 0.2
"""Seconds that a stopped batch waits until its last answers are stored; they are stored in any case."""


@dataclass(frozen=True)
class Asking:
    """How the requests are sent.

    Args:
        begin: Returns what sends the requests, with the settings of this moment; called again when
            the key was refused.
        response: The type of the answers.
        lanes: The most rows at once.
        stop: Set when no more rows are to be sent: those that wait for a place are not.
    """

    begin: Callable[[list[Any]], Awaitable[RepeatedRequest]]
    response: ResponseType | None
    lanes: int
    stop: Stop


class Runner:
    """One run of a batch.

    Args:
        plan: The requests.
        asking: How they are sent.
        store: The stored answers.
        run: The number of the run in the store.
        put: Gets what became of rows, in groups.
        progress: The counts, which are updated.
        reporter: Shows them.
    """

    def __init__(
        self,
        plan: Plan,
        asking: Asking,
        store: AnswerStore,
        run: int,
        put: Put,
        progress: Progress,
        reporter: Reporter,
    ) -> None:
        self._plan = plan
        self._asking = asking
        self._store = store
        self._run = run
        self._put = put
        self._progress = progress
        self._reporter = reporter
        self._request: RepeatedRequest | None = None
        self._beginning = asyncio.Lock()
        self._generation = 0
        self._alike = Alike()
        self._answered: list[tuple[Unit, StoredAnswer, Any]] = []
        self._uncommitted = 0
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
        units = self._plan.units(
            self._run,
            Sink(missing=self._missing, failed=self._failed_row, known=self._known),
            self._asking.stop,
        )
        queue: asyncio.Queue[Unit | None] = asyncio.Queue(maxsize=self._asking.lanes)
        ticker = self._loop.create_task(self._tick())
        feeder = self._loop.create_task(self._feed(units, queue))
        lanes = [self._loop.create_task(self._lane(queue)) for _ in range(self._asking.lanes)]
        try:
            await _all_ended([feeder, *lanes])
            self._flush()
            while self._storing:
                await asyncio.wait(set(self._storing))
        except BaseException:
            for task in (feeder, *lanes):
                task.cancel()
            await asyncio.wait({feeder, *lanes})
            self._flush()
            if self._storing:
                await asyncio.wait(set(self._storing), timeout=END_S)
            raise
        finally:
            ticker.cancel()
            self._keep_limit()

    async def _feed(
        self, units: AsyncGenerator[Unit, None], queue: asyncio.Queue[Unit | None]
    ) -> None:
        try:
            async for unit in units:
                if self.stopped is not None:
                    break
                await queue.put(unit)
        except CbaiError as error:
            self.stop(error)  # those that are under way go on to their end
        finally:
            await units.aclose()
        for _ in range(self._asking.lanes):
            await queue.put(None)

    async def _lane(self, queue: asyncio.Queue[Unit | None]) -> None:
        """Send one request after the other."""
        while (unit := await queue.get()) is not None:
            # What a slow disk has not stored yet is lost with the process, and would be paid for again.
            while self._uncommitted > self._asking.lanes and self._storing:
                await asyncio.wait(self._storing, return_when=asyncio.FIRST_COMPLETED)
            if self.stopped is None:
                self._progress.running += 1
                try:
                    await self._ask(unit)
                finally:
                    self._progress.running -= 1

    async def _ask(self, unit: Unit) -> None:
        generation = self._generation
        try:
            request = await self._begun(unit, generation)
            answer = await request.answer(unit.messages)
        except AuthenticationError as error:
            if await self._has_new_key(unit, generation):
                await self._ask(unit)
            else:
                self._failed(unit, error)
        except CbaiError as error:
            self._failed(unit, error)
        except StoppedError:
            self._plan.end(unit)
        except Exception as error:  # noqa: BLE001 - a tool or a type of the user may raise anything
            message = say("batch.row_raised", error=type(error).__name__, reason=str(error))
            self._failed(unit, CbaiError(message))
        else:
            self._take(unit, answer)

    # The request

    async def _begun(self, unit: Unit, generation: int) -> RepeatedRequest:
        if self._request is None or self._generation != generation:
            async with self._beginning:
                if self._request is None:
                    self._request = await self._asking.begin(unit.messages)
                    limit = await asyncio.to_thread(self._store.limit, self._request.address)
                    if limit is not None:
                        self._request.gate.begin_with(limit)
        return self._request

    async def _has_new_key(self, unit: Unit, generation: int) -> bool:
        """Take the settings of this moment, once for all rows that were refused with the old key."""
        async with self._beginning:
            if self._generation != generation:
                return True
            old = self._request
            try:
                new = await self._asking.begin(unit.messages)
            except CbaiError:
                return False
            if old is None or new.has_key_of(old):
                return False
            self._request, self._generation = new, self._generation + 1
            return True

    def _keep_limit(self) -> None:
        request = self._request
        if request is not None and request.gate.proven is not None:
            self._store.keep_limit(request.address, request.gate.proven)

    # What became of rows

    def _take(self, unit: Unit, answer: Answer) -> None:
        stored = _stored(unit, answer)
        self._progress.sent += 1
        if problem := _problem(answer):
            self._failed(unit, CbaiError(problem), stored)
            return
        self._alike.succeeded()
        value = None if self._asking.response is None else plain(answer.parsed)
        if not self._answered:
            self._loop.call_soon(self._flush)
        self._answered.append((unit, stored, value))
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

    def _failed(self, unit: Unit, error: CbaiError, stored: StoredAnswer | None = None) -> None:
        if stored is None:
            self._progress.sent += error.status is not None or bool(error.partial)
            stored = _partial(unit, error) if error.partial else None
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
            self._asking.stop.set()

    def _missing(self, place: Place, name: str) -> None:
        self._progress.missing += 1
        self._put([(place, Outcome(error=say("batch.value_is_missing", name=name)))])

    def _failed_row(self, place: Place, reason: str) -> None:
        self._progress.fail(reason)
        self._put([(place, Outcome(error=reason))])

    def _known(self, places: Sequence[Place], stored: StoredAnswer) -> bool:
        value = None
        if (response := self._asking.response) is not None:
            try:
                value = plain(response.parse(stored.text, stored.finish_reason))
            except StructuredAnswerError:
                return False  # the type has other rules by now
        self._alike.succeeded()
        self._put([(place, Outcome(stored, value, known=True)) for place in places])
        self._progress.answered += len(places)
        self._progress.known += len(places)
        return True

    async def _tick(self) -> None:
        while True:
            self._reporter.show(self._progress)
            await asyncio.sleep(EVERY_S)


async def _all_ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until all tasks have ended, or one has failed; raise its error."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


def _stored(unit: Unit, answer: Answer) -> StoredAnswer:
    usage = answer.usage
    return StoredAnswer(
        key=unit.key,
        text=answer.text,
        model=answer.agent_id or answer.model,
        finish_reason=answer.finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        total_tokens=usage.total_tokens if usage else None,
        duration_s=answer.timing.duration_s,
        attempts=answer.timing.attempts,
        answered_at=time.time_ns() // 1000,
    )


def _partial(unit: Unit, error: CbaiError) -> StoredAnswer:
    """Return the text that had arrived; it is shown, and never stored as an answer."""
    now = time.time_ns() // 1000
    return StoredAnswer(unit.key, error.partial, None, None, None, None, None, None, 1, now)


def _problem(answer: Answer) -> str:
    """Return why an answer cannot be used: it was refused, filtered or cut."""
    ending = answer.ending
    return "" if ending is None else ending.note(len(answer.steps))


def plain(value: Any) -> Any:
    """Return a parsed answer as plain Python: dicts, lists, text and numbers."""
    import msgspec

    dump = getattr(value, "model_dump", None)  # pydantic
    if callable(dump):
        return dump(mode="json")
    return msgspec.to_builtins(value)
