"""Batches against a server that refuses, fails, breaks and goes away: no row is lost or paid for twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pandas as pd
import polars as pl
import pytest
import stamina

import cbai_notebook as cbai
from cbai_notebook import bridge
from cbai_notebook.batching.answer_store import AnswerStore, Done
from cbai_notebook.batching.job import Batch, BatchOptions
from cbai_notebook.batching.progress import Progress
from cbai_notebook.client.budget import SESSION
from cbai_notebook.client.gate import FIRST, MOST_REFUSED_ROUNDS, Gate, gate_of
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.retry import ATTEMPTS
from cbai_notebook.errors import ConfigurationError, HistoryError, SecretRefusedError, UsageError
from tests.batching.batches import (
    PROMPT,
    answered,
    batches_of,
    configure,
    errors,
    last,
    paid_twice,
    rows,
    run,
    stopped,
)
from tests.gateway import Gateway, Rate, RowFault, Scenario, parse, serve
from tests.gateway.pictures import png

Record = Callable[[str, object], None]

QUICK = "echo+pause:headers:0.01"
LIMITED = "EXCEED_CONCURRENT_REQUEST_LIMIT"


@pytest.fixture(autouse=True)
def batches(gateway: Gateway, tmp_path: Path) -> Iterator[None]:
    """Send the requests to the gateway, keep answers in a file of the test, and wait for no retry."""
    gateway.always("echo")
    with (
        batches_of(gateway, tmp_path / "history.sqlite"),
        stamina.set_testing(True, attempts=ATTEMPTS),
    ):
        yield


@contextlib.contextmanager
def beside(*steps: Callable[[], object]) -> Iterator[None]:
    """Do some steps on a thread while the test goes on; an error in them is one of the test."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for step in steps:
                step()
        except BaseException as error:  # noqa: BLE001 - raised in the test
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


def scenario(spec: str) -> Scenario:
    found = parse(spec)
    assert found is not None
    return found


def begun(gateway: Gateway, count: int) -> Callable[[], None]:
    """Return a step that waits until so many answers were begun."""
    return lambda: gateway.wait_until(lambda: gateway.begun.total() >= count)


# Too many at once ---------------------------------------------------------------------------------


def test_a_limit_of_5_under_a_ceiling_of_64_costs_few_refusals(
    gateway: Gateway, record_property: Record
) -> None:
    gateway.concurrency = 5
    gateway.always(QUICK)
    found = run(rows(100), concurrency=64)
    assert answered(found) == set(range(100))
    assert [row["answer"] for row in found] == [f"Rate row-{number}" for number in range(100)]
    refused = gateway.refused.total()
    record_property("refused_of_100", refused)
    assert refused <= 5 + 5  # of a hundred rows, and what it takes to find the limit
    assert gateway.tally.running_peak <= 5
    assert paid_twice(gateway) == 0
    # What was found is kept for the next run.
    before = gateway.refused.total()
    again = run(rows(40, first=100), concurrency=64)
    assert answered(again) == set(range(40))
    assert gateway.refused.total() - before <= 3


def test_a_limit_that_falls_to_one_and_rises_again_loses_nothing(
    gateway: Gateway, record_property: Record
) -> None:
    gateway.concurrency = 5
    gateway.always(QUICK)

    def change(limit: int) -> Callable[[], None]:
        return lambda: setattr(gateway, "concurrency", limit)

    with beside(begun(gateway, 60), change(1), begun(gateway, 90), change(20)):
        found = run(rows(300), concurrency=64)
    assert answered(found) == set(range(300))
    assert paid_twice(gateway) == 0
    record_property("refused_of_300", gateway.refused.total())
    assert gateway.refused.total() <= 15 + 15


def test_two_batches_at_once_share_the_places_and_their_equal_rows(gateway: Gateway) -> None:
    gateway.concurrency = 5
    gateway.always(QUICK)
    options = BatchOptions(progress=False, concurrency=32)
    batches = [Batch(rows(60, first=first), PROMPT, options) for first in (0, 30)]
    for each in [bridge.submit(batch.run()) for batch in batches]:
        each.result()
    assert all(answered(batch.frame) == set(range(60)) for batch in batches)
    assert gateway.begun == {f"row-{number}": 1 for number in range(90)}
    assert gateway.tally.running_peak <= 5
    assert gateway.refused.total() <= 5 + 5


