"""The gate learns how many requests may run at once; time here is virtual, nothing waits for a clock."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cbai_notebook.client.gate import FIRST, MOST_REFUSED_ROUNDS, Gate, Slot, gate_of
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.client.retry import LONGEST_RETRY_AFTER_S
from cbai_notebook.errors import (
    CbaiError,
    ConcurrencyLimitError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from tests.virtual_time import VirtualTimeLoop, run_in_virtual_time


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an asynchronous test on an event loop whose time jumps."""

    @functools.wraps(test)
    def run(*arguments: Any, **names: Any) -> None:
        run_in_virtual_time(test(*arguments, **names))

    return run


def now() -> float:
    return asyncio.get_running_loop().time()


def new_gate(most: int | None = None) -> Gate:
    return Gate(most, clock=asyncio.get_running_loop().time)


async def others() -> None:
    """Let the other coroutines do what they can do without a pause."""
    for _ in range(20):
        await asyncio.sleep(0)


class Row:
    """A request of a batch, or a prompt, that is to enter a gate."""

    def __init__(self, gate: Gate, *, rows: bool = True) -> None:
        self.slot: Slot | None = None
        self.at: float | None = None
        self.task = asyncio.ensure_future(self._enter(gate, rows))

    async def _enter(self, gate: Gate, rows: bool) -> None:
        self.slot = await gate.enter(rows=rows)
        self.at = now()

    @property
    def is_in(self) -> bool:
        return self.slot is not None

    def leave(self, error: BaseException | None = None) -> None:
        assert self.slot is not None
        self.slot.leave(error)


async def fill(gate: Gate, count: int) -> list[Row]:
    rows = [Row(gate) for _ in range(count)]
    await others()
    return rows


def entered(rows: list[Row]) -> int:
    return sum(row.is_in for row in rows)


async def found(gate: Gate, limit: int) -> list[Row]:
    """Let a gate find a limit; return the rows that fill it."""
    gate.begin_with(limit)
    rows = await fill(gate, limit)
    assert entered(rows) == limit
    return rows


class Server:
    """A server that allows some requests at once, each of which takes a second."""

    def __init__(self, gate: Gate, allowed: int, error: CbaiError | None = None) -> None:
        self.gate = gate
        self.allowed = allowed
        self.error = error or ConcurrencyLimitError("too many")
        self.running = self.peak = self.refused = self.answered = 0

    async def request(self) -> None:
        """Send a request of a batch until it is answered."""
        while True:
            slot = await self.gate.enter(rows=True)
            if self.running < self.allowed:
                self.running += 1
                self.peak = max(self.peak, self.running)
                await asyncio.sleep(1)
                self.running -= 1
                self.answered += 1
                slot.leave()
                return
            self.refused += 1
            await asyncio.sleep(0.01)
            slot.leave(self.error)
            if not self.gate.waits_for(self.error):
                raise self.error

    async def lanes(self, lanes: int, rows: int) -> None:
        left = iter(range(rows))

        async def lane() -> None:
            for _ in left:
                await self.request()

        await asyncio.gather(*(lane() for _ in range(lanes)))


# The limit ----------------------------------------------------------------------------------------


@in_virtual_time
async def test_it_begins_with_four_places_and_gets_one_more_for_each_success() -> None:
    gate = new_gate()
    rows = await fill(gate, 20)
    for limit in (4, 5, 6, 7, 8):
        assert entered(rows) == 2 * limit - FIRST
        assert gate.limit == limit
        next(row for row in rows if row.is_in and not row.slot._left).leave()  # type: ignore[union-attr]
        await others()


@in_virtual_time
async def test_a_success_with_room_to_spare_says_nothing() -> None:
    gate = new_gate()
    for _ in range(10):
        (row,) = await fill(gate, 1)
        row.leave()
    assert gate.limit == FIRST


@in_virtual_time
async def test_a_failed_request_says_nothing_of_the_limit() -> None:
    gate = new_gate()
    rows = await fill(gate, 4)
    for row in rows:
        row.leave(ServerError("broken"))
    rows = await fill(gate, 4)
    for row in rows:
        row.leave(QuotaExceededError("used up"))
    assert (gate.limit, gate.found, gate.refusals) == (FIRST, False, 0)


@in_virtual_time
async def test_a_server_that_works_on_few_requests_at_once_gets_no_more() -> None:
    gate = new_gate(2)
    rows = await fill(gate, 6)
    for row in rows:
        assert entered(rows) - rows.index(row) <= 2
        row.leave()
        await others()
    assert gate.limit == 2


