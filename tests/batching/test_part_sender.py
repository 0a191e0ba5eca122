"""Parts of rows on workers that a test plays: which rows each gets, and what is left when one ends."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest

from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.part_sender import (
    FEWEST_ROWS,
    MOST_TRIES,
    PARTS_OF_WORKER,
    Driver,
    PartSender,
    Worker,
    WorkerLostError,
)
from cbai_notebook.batching.parts import Arrived, BatchSpec, Part
from cbai_notebook.batching.plan import Unit
from cbai_notebook.batching.sending import Reply
from cbai_notebook.client.budget import Budget, Spending, Used, tokens_of
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.client.model import Model
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import BudgetError, CbaiError, ConfigurationError, SecretRefusedError
from tests.batching.answers import answer
from tests.virtual_time import run_in_virtual_time

NOTHING = Used()
KEY = "sk-0123456789abcdef"


class PlayedEngine:
    """An engine whose workers do what a test says.

    Attributes:
        parts: The parts that were given to workers, in order.
        stopped: Whether the workers were told to stop.
    """

    most_rows = 64

    def __init__(self, *workers: str) -> None:
        self.workers: Sequence[Worker] = [Worker(name, f"process of {name}") for name in workers]
        self.parts: list[Part] = []
        self.stopped = False
        self._ended: dict[int, asyncio.Future[None]] = {}
        self.driver: Driver

    def pack(self, spec: BatchSpec) -> bytes:
        return pickle.dumps(spec)

    async def begin(self, name: str, spec: BatchSpec | bytes, driver: Driver) -> None:
        self.driver = driver

    async def run(self, part: Part) -> None:
        self.parts.append(part)
        self._ended[id(part)] = asyncio.get_running_loop().create_future()
        await self._ended[id(part)]

    async def stop(self) -> None:
        self.stopped = True

    async def end(self) -> None:
        pass

    def reply(
        self,
        part: Part,
        places: Iterable[int] | None = None,
        used: Used = NOTHING,
        error: Any = None,
    ) -> None:
        """Report the replies to some rows of a part, by default to all."""
        rows = [part.rows[at] for at in (range(len(part.rows)) if places is None else places)]
        replies = [(row.number, Reply(_answer(row.messages), error=error)) for row in rows]
        self.driver.arrived(pickle.dumps(Arrived(part.batch, replies, used)))

    def leave_out(self, part: Part, places: Iterable[int]) -> None:
        """Report that rows were not sent."""
        replies = [(part.rows[at].number, None) for at in places]
        self.driver.arrived(pickle.dumps(Arrived(part.batch, replies, Used())))

    def end_part(self, part: Part, error: Exception | None = None) -> None:
        """End a part."""
        ended = self._ended[id(part)]
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)


def _answer(messages: list[Any]) -> StoredAnswer:
    return answer(0, text=messages[-1]["content"].upper())


def unit(number: int) -> Unit:
    return Unit(bytes(16), [{"role": "user", "content": f"row-{number}"}])


def spec(**changes: Any) -> BatchSpec:
    fields: dict[str, Any] = {
        "model": Model("cloudbase"),
        "params": {"model": "hy3"},
        "settings": Settings(env_id="env"),
        "has_key": True,
        "shares_key": False,
        "is_limited": False,
        **changes,
    }
    return BatchSpec(**fields)


class Sending:
    """A part sender at work, and the replies to its rows."""

    def __init__(self, engine: PlayedEngine, **changes: Any) -> None:
        self.engine = engine
        self.stop = Stop()
        fields: dict[str, Any] = {
            "spec": spec(),
            "budgets": (),
            "body": {"model": "hy3"},
            "secrets": {"the key": KEY},
            "stop": self.stop,
            "concurrency": 8,
            **changes,
        }
        self.sender = PartSender(engine, **fields)
        self.sent: list[asyncio.Task[Reply]] = []

    async def send(self, count: int) -> None:
        """Begin, and send rows until they have all been given to workers that have room."""
        if not self.sent:
            await self.sender.begin()
        first = len(self.sent)
        self.sent += [
            asyncio.ensure_future(self.sender.send(unit(number)))
            for number in range(first, first + count)
        ]
        await asyncio.sleep(1)

    async def texts(self) -> list[str | None]:
        """Return the texts of all replies."""
        replies = await asyncio.gather(*self.sent)
        return [reply.answer and reply.answer.text for reply in replies]

    def sizes(self) -> list[tuple[str, int]]:
        """Return for each part its worker and the number of its rows."""
        return [(part.worker, len(part.rows)) for part in self.engine.parts]


def play(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test whose waiting takes no time."""
    run_in_virtual_time(test())