@pytest.mark.parametrize(
    "after", ["", "+retry-after:0", "+retry-after:Wed, 21 Oct 2015 07:28:00 GMT"]
)
def test_a_storm_of_refusals_is_waited_for(gateway: Gateway, after: str) -> None:
    gateway.storm(refusal=f"error:429:rate_limit_exceeded{after}")

    def calm() -> None:
        gateway.wait_until(lambda: gateway.refused.total() >= FIRST + 1)
        gateway.calm()

    with beside(calm):
        found = run(rows(20))
    assert answered(found) == set(range(20))
    assert paid_twice(gateway) == 0
    assert gateway.refused.total() <= FIRST + 2


def test_a_rate_with_a_date_is_kept_to(gateway: Gateway) -> None:
    gateway.rate = Rate(per_second=20, burst=8, retry_after="date")
    found = run(rows(20))
    assert answered(found) == set(range(20))
    assert paid_twice(gateway) == 0


def test_a_wait_of_an_hour_is_told_at_once_and_nothing_is_lost(gateway: Gateway) -> None:
    refusal = scenario("error:429:rate_limit_exceeded+retry-after:3600")
    gateway.always(scenario("echo").but(after=refusal, after_answers=6))
    found, reason = stopped(rows(40), concurrency=8)
    assert len(answered(found)) == 6
    assert "6 of 40 rows" in reason
    assert len(gateway.requests) <= 6 + 8
    gateway.always("echo")
    assert answered(run(rows(40), concurrency=8)) == set(range(40))
    assert paid_twice(gateway) == 0


def test_a_server_that_refuses_everything_is_given_up_with_a_sentence(gateway: Gateway) -> None:
    gateway.storm()
    gate = Gate(first_pause_s=0.001, longest_pause_s=0.002)
    batch = Batch(rows(50), PROMPT, BatchOptions(progress=False), gate=gate)
    cbai.run(batch.run())
    assert batch.status == "stopped"
    assert "0 of 50 rows" in batch.reason
    assert MOST_REFUSED_ROUNDS <= len(gateway.requests) <= MOST_REFUSED_ROUNDS + FIRST
    assert gateway.begun == {}
    assert not answered(batch.frame)


# Rows that fail -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "says", "requests", "text"),
    [
        ("error:400", "400", 1, None),
        ("finish:content_filter", "filter", 1, "Rate row-0"),
        ("finish:length", "limit", 1, "Rate row-0"),
        ("refusal:I will not", "refusal", 1, "Rate row-0"),
        ("bad-json", "", 1, None),
        ("error:500", "500", ATTEMPTS, None),
        ("rst:headers", "connection", ATTEMPTS, None),
    ],
)
def test_a_row_that_fails_says_why_and_the_others_are_answered(
    gateway: Gateway, fault: str, says: str, requests: int, text: str | None
) -> None:
    gateway.always(f"echo+every:6:{fault}")
    found = run(rows(24), concurrency=4)
    failed = {0, 6, 12, 18}
    assert answered(found) == set(range(24)) - failed
    for at in failed:
        assert says.lower() in found[at]["error"].lower()
    assert found[0]["answer"] == text
    # A connection that is reset before an answer may have been closed before: that is no try.
    assert 0 <= len(gateway.requests) - (20 + 4 * requests) <= (8 if "rst" in fault else 0)
    assert last().status == "complete"
    # Failed rows are never known: they alone are sent again.
    gateway.always("echo")
    before = len(gateway.requests)
    assert answered(run(rows(24))) == set(range(24))
    assert len(gateway.requests) - before == 4


def test_an_empty_answer_is_an_error_and_asked_for_again(gateway: Gateway) -> None:
    gateway.always(scenario("echo").but(rows=(RowFault(6, Scenario(text=" ")),)))
    found = run(rows(12), concurrency=4)
    assert answered(found) == set(range(12)) - {0, 6}
    assert found[6]["error"] == "The answer is empty."
    gateway.always("echo")
    assert answered(run(rows(12))) == set(range(12))
    assert len(gateway.requests) == 12 + 2


def test_a_row_that_fails_once_is_answered(gateway: Gateway) -> None:
    gateway.always("echo+every:5:first:1:error:500")
    found = run(rows(20), details=True)
    assert answered(found) == set(range(20))
    assert len(gateway.requests) == 24
    assert paid_twice(gateway) == 0


def test_a_row_that_takes_too_long_is_a_row_error(gateway: Gateway) -> None:
    configure(gateway, timeout={"answer": 0.3})
    gateway.always("echo+every:6:hang:headers")
    found = run(rows(12))
    assert answered(found) == set(range(12)) - {0, 6}
    assert found[0]["error"] == found[6]["error"]