@in_virtual_time
async def test_a_refusal_for_too_many_sets_the_limit_to_what_runs() -> None:
    gate = new_gate()
    rows = await fill(gate, 10)
    rows[0].leave()
    await others()
    assert (gate.limit, entered(rows)) == (5, 6)
    rows[1].leave(ConcurrencyLimitError("too many"))
    assert (gate.limit, gate.found, gate.refusals) == (4, True, 1)
    await others()
    assert entered(rows) == 6  # four run
    rows[2].leave()
    await others()
    assert entered(rows) == 7  # there was room without a pause


@in_virtual_time
async def test_with_64_in_flight_and_5_allowed_the_limit_is_5_after_the_refusals() -> None:
    gate = new_gate()
    rows = await found(gate, 64)
    for row in rows[5:]:
        row.leave(ConcurrencyLimitError("too many"))
    assert (gate.limit, gate.refusals) == (5, 59)
    waiting = await fill(gate, 10)
    assert entered(waiting) == 0
    rows[0].leave()
    await others()
    assert entered(waiting) == 1


@in_virtual_time
async def test_another_refusal_cuts_the_limit_once_for_all_that_ran_together() -> None:
    gate = new_gate()
    rows = await found(gate, 20)
    for row in rows:
        row.leave(RateLimitError("slow down"))
    assert (gate.limit, gate.refusals) == (14, 20)
    await asyncio.sleep(60)
    for row in await fill(gate, 14):
        row.leave(RateLimitError("slow down"))
    assert gate.limit == 9


@in_virtual_time
async def test_only_what_the_server_has_named_or_allowed_for_some_rounds_is_proven() -> None:
    gate = new_gate()
    rows = await found(gate, 20)
    assert gate.proven == 20  # begun with it
    storm = new_gate()
    for row in await fill(storm, 4):
        row.leave(RateLimitError("slow down"))
    assert (storm.found, storm.proven) == (True, None)
    rows[0].leave(ConcurrencyLimitError("too many"))
    assert gate.proven == 19
    for row in rows[1:]:
        row.leave()
    for row in await fill(gate, 19):
        row.leave(RateLimitError("slow down"))
    await asyncio.sleep(60)
    assert (gate.limit, gate.proven) == (13, 19)
    clean = await fill(gate, 5 * gate.limit)
    allowed = gate.limit
    for row in clean[: 4 * allowed]:
        row.leave()
        await others()
    assert (gate.limit, gate.proven) == (allowed + 1, allowed)


@in_virtual_time
async def test_one_place_is_always_left() -> None:
    gate = new_gate()
    for _ in range(6):
        (row,) = await fill(gate, 1)
        row.leave(ConcurrencyLimitError("too many"))
        await asyncio.sleep(60)
    assert gate.limit == 1


@in_virtual_time
async def test_after_four_clean_rounds_one_more_is_tried() -> None:
    gate = new_gate()
    running = await found(gate, 5)
    waiting = await fill(gate, 60)
    for answered in range(20):
        assert gate.limit == 5, answered
        (running + waiting)[answered].leave()
        await others()
    assert gate.limit == 6
    for answered in range(24):
        assert gate.limit == 6, answered
        (running + waiting)[20 + answered].leave()
        await others()
    assert gate.limit == 7


@in_virtual_time
async def test_each_refused_try_doubles_the_patience_and_a_good_one_ends_that() -> None:
    gate = new_gate()
    rows = await found(gate, 5)
    rows += await fill(gate, 1100)
    left = 0

    async def answers_until_more_are_tried(limit: int) -> int:
        nonlocal left
        for count in range(1, 500):
            rows[left].leave()
            left += 1
            await others()
            if gate.limit > limit:
                return count
        raise AssertionError("no more were tried")

    async def refuse() -> None:
        nonlocal left
        rows[left].leave(ConcurrencyLimitError("too many"))
        left += 1
        await others()

    tried = []
    for _ in range(5):
        tried.append(await answers_until_more_are_tried(5))
        await refuse()
        assert gate.limit == 5
    assert tried == [20, 40, 80, 160, 160]
    assert await answers_until_more_are_tried(5) == 160
    assert await answers_until_more_are_tried(6) == 192
    assert await answers_until_more_are_tried(7) == 28