def test_each_worker_has_at_most_two_parts_and_its_share_of_the_requests() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a", "b"))
        await sending.send(400)
        assert [worker for worker, _ in sending.sizes()] == ["a", "b", "a", "b"]
        assert all(FEWEST_ROWS <= size <= engine.most_rows for _, size in sending.sizes())
        assert {(part.share, part.process[-1] == part.worker) for part in engine.parts} == {
            (4, True)
        }
        assert sending.sender.at_once == 16 * (2 * PARTS_OF_WORKER + 1)
        for _ in range(20):
            for part in [*engine.parts]:
                engine.parts.remove(part)
                engine.reply(part)
                engine.end_part(part)
            await asyncio.sleep(1)
        assert await sending.texts() == [f"ROW-{number}" for number in range(400)]

    play(test)


def test_few_rows_are_shared_by_the_workers() -> None:
    async def test() -> None:
        sending = Sending(PlayedEngine("a", "b", "c"), concurrency=24)
        await sending.send(60)
        assert [worker for worker, _ in sending.sizes()] == ["a", "b", "c"]
        assert sum(size for _, size in sending.sizes()) == 60
        await sending.send(3)
        assert sending.sizes()[3:] == [("a", 3)], "a moment later, however few there are"

    play(test)


@pytest.mark.parametrize(
    ("concurrency", "share", "size"), [(1, 1, 16), (10, 5, 20), (32, 16, 64), (500, 250, 64)]
)
def test_a_part_keeps_its_worker_busy_for_a_while(concurrency: int, share: int, size: int) -> None:
    async def test() -> None:
        sending = Sending(PlayedEngine("a", "b"), concurrency=concurrency)
        await sending.send(1000)
        assert {part.share for part in sending.engine.parts} == {share}
        assert max(each for _, each in sending.sizes()) == size

    play(test)


def test_rows_with_large_messages_are_in_smaller_parts() -> None:
    async def test() -> None:
        sending = Sending(PlayedEngine("a"))
        await sending.sender.begin()
        image = {
            "type": "image_url",
            "image_url": {"url": "data:image/png;base64," + "A" * 3_000_000},
        }
        large = Unit(bytes(16), [{"role": "user", "content": [image]}])
        for _ in range(8):
            sending.sent.append(asyncio.ensure_future(sending.sender.send(large)))
        await asyncio.sleep(1)
        assert sending.sizes() == [("a", 3), ("a", 3)]

    play(test)


def test_only_the_rows_without_a_reply_of_a_worker_that_ended_go_to_another_one() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a", "b"))
        await sending.send(32)
        first, second = engine.parts
        engine.reply(first, range(10))
        engine.workers = engine.workers[1:]
        engine.driver.changed()
        engine.end_part(first, WorkerLostError("killed"))
        await asyncio.sleep(1)
        (again,) = engine.parts[2:]
        assert again.worker == "b"
        assert [row.number for row in again.rows] == [row.number for row in first.rows[10:]]
        assert again.share == 8, "the only worker has all of it"
        # What was on its way when the worker ended comes late, and counts.
        engine.reply(first, [10])
        engine.reply(again)
        engine.reply(second)
        assert await sending.texts() == [f"ROW-{number}" for number in range(32)]

    play(test)


def test_a_row_whose_workers_all_end_has_an_error_that_says_so() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"))
        await sending.send(2)
        for tried in range(MOST_TRIES):
            part = engine.parts[tried]
            engine.reply(part, [1] if tried == 0 else [])
            engine.end_part(part, WorkerLostError("Out of memory."))
            await asyncio.sleep(1)
        assert len(engine.parts) == MOST_TRIES
        replies = await asyncio.gather(*sending.sent)
        assert replies[1].error is None
        assert str(replies[0].error) == (
            "The row was given to 3 workers, and each ended or failed before it was answered. Out of "
            "memory."
        )

    play(test)


def test_replies_may_come_later_than_the_end_of_their_part() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"))
        await sending.send(3)
        (part,) = engine.parts
        engine.end_part(part)
        await asyncio.sleep(1)
        engine.reply(part)
        assert await sending.texts() == ["ROW-0", "ROW-1", "ROW-2"]
        assert len(engine.parts) == 1

    play(test)


def test_replies_that_never_come_are_not_waited_for_for_ever() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"))
        await sending.send(2)
        engine.reply(engine.parts[0], [0])
        engine.end_part(engine.parts[0])
        await asyncio.sleep(60)
        assert [row.number for row in engine.parts[1].rows] == [1]

    play(test)


def test_a_worker_that_comes_gets_rows_that_wait() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine())
        await sending.send(FEWEST_ROWS)
        assert not engine.parts
        engine.workers = [Worker("a")]
        engine.driver.changed()
        await asyncio.sleep(1)
        assert sending.sizes() == [("a", FEWEST_ROWS)]

    play(test)