def test_the_time_for_an_answer_begins_when_its_row_is_sent(gateway: Gateway) -> None:
    # Agents and the offline model always stream; 12 answers of 0.2 s one after the other.
    configure(gateway, env_id="test-env", timeout={"answer": 1.5})
    gateway.concurrency = 1
    gateway.always("paced:40x8")
    found = run(rows(12), model="agent/bot-poet", concurrency=12)
    assert answered(found) == set(range(12))
    assert paid_twice(gateway) == 0


# Errors that hold for all -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["error:ACCESS_TOKEN_EXPIRED", "error:402", "error:AI_CHANNEL_NOT_ALLOWED", "error:AI_MODEL_NOT_FOUND",
     "error:EXCEED_TOKEN_QUOTA_LIMIT", "error:ENV_SUSPENDED"],
)  # fmt: skip
def test_an_error_for_all_rows_ends_the_batch_and_the_next_run_pays_for_the_rest(
    gateway: Gateway, word: str
) -> None:
    gateway.always(f"{QUICK}+after:9:{word}")
    found, reason = stopped(rows(60), concurrency=8)
    assert len(answered(found)) == 9
    assert "9 of 60 rows" in reason
    assert reason.count("Run this again") == 1
    # Rows that were under way have failed; none was sent afterwards.
    assert len(gateway.requests) <= 9 + 8
    not_sent = errors(found)[reason]
    assert len(gateway.requests) == 60 - not_sent
    gateway.always("echo")
    assert answered(run(rows(60))) == set(range(60))
    assert paid_twice(gateway) == 0


def test_rows_that_wait_for_a_place_are_not_sent_after_an_error_for_all(gateway: Gateway) -> None:
    gateway.concurrency = 2
    gateway.always("echo+pause:headers:0.02+after:12:error:ACCESS_TOKEN_EXPIRED")
    found, _ = stopped(rows(60), concurrency=32)
    assert len(answered(found)) == 12
    refused = gateway.refused.total()
    assert len(gateway.requests) <= 12 + refused + 3


def test_rows_that_are_under_way_go_on_to_their_end(gateway: Gateway) -> None:
    slow = RowFault(1000, scenario("echo+hold:headers"), rest=0)
    denied = RowFault(1000, scenario("error:ACCESS_TOKEN_EXPIRED"), rest=1)
    gateway.always(scenario("echo").but(rows=(slow, denied)))

    def let_go() -> None:
        gateway.wait_until(lambda: len(gateway.requests) == 2 and gateway.tally.running == 1)
        gateway.let_go()

    with beside(let_go):
        found, _ = stopped(rows(10), concurrency=2)
    assert answered(found) == {0}
    assert len(gateway.requests) == 2


def test_a_batch_that_stops_does_not_wait_for_rows_of_another_one(gateway: Gateway) -> None:
    gateway.always("echo+hold:headers")
    first = Batch(rows(3), PROMPT, BatchOptions(progress=False))
    running = bridge.submit(first.run())
    gateway.wait_until(lambda: gateway.tally.running == 3)
    gateway.always("error:ACCESS_TOKEN_EXPIRED")
    found, _ = stopped(rows(4))
    assert not answered(found)
    gateway.always("echo")
    gateway.let_go()
    running.result()
    assert answered(first.frame) == set(range(3))
    assert answered(run(rows(4))) == set(range(4))
    assert paid_twice(gateway) == 0


def test_a_new_key_goes_on_with_the_same_run(gateway: Gateway) -> None:
    gateway.always(QUICK)

    def change_key() -> None:
        begun(gateway, 20)()
        cbai.configure(api_key="another-key")
        gateway.key = "another-key"

    with beside(change_key):
        found = run(rows(120), concurrency=8)
    assert answered(found) == set(range(120))
    assert paid_twice(gateway) == 0
    assert {exchange.status for exchange in gateway.requests} == {200, 401}


def test_rows_that_all_fail_alike_end_the_batch(gateway: Gateway) -> None:
    gateway.always("error:400")
    found, reason = stopped(rows(200), concurrency=4)
    assert len(gateway.requests) <= 20 + 4
    assert "same way" in reason
    assert not answered(found)


def test_a_block_of_bad_rows_does_not_end_a_batch_that_goes_well(gateway: Gateway) -> None:
    bad = tuple(RowFault(1000, scenario("error:400"), rest=number) for number in range(10, 40))
    gateway.always(scenario("echo").but(rows=bad))
    for _ in range(2):  # the second time, the block comes first
        found = run(rows(60), concurrency=4)
        assert answered(found) == {*range(10), *range(40, 60)}
    assert paid_twice(gateway) == 0