@in_virtual_time
async def test_it_can_begin_with_what_an_earlier_process_has_found() -> None:
    gate = new_gate()
    gate.begin_with(9)
    assert entered(await fill(gate, 20)) == 9
    gate.begin_with(3)
    assert gate.limit == 9
    other = new_gate(4)
    other.begin_with(9)
    assert other.limit == 4
    worst = new_gate()
    worst.begin_with(0)
    assert worst.limit == 1
    refused = new_gate()
    (await fill(refused, 1))[0].leave(RateLimitError("slow down"))
    refused.begin_with(30)
    assert refused.limit == 2


# Pauses -------------------------------------------------------------------------------------------


async def pause_after(gate: Gate, error: CbaiError) -> float:
    """Refuse a row; return the seconds until the next row gets in."""
    (row,) = await fill(gate, 1)
    row.leave(error)
    began, after = now(), Row(gate)
    await after.task
    after.leave(ServerError("broken"))
    assert after.at is not None
    return round(after.at - began, 6)


@in_virtual_time
async def test_pauses_double_while_everything_is_refused() -> None:
    gate = new_gate()
    error = RateLimitError("slow down")
    pauses = [await pause_after(gate, error) for _ in range(7)]
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]
    (row,) = await fill(gate, 1)
    row.leave()
    assert await pause_after(gate, error) == 0.5


@in_virtual_time
async def test_a_refusal_for_too_many_has_no_pause_at_first() -> None:
    gate = new_gate()
    error = ConcurrencyLimitError("too many")
    assert [await pause_after(gate, error) for _ in range(4)] == [0, 0.5, 1, 2]


@in_virtual_time
@pytest.mark.parametrize("kind", [RateLimitError, ConcurrencyLimitError])
async def test_the_time_that_the_server_names_is_waited(kind: type[CbaiError]) -> None:
    assert await pause_after(new_gate(), kind("wait", retry_after=7.0)) == 7


@in_virtual_time
async def test_a_server_that_says_now_and_refuses_again_is_not_asked_without_end() -> None:
    gate = new_gate()
    error = RateLimitError("wait", retry_after=0.0)
    began, pauses = now(), []
    for _ in range(MOST_REFUSED_ROUNDS):
        assert gate.waits_for(error)
        pauses.append(await pause_after(gate, error))
    assert pauses[:5] == [0, 0.5, 1, 2, 4]
    assert not gate.waits_for(error)
    assert 50 < now() - began < 80


@in_virtual_time
async def test_prompts_do_not_wait_for_a_pause() -> None:
    gate = new_gate()
    rows = await fill(gate, 2)
    rows[0].leave(RateLimitError("slow down", retry_after=30.0))
    prompt, row = Row(gate, rows=False), Row(gate)
    await others()
    assert (prompt.is_in, row.is_in) == (True, False)
    rows[1].leave()
    await row.task


@in_virtual_time
async def test_a_later_refusal_makes_no_pause_shorter() -> None:
    gate = new_gate()
    (first,) = await fill(gate, 1)
    first.leave(RateLimitError("wait", retry_after=30.0))
    began = now()
    prompt = Row(gate, rows=False)
    await prompt.task
    prompt.leave(RateLimitError("wait", retry_after=1.0))
    row = Row(gate)
    await row.task
    assert now() - began == pytest.approx(30)


# Giving up ----------------------------------------------------------------------------------------


@in_virtual_time
async def test_it_gives_up_after_twelve_rounds_without_an_answer() -> None:
    gate = new_gate()
    server = Server(gate, allowed=0, error=RateLimitError("slow down"))
    began = now()
    with pytest.raises(RateLimitError):
        await server.lanes(32, 100)
    assert now() - began > 60
    assert server.refused <= MOST_REFUSED_ROUNDS + FIRST
    assert server.answered == 0


@in_virtual_time
async def test_what_was_refused_long_ago_is_no_reason_to_give_up() -> None:
    gate = new_gate()
    error = RateLimitError("slow down")
    for _ in range(MOST_REFUSED_ROUNDS):
        await pause_after(gate, error)
    assert not gate.waits_for(error)
    await asyncio.sleep(LONGEST_RETRY_AFTER_S + 10)
    (row,) = await fill(gate, 1)
    row.leave(error)
    assert gate.waits_for(error)


@in_virtual_time
async def test_waiting_helps_only_where_it_may_and_not_for_an_hour() -> None:
    gate = new_gate()
    assert gate.waits_for(RateLimitError("wait"))
    assert gate.waits_for(RateLimitError("wait", retry_after=LONGEST_RETRY_AFTER_S))
    assert not gate.waits_for(RateLimitError("wait", retry_after=LONGEST_RETRY_AFTER_S + 1))
    assert not gate.waits_for(RateLimitError("wait", answer_began=True))
    assert not gate.waits_for(QuotaExceededError("used up"))
    assert not gate.waits_for(ServerError("broken"))