def test_when_no_part_can_run_any_more_all_rows_say_why() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"))
        await sending.send(200)
        engine.end_part(engine.parts[0], ConfigurationError("The pool is broken."))
        await asyncio.sleep(1)
        await sending.send(1)
        assert {str(reply.error) for reply in await asyncio.gather(*sending.sent)} == {
            "The pool is broken."
        }

    play(test)


def test_after_a_stop_rows_under_way_get_their_reply_and_no_other_row_is_sent() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"), concurrency=16)
        await sending.send(200)
        assert sending.sizes() == [("a", 64), ("a", 64)]
        sending.stop.set()
        await asyncio.sleep(1)
        assert engine.stopped
        first, second = engine.parts
        engine.reply(first, range(8))
        engine.leave_out(first, range(8, 64))
        engine.leave_out(second, range(64))
        engine.end_part(first)
        engine.end_part(second, WorkerLostError())
        replies = await asyncio.gather(*sending.sent, return_exceptions=True)
        assert [type(reply) for reply in replies] == [Reply] * 8 + [StoppedError] * 192
        assert len(engine.parts) == 2

    play(test)


def test_what_was_used_is_counted_and_what_was_reserved_is_given_back() -> None:
    async def test() -> None:
        body = {"model": "hy3", "max_tokens": 100}
        size = tokens_of({**body, "messages": unit(0).messages}) + 100
        budget = Budget(Spending(), tokens=3 * size + 50)
        sending = Sending(engine := PlayedEngine("a"), budgets=(budget,), body=body)
        await sending.send(4)
        assert sending.sizes() == [("a", 3)], "the fourth waits: there may be room for it later"
        engine.reply(engine.parts[0], range(2), used=Used(20, 30, answers=2))
        await asyncio.sleep(1)
        assert budget.spending.tokens == 50
        assert sending.sizes() == [("a", 3), ("a", 1)]
        engine.reply(engine.parts[0], [2], used=Used(10, 2 * size - 10, answers=1))
        engine.reply(engine.parts[1], used=Used(10, 10, answers=1))
        await asyncio.gather(*sending.sent)
        await sending.send(1)
        assert isinstance((await sending.sent[-1]).error, BudgetError)

    play(test)


def test_what_a_worker_that_ended_may_have_used_is_counted() -> None:
    async def test() -> None:
        body = {"model": "hy3", "max_tokens": 100}
        size = tokens_of({**body, "messages": unit(0).messages}) + 100
        budget = Budget(Spending(), tokens=100_000)
        sending = Sending(engine := PlayedEngine("a"), budgets=(budget,), body=body, concurrency=4)
        await sending.send(10)
        engine.reply(engine.parts[0], [0], used=Used(5, 5, answers=1))
        engine.end_part(engine.parts[0], WorkerLostError())
        await asyncio.sleep(1)
        assert budget.spending.tokens == 10 + 4 * size, "it asked four rows at once"

    play(test)


def test_an_error_of_a_row_is_its_reply() -> None:
    async def test() -> None:
        sending = Sending(engine := PlayedEngine("a"))
        await sending.send(1)
        engine.reply(engine.parts[0], error=CbaiError("It was cut."))
        (reply,) = await asyncio.gather(*sending.sent)
        assert str(reply.error) == "It was cut."

    play(test)


def test_messages_of_another_batch_are_left_alone() -> None:
    async def test() -> None:
        budget = Budget(Spending(), tokens=100_000)
        sending = Sending(engine := PlayedEngine("a"), budgets=(budget,))
        await sending.send(1)
        other = Arrived("another", [(0, Reply(answer(7)))], Used(5, 5, 1))
        engine.driver.arrived(pickle.dumps(other))
        engine.reply(engine.parts[0])
        assert await sending.texts() == ["ROW-0"]
        assert budget.spending.tokens == 0

    play(test)


def test_a_tool_that_holds_a_key_is_refused_before_anything_is_sent() -> None:
    async def test() -> None:
        holds = {"model": "hy3", "tools": [{"type": "function", "default": KEY}]}
        sending = Sending(PlayedEngine("a"), spec=spec(params=holds))
        with pytest.raises(SecretRefusedError, match="the key"):
            await sending.sender.begin()
        shared = Sending(PlayedEngine("a"), spec=spec(params=holds, shares_key=True))
        await shared.send(1)
        assert KEY.encode() in shared.engine.parts[0].spec  # type: ignore[operator]

    play(test)


def test_what_cannot_be_pickled_is_said_before_anything_is_sent() -> None:
    async def test() -> None:
        sending = Sending(PlayedEngine("a"), spec=spec(params={"tools": [lambda city: city]}))
        with pytest.raises(ConfigurationError, match="Define them in a module"):
            await sending.sender.begin()

    play(test)