def test_a_server_that_goes_away_ends_the_batch_and_the_next_run_pays_for_the_rest(
    gateway: Gateway,
) -> None:
    result: list[Any] = []
    with serve(default=QUICK) as first:
        configure(first)
        port = int(first.base_url.split(":")[2].split("/")[0])
        thread = threading.Thread(target=lambda: result.append(stopped(rows(400), concurrency=4)))
        thread.start()
        begun(first, 30)()
    thread.join()
    found, reason = result[0]
    count = len(answered(found))
    assert 26 <= count < 400
    assert f"{count} of 400 rows" in reason
    with serve(port=port, default="echo") as second:
        assert answered(run(rows(400), concurrency=4)) == set(range(400))
        twice = paid_twice(first) + len(first.begun & second.begun)
        assert second.begun.total() == 400 - count
    assert twice <= 4


def test_an_address_that_does_not_exist_ends_the_batch_at_once(gateway: Gateway) -> None:
    cbai.configure(base_url="http://no-such-host.invalid/v1", api_key="key")
    found, reason = stopped(rows(100))
    assert "no-such-host.invalid" in reason
    assert not answered(found)
    assert errors(found)[reason] >= 100 - 32


def test_a_wrong_address_or_model_is_told_once(gateway: Gateway) -> None:
    configure(gateway, model="error:AI_MODEL_NOT_FOUND")
    gateway.always(None)
    _, reason = stopped(rows(100))
    assert len(gateway.requests) <= FIRST
    assert "0 of 100 rows" in reason


# Budget -------------------------------------------------------------------------------------------


def test_a_budget_ends_the_batch_and_a_larger_one_goes_on(gateway: Gateway) -> None:
    run(rows(1))
    each = last().progress.tokens
    found, reason = stopped(rows(100), max_total_tokens=20 * each, max_tokens=each, concurrency=8)
    spent = last().progress.tokens
    assert 10 <= len(answered(found)) <= 20
    assert spent <= 20 * each
    assert f"{20 * each:,}" in reason
    begun_first = gateway.begun.total()
    found = run(rows(100), max_total_tokens=1_000_000, max_tokens=each)
    assert answered(found) == set(range(100))
    assert gateway.begun.total() == 101
    assert begun_first < 101
    # Only row-0 was asked twice: without max_tokens it was another request.
    assert gateway.begun["row-0"] == 2


def test_the_limit_of_the_session_holds_for_rows_too(gateway: Gateway) -> None:
    cbai.configure(max_total_tokens=SESSION.tokens + 400)
    before = SESSION.tokens
    found, reason = stopped(rows(100), max_tokens=20, concurrency=4)
    assert 0 < len(answered(found)) < 100
    assert SESSION.tokens - before <= 400
    assert "cbai.configure(max_total_tokens=…)" in reason
    cbai.configure(max_total_tokens=None)
    assert answered(run(rows(100), max_tokens=20)) == set(range(100))
    assert paid_twice(gateway) == 0


def test_a_limit_of_money_needs_a_price_and_ends_the_batch(gateway: Gateway) -> None:
    with pytest.raises(ConfigurationError, match="price of hy3 is not known"):
        run(rows(10), max_cost=1.0)
    assert not gateway.requests
    cbai.configure(prices={"hy3": (1_000_000, 1_000_000)})  # one a token
    _, reason = stopped(rows(100), max_cost=300.0, max_tokens=20)
    assert "300" in reason
    cost = last().cost
    assert cost is not None
    assert 100 < cost <= 300


# Equal rows ---------------------------------------------------------------------------------------


def test_equal_rows_are_sent_once_also_while_the_first_one_is_under_way(gateway: Gateway) -> None:
    gateway.always("echo+hold:headers")
    data = [{"text": f"row-{number % 3}"} for number in range(1200)]  # three slices

    def answer_when_all_are_read() -> None:
        # The fourth request shows that the rows before it were read.
        gateway.wait_until(lambda: gateway.tally.running == 4)
        gateway.always("echo")
        gateway.let_go()

    with beside(answer_when_all_are_read):
        found = run([*data, {"text": "row-3"}], details=True)
    assert gateway.begun == {f"row-{number}": 1 for number in range(4)}
    assert [row["answer"] for row in found[:1200]] == [f"Rate {row['text']}" for row in data]
    assert sum(row["known"] for row in found) == 1201 - 4
    assert last().progress.known == 1201 - 4