@in_virtual_time
async def test_after_a_refusal_for_an_hour_the_next_batch_can_ask_again() -> None:
    gate = new_gate()
    assert await pause_after(gate, RateLimitError("wait", retry_after=3600.0)) < 1


# Servers ------------------------------------------------------------------------------------------


@in_virtual_time
@pytest.mark.parametrize(("allowed", "rows", "most"), [(1, 60, 8), (5, 100, 8), (5, 300, 15), (20, 400, 20)])  # fmt: skip
async def test_64_lanes_live_with_a_limit_they_do_not_know(
    allowed: int, rows: int, most: int
) -> None:
    server = Server(new_gate(), allowed)
    began = now()
    await server.lanes(64, rows)
    assert server.answered == rows
    assert server.peak <= allowed
    assert server.refused <= most
    assert now() - began <= 1.35 * rows / allowed + 2


@in_virtual_time
async def test_a_limit_that_falls_and_rises_is_followed() -> None:
    gate = new_gate()
    server = Server(gate, 5)

    async def change() -> None:
        await asyncio.sleep(20)
        server.allowed = 1
        await asyncio.sleep(30)
        assert gate.limit <= 2
        server.allowed = 20

    await asyncio.gather(change(), server.lanes(64, 2000))
    assert server.answered == 2000
    assert gate.limit >= 15
    assert server.refused < 60


# Who goes first -----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_prompt_goes_before_the_rows_that_wait() -> None:
    gate = new_gate()
    rows = await found(gate, 3)
    waiting = await fill(gate, 3)
    prompt = Row(gate, rows=False)
    await others()
    assert not prompt.is_in
    rows[0].leave()
    await others()
    assert (prompt.is_in, entered(waiting)) == (True, 0)
    rows[1].leave()
    await others()
    assert entered(waiting) == 1


@in_virtual_time
async def test_prompts_never_wait_where_no_rows_run() -> None:
    gate = new_gate()
    (row,) = await found(gate, 1)
    row.leave()
    prompts = [Row(gate, rows=False) for _ in range(50)]
    await others()
    assert entered(prompts) == 50
    (waiting,) = await fill(gate, 1)
    assert not waiting.is_in


@in_virtual_time
async def test_prompts_do_not_wait_for_rows_before_the_limit_is_known() -> None:
    gate = new_gate()
    await fill(gate, 8)
    prompts = [Row(gate, rows=False) for _ in range(5)]
    await others()
    assert entered(prompts) == 5


@in_virtual_time
async def test_rows_enter_in_the_order_in_which_they_came() -> None:
    gate = new_gate()
    running = await found(gate, 1)
    waiting = await fill(gate, 3)
    for number in range(3):
        (running + waiting)[number].leave()
        await others()
        assert [row.is_in for row in waiting] == [at <= number for at in range(3)]


@in_virtual_time
async def test_each_running_request_has_the_smallest_free_number() -> None:
    gate = new_gate()
    rows = await found(gate, 4)
    assert [row.slot.number for row in rows if row.slot] == [0, 1, 2, 3]
    for each in (2, 0):
        rows[each].leave()
    again = await fill(gate, 2)
    assert [row.slot.number for row in again if row.slot] == [0, 2]


# Ends of waiting ----------------------------------------------------------------------------------


@in_virtual_time
async def test_one_that_is_cancelled_while_it_waits_takes_no_place() -> None:
    gate = new_gate()
    (row,) = await found(gate, 1)
    waiting = await fill(gate, 3)
    waiting[0].task.cancel()
    await others()
    row.leave()
    await others()
    assert [each.is_in for each in waiting] == [False, True, False]


@in_virtual_time
async def test_one_that_is_cancelled_just_when_it_is_let_in_gives_its_place_on() -> None:
    gate = new_gate()
    (row,) = await found(gate, 1)
    waiting = await fill(gate, 2)
    row.leave()  # lets the first one in, which has not seen it yet
    waiting[0].task.cancel()
    await others()
    assert [each.is_in for each in waiting] == [False, True]
    waiting[1].leave()
    assert entered(await fill(gate, 1)) == 1