def test_equal_rows_fail_together(gateway: Gateway) -> None:
    gateway.always("echo+every:2:error:400")
    found = run([{"text": f"row-{number % 4}"} for number in range(40)])
    assert answered(found) == {at for at in range(40) if at % 2}
    assert len(gateway.requests) == 4
    assert last().progress.failed == 20


def test_equal_messages_are_one_request_however_they_are_written(gateway: Gateway) -> None:
    text = 'Row "1"\n€ 乌龙茶 \x7f'
    written: list[Any] = [
        {"role": "user", "content": text},
        {"content": text, "role": "user"},
        OrderedDict(role="user", content=text),
        {"role": "user", "content": text, "name": "ada"},
        {"role": "user", "content": [{"type": "text", "text": text}]},
    ]
    found = cbai.batch(rows(len(written)), lambda row: [written[int(row["text"][4:])]], model="hy3")
    assert all(row["answer"] for row in found)
    assert len(gateway.requests) == 3


def test_without_dedupe_each_row_has_an_answer_of_its_own(gateway: Gateway) -> None:
    data = [{"text": "row-1"}] * 6
    assert answered(run(data, dedupe=False)) == set(range(6))
    assert gateway.begun == {"row-1": 6}
    run(data, dedupe=False)
    assert gateway.begun == {"row-1": 6}
    run([*data, *data], dedupe=False)
    assert gateway.begun == {"row-1": 12}


def test_samples_are_different_requests_that_are_known_afterwards(gateway: Gateway) -> None:
    found = run([*rows(4), *rows(4)], samples=3)
    assert all(row["answer"] == [f"Rate {row['text']}"] * 3 for row in found)
    assert gateway.begun == {f"row-{number}": 3 for number in range(4)}
    run(rows(4), samples=5)
    assert gateway.begun == {f"row-{number}": 5 for number in range(4)}


def test_a_row_that_lacks_a_sample_has_an_error(gateway: Gateway) -> None:
    run(rows(4))
    gateway.always("echo+after:3:error:ACCESS_TOKEN_EXPIRED")
    found, reason = stopped(rows(4), samples=3, concurrency=1)
    assert [row["answer"] for row in found] == [
        ["Rate row-0"] * 3,
        ["Rate row-1"] * 2 + [None],
        ["Rate row-2"] + [None] * 2,
        ["Rate row-3"] + [None] * 2,
    ]
    assert [bool(row["error"]) for row in found] == [False, True, True, True]
    assert found[3]["error"] == reason


# Answers of a type --------------------------------------------------------------------------------


class Verdict(msgspec.Struct):
    """What a customer says."""

    stars: int
    mood: Literal["good", "bad"]


GOOD = Scenario(text='{"stars": 4, "mood": "good"}')
BAD = Scenario(text='{"stars": "many", "mood": "good"}')


def test_a_wrong_answer_is_repaired_once(gateway: Gateway) -> None:
    gateway.script(BAD, GOOD)
    gateway.always(GOOD)
    found = run(rows(3), response_type=Verdict, concurrency=1)
    assert found[0] == {"text": "row-0", "stars": 4, "mood": "good", "error": None}
    assert len(gateway.requests) == 4
    run(rows(3), response_type=Verdict)
    assert len(gateway.requests) == 4


def test_an_answer_that_stays_wrong_is_a_row_error_that_says_what_is_wrong(
    gateway: Gateway,
) -> None:
    gateway.always(GOOD)
    gateway.script(BAD, BAD)
    found = run(rows(3), response_type=Verdict, concurrency=1, details=True)
    assert "stars" in found[0]["error"]
    assert (found[0]["stars"], found[0]["mood"]) == (None, None)
    assert [row["stars"] for row in found[1:]] == [4, 4]
    assert len(gateway.requests) == 4


def test_a_stored_answer_that_no_longer_fits_is_asked_again(gateway: Gateway) -> None:
    most = 5

    class Stars(msgspec.Struct):
        stars: int

        def __post_init__(self) -> None:
            if self.stars > most:
                raise ValueError("too many stars")

    gateway.always(Scenario(text='{"stars": 5}'))
    run(rows(3), response_type=Stars)
    run(rows(3), response_type=Stars)
    assert gateway.begun.total() == 3
    most = 4
    gateway.always(Scenario(text='{"stars": 3}'))
    assert [row["stars"] for row in run(rows(3), response_type=Stars)] == [3] * 3
    assert gateway.begun.total() == 6
    run(rows(3), response_type=Stars)
    assert gateway.begun.total() == 6


def test_a_schema_that_the_provider_refuses_is_not_tried_by_each_row(gateway: Gateway) -> None:
    gateway.always(GOOD.but(refuses=("response_format",)))
    found = run(rows(40), response_type=Verdict, concurrency=16)
    assert [row["stars"] for row in found] == [4] * 40
    refused = [exchange for exchange in gateway.requests if exchange.status == 400]
    assert len(refused) == 1
    assert len(gateway.requests) == 40 + 1
    sent = [json.dumps(exchange.json) for exchange in gateway.requests if exchange.status == 200]
    assert all("response_format" not in each and "stars" in each for each in sent)


# Tools --------------------------------------------------------------------------------------------


def with_call(name: str, arguments: str) -> Scenario:
    """Return an answer that calls a tool first, for each row."""
    call = scenario(f"call:{name}:{arguments}")
    done = Scenario(text="done")
    return done.but(rows=(RowFault(1, done.but(first=call, first_times=1)),))


def test_a_tool_that_asks_a_model_needs_no_second_place(gateway: Gateway) -> None:
    gateway.concurrency = 1
    gateway.always(with_call("sum_up", '{"text": "x"}'))
    model = create_model()

    async def sum_up(text: str) -> str:
        """Sum up a text."""
        gateway.script("say:short")
        answer = await model.generate_text(messages=[{"role": "user", "content": "row-900"}])
        return str(answer.text)

    found = run(rows(4), tools=[sum_up], concurrency=1)
    assert [row["answer"] for row in found] == ["done"] * 4
    assert gateway.tally.running_peak == 1