@in_virtual_time
async def test_a_batch_that_stops_waits_no_longer_and_others_do() -> None:
    gate = new_gate()
    (row,) = await found(gate, 1)
    stop = Stop()
    stopped = [asyncio.ensure_future(gate.enter(rows=True, stop=stop)) for _ in range(3)]
    (other,) = await fill(gate, 1)
    row.leave()  # lets the first one in, which has not seen it yet
    stop.set()
    await others()
    for task in stopped:
        with pytest.raises(StoppedError):
            task.result()
    assert other.is_in
    other.leave()
    assert entered(await fill(gate, 1)) == 1


@in_virtual_time
async def test_a_place_is_given_back_once() -> None:
    gate = new_gate()
    rows = await found(gate, 2)
    rows[0].leave()
    rows[0].leave()
    assert entered(await fill(gate, 3)) == 1


# Event loops, threads and processes ---------------------------------------------------------------


def test_rows_of_a_loop_that_was_closed_keep_no_place_and_no_timer() -> None:
    clock = [100.0]
    gate = Gate(clock=lambda: clock[0])
    gate.begin_with(2)
    loop = VirtualTimeLoop()

    async def leave_waiting() -> list[Any]:
        slot = await gate.enter(rows=True)
        tasks = [asyncio.ensure_future(gate.enter(rows=True)) for _ in range(3)]
        await others()
        slot.leave(RateLimitError("wait", retry_after=30.0))  # sets a timer on this loop
        await others()
        return tasks

    tasks = loop.run_until_complete(leave_waiting())
    (running,) = [task.result() for task in tasks if task.done()]
    loop.close()
    running.leave()

    async def enter() -> Slot:
        task = asyncio.ensure_future(gate.enter(rows=True))
        await others()
        assert not task.done()
        clock[0] += 31
        return await task

    run_in_virtual_time(enter()).leave()


def test_a_timer_on_a_loop_that_stands_still_holds_up_no_other() -> None:
    clock = [100.0]
    gate = Gate(clock=lambda: clock[0])
    first = VirtualTimeLoop()

    async def refuse() -> asyncio.Future[Slot]:
        (await gate.enter(rows=True)).leave(RateLimitError("wait", retry_after=30.0))
        waiting = asyncio.ensure_future(gate.enter(rows=True))
        await others()
        return waiting

    waiting = first.run_until_complete(refuse())

    async def cancel() -> None:
        waiting.cancel()
        await others()

    first.run_until_complete(cancel())  # and the loop, which has the timer, stands still

    async def enter() -> Slot:
        task = asyncio.ensure_future(gate.enter(rows=True))
        await others()
        clock[0] += 31
        return await task

    run_in_virtual_time(asyncio.wait_for(enter(), 3600)).leave()
    first.close()


def test_threads_with_loops_of_their_own_share_the_places() -> None:
    gate = Gate()
    gate.begin_with(3)
    lock = threading.Lock()
    running = peak = answered = 0
    errors: list[BaseException] = []

    async def lane(count: int, *, rows: bool) -> None:
        nonlocal running, peak, answered
        for _ in range(count):
            slot = await gate.enter(rows=rows)
            with lock:
                running += rows
                peak = max(peak, running)
            await asyncio.sleep(0)
            with lock:
                running -= rows
                answered += 1
            slot.leave()

    async def lanes() -> None:
        await asyncio.gather(*(lane(40, rows=True) for _ in range(6)), lane(40, rows=False))

    def work() -> None:
        try:
            asyncio.run(asyncio.wait_for(lanes(), 60))
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert answered == 4 * 7 * 40
    assert peak <= gate.limit
    assert running == 0


def test_an_address_and_a_key_have_one_gate_in_a_process() -> None:
    gate = gate_of("https://one.example/v1/chat", "key")
    assert gate_of("https://one.example/v1/images", "key") is gate
    assert gate_of("https://one.example/v1/chat", "other") is not gate
    assert gate_of("https://two.example/v1/chat", "key") is not gate
    assert gate_of("http://one.example/v1/chat", "key") is not gate
    assert gate_of("http://local.example/v1", "", 2).limit == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_gate_of_its_own() -> None:
    gate = gate_of("https://fork.example/v1", "key")

    async def fill_and_fork() -> int:
        for _ in range(FIRST):
            await gate.enter(rows=True)
        child = os.fork()
        if child == 0:
            other = gate_of("https://fork.example/v1", "key")
            is_new = other is not gate and other._has_room(True)
            os._exit(0 if is_new else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert asyncio.run(fill_and_fork()) == 0
    assert gate_of("https://fork.example/v1", "key") is gate