def test_a_tool_of_one_row_does_not_keep_the_others_from_being_sent(gateway: Gateway) -> None:
    gateway.concurrency = 1
    gateway.always(with_call("wait", "{}"))
    running, most = 0, 0
    all_wait = asyncio.Event()

    async def wait() -> str:
        """Wait until all rows wait."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 4:
            all_wait.set()
        await asyncio.wait_for(all_wait.wait(), 30)
        return "ready"

    found = run(rows(4), tools=[wait], concurrency=4)
    assert [row["answer"] for row in found] == ["done"] * 4
    assert most == 4
    assert gateway.tally.running_peak == 1


def test_a_row_whose_tool_runs_while_the_batch_stops_goes_on_to_its_end(gateway: Gateway) -> None:
    called = scenario("call:wait:{}")
    with_tool = RowFault(1000, Scenario(text="done").but(first=called, first_times=1), rest=0)
    denied = RowFault(1000, scenario("error:ACCESS_TOKEN_EXPIRED"), rest=1)
    gateway.always(scenario("echo").but(rows=(with_tool, denied)))
    has_stopped = threading.Event()

    def wait() -> str:
        """Wait until the batch has stopped."""
        assert has_stopped.wait(30)
        return "ready"

    class Watch:
        """Lets the tool return once a row has failed."""

        def show(self, progress: Progress) -> None:
            if progress.failed:
                has_stopped.set()

        end = show

    found = run(rows(10), tools=[wait], concurrency=2, progress=Watch())
    assert last().status == "stopped"
    assert found[0]["answer"] == "done"


def test_a_tool_that_fails_and_one_that_asks_first(gateway: Gateway) -> None:
    def broken(text: str) -> str:
        """Break."""
        raise ValueError("broken")

    gateway.always(with_call("broken", '{"text": "x"}'))
    found = run(rows(4), tools=[broken])
    assert [row["answer"] for row in found] == ["done"] * 4
    before = len(gateway.requests)
    asks = cbai.tool(broken, confirm=True)
    with pytest.raises(UsageError, match="asks before each call"):
        run(rows(4), tools=[asks])
    assert len(gateway.requests) == before


# Images -------------------------------------------------------------------------------------------


def test_a_missing_image_is_an_error_of_its_row(gateway: Gateway, tmp_path: Path) -> None:
    for number in (0, 2):
        (tmp_path / f"{number}.png").write_bytes(png(2 + number, 2))
    data = [{"text": f"row-{at}", "path": str(tmp_path / f"{at}.png")} for at in range(3)]
    found = run(data, images="path")
    assert answered(found) == {0, 2}
    assert "1.png" in found[1]["error"]
    assert len(gateway.requests) == 2
    run(list(reversed(data)), images="path")
    assert len(gateway.requests) == 2


# Values -------------------------------------------------------------------------------------------


def test_rows_without_a_value_are_not_sent_or_sent_or_stop_the_batch(gateway: Gateway) -> None:
    data = pd.DataFrame({"text": ["row-0", None, "", float("nan")], "n": [1, 2, 3, 4]})
    found = run(data, "{text} and {n}")
    assert found["error"].notna().tolist() == [False, True, False, True]
    assert "text has no value" in found["error"][1]
    assert len(gateway.requests) == 2
    assert last().progress.missing == 2
    run(data, "{text} and {n}", missing="send")
    assert len(gateway.requests) == 4
    with pytest.raises(UsageError, match="text"):
        run(data, "{text} or {n}", missing="raise")
    assert len(gateway.requests) == 4


def test_a_secret_in_a_row_stays_here(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_TOKEN", "tok-4f9a8b7c6d5e4f3a2b1c")
    data = [*rows(3), {"text": "row-3 tok-4f9a8b7c6d5e4f3a2b1c"}]
    found = run(data)
    assert answered(found) == {0, 1, 2}
    assert "SHOP_API_TOKEN" in found[3]["error"]
    assert not any(b"tok-4f9a" in exchange.body for exchange in gateway.requests)
    with pytest.raises(SecretRefusedError):
        run(rows(3), "tok-4f9a8b7c6d5e4f3a2b1c {text}")
    assert len(gateway.requests) == 3
    assert answered(run(data, allow_secrets=True)) == {0, 1, 2, 3}


def test_before_send_changes_and_refuses_rows(gateway: Gateway) -> None:
    def check(messages: list[Any]) -> list[Any]:
        text = messages[-1]["content"]
        if "row-2" in text:
            raise ValueError("row-2 is private")
        return [{**messages[-1], "content": text.replace("row", "line")}]

    cbai.configure(before_send=check)
    found = run(rows(4))
    assert answered(found) == {0, 1, 3}
    assert "row-2 is private" in found[2]["error"]
    assert [row["answer"] for row in found if not row["error"]] == ["Rate line-0", "Rate line-1", "Rate line-3"]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "prompt", "says"),
    [
        ([{"text": "a"}], "Rate {txet}", "text"),
        ([{"text": "a"}], "Rate this", "same prompt"),
        ([{"text": "a", "answer": "b"}], PROMPT, "answer"),
        (pl.LazyFrame({"text": ["a"]}), PROMPT, "collect"),
        (pd.Series(["a"], name="text"), PROMPT, "Series"),
        ({"text": ["a"]}, PROMPT, "dict"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(
    gateway: Gateway, data: Any, prompt: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        run(data, prompt)
    assert not gateway.requests


def test_an_index_with_duplicates_multiplies_nothing(gateway: Gateway) -> None:
    data = pd.DataFrame({"text": ["row-0", "row-1", "row-2"]}, index=[7, 7, 7])
    found = run(data)
    assert found["answer"].tolist() == ["Rate row-0", "Rate row-1", "Rate row-2"]
    assert found.index.tolist() == [7, 7, 7]
    assert found["error"].isna().all()


@pytest.mark.parametrize("frame", [pd.DataFrame({"text": []}), pl.DataFrame({"text": []}), []])
def test_an_empty_frame_sends_nothing(gateway: Gateway, frame: Any) -> None:
    found = run(frame)
    assert type(found) is type(frame)
    assert len(found) == 0
    if not isinstance(frame, list):
        assert list(found.columns) == ["text", "answer", "error"]
    assert not gateway.requests


def test_a_generator_that_breaks_keeps_what_was_paid_for(gateway: Gateway) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from rows(600)
        raise OSError("the disk was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        run(broken(), concurrency=8)
    paid = gateway.begun.total()
    assert last().status == "interrupted"
    assert answered(run(rows(600))) == set(range(600))
    assert paid <= 600
    assert paid_twice(gateway) == 0  # those that were under way went on to their end


@pytest.mark.parametrize("count", [0, 1, 40])
async def test_a_batch_that_is_cancelled_keeps_what_had_arrived(
    gateway: Gateway, count: int
) -> None:
    gateway.always(scenario("echo").but(after=scenario("echo+hold:headers"), after_answers=count))
    batch = Batch(rows(100), PROMPT, BatchOptions(progress=False, concurrency=8))
    running = asyncio.ensure_future(batch.run())
    await asyncio.to_thread(gateway.wait_until, lambda: gateway.begun.total() > count)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert batch.status == "interrupted"
    stored = answered(batch.frame)
    assert count - 8 <= len(stored) <= count
    gateway.always("echo")
    gateway.let_go()
    again = Batch(rows(100), PROMPT, BatchOptions(progress=False, concurrency=8))
    await again.run()
    assert answered(again.frame) == set(range(100))
    assert again.progress.known == len(stored)
    assert paid_twice(gateway) <= 8  # those that were under way


# Prompts go first ---------------------------------------------------------------------------------


async def test_a_prompt_goes_before_the_rows_that_wait(gateway: Gateway) -> None:
    gateway.concurrency = 2
    gateway.always("echo+hold:headers")
    model = create_model()
    batch = Batch(rows(12), PROMPT, BatchOptions(progress=False, concurrency=12))
    running = asyncio.ensure_future(batch.run())
    gate = gate_of(gateway.base_url, gateway.key)
    while gate.refusals < 2:
        await asyncio.sleep(0.01)
    asked = asyncio.ensure_future(
        model.generate_text(messages=[{"role": "user", "content": "row-900"}])
    )
    await asyncio.sleep(0.1)  # it could be sent in this time
    assert len(gateway.requests) == 4
    gateway.always("echo")
    gateway.let_go()
    answer = await asked
    assert answer.text == "row-900"
    # Two places were free, and the server may have read either request first.
    assert "row-900" in [request.row for request in gateway.requests[4:6]]
    await running
    assert answered(batch.frame) == set(range(12))


# The store ----------------------------------------------------------------------------------------


def test_without_a_history_answers_are_known_while_the_process_runs(gateway: Gateway) -> None:
    cbai.configure(history="off")
    for _ in range(2):
        assert answered(run(rows(5))) == set(range(5))
        assert gateway.begun.total() == 5


def test_a_damaged_store_is_told_before_anything_is_paid(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    file.write_bytes(b"This is no database. " * 500)
    with pytest.raises(HistoryError, match="damaged"):
        run(rows(5))
    assert not gateway.requests
    assert file.read_bytes() == b"This is no database. " * 500


def test_a_locked_store_is_told_before_anything_is_paid(gateway: Gateway, tmp_path: Path) -> None:
    run(rows(2))
    lock = sqlite3.connect(tmp_path / "answers.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryError, match="locked by another program"):
        run(rows(5))
    lock.execute("COMMIT")
    lock.close()
    assert len(gateway.requests) == 2
    assert answered(run(rows(5))) == set(range(5))
    assert paid_twice(gateway) == 0


class FullStore(AnswerStore):
    """A store whose disk is full after some answers."""

    room = 10

    def request_add(self, answers: Any, run: int, done: Done) -> None:
        """Store answers as long as there is room."""
        self.room -= len(answers)
        if self.room >= 0:
            super().request_add(answers, run, done)
        else:
            done(HistoryError("The disk is full."))


def test_answers_that_cannot_be_stored_end_the_batch_and_are_in_the_frame(
    gateway: Gateway, tmp_path: Path
) -> None:
    gateway.always(QUICK)
    store = FullStore(tmp_path / "full.sqlite")
    batch = Batch(rows(200), PROMPT, BatchOptions(progress=False, concurrency=8), store)
    cbai.run(batch.run())
    assert batch.status == "stopped"
    assert "The disk is full." in batch.reason
    count = len(answered(batch.frame))
    assert 10 <= count <= 10 + 2 * 8 + 4
    assert gateway.begun.total() == count
    store.close()


FULL = """
import resource, sys, threading
import cbai_notebook as cbai

cbai.configure(base_url=sys.argv[1], api_key=sys.argv[3], model="hy3", history=sys.argv[2])
data = [{"text": f"row-{number}" + " long" * 2000} for number in range(400)]

def limit():
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, hard))

limit()
found = cbai.batch(data, "Rate {text}", progress=False, concurrency=8)
batch = cbai.last_batch()
print(batch.status, sum(row["error"] is None for row in found), batch.reason, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_ends_the_batch_and_the_next_run_pays_for_the_rest(
    gateway: Gateway, tmp_path: Path
) -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            FULL,
            gateway.base_url,
            str(tmp_path / "history.sqlite"),
            gateway.key,
        ],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    status, count, reason = child.stdout.split(" ", 2)
    assert status == "stopped", child.stderr
    assert "Make room" in reason
    assert gateway.begun.total() == int(count)
    data = [{"text": f"row-{number}" + " long" * 2000} for number in range(400)]
    assert answered(run(data, concurrency=8)) == set(range(400))
    # What could not be stored was in the frame of the first run, and is paid for again.
    assert paid_twice(gateway) <= 2 * 8 + 4
