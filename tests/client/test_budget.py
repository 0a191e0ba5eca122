"""Budgets: reserved before each request, settled after it, and never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.client.budget import (
    FIRST_ANSWER,
    IMAGE,
    SESSION,
    Budget,
    Reservation,
    Spending,
    Used,
    session_budget,
    tokens_of,
)
from cbai_notebook.client.chat_wire import Usage
from cbai_notebook.client.loop_waiters import Stop, StoppedError
from cbai_notebook.client.model import Model
from cbai_notebook.client.settings import settings as current_settings
from cbai_notebook.errors import BudgetError, ConfigurationError, ServerError, StreamCutError
from tests.client.conftest import MESSAGES
from tests.gateway import Gateway
from tests.gateway.tools import calling
from tests.sample_tools import add
from tests.virtual_time import run_in_virtual_time

PRICES = {"hy3": (1_000_000.0, 2_000_000.0)}  # 1 a token sent, 2 a token answered


def request(text: str = "", model: str = "hy3", **body: Any) -> dict[str, Any]:
    """Return the body of a request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **body}


def usage(sent: int, answered: int) -> Usage:
    return Usage(prompt_tokens=sent, completion_tokens=answered, total_tokens=sent + answered)


def reserve(budget: Budget, *requests: dict[str, Any]) -> list[Any]:
    """Reserve what some requests may use, without waiting."""

    async def all_of_them() -> list[Any]:
        return [await budget.reserve(each) for each in requests]

    return run_in_virtual_time(all_of_them())


# What a request may use ---------------------------------------------------------------------------


def test_half_a_token_is_reserved_for_each_character_and_more_for_an_image() -> None:
    assert tokens_of(request("x" * 1000)) in range(500, 520)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 90_000}}
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 100}, picture]}]}  # fmt: skip
    found = tokens_of(body)
    assert IMAGE <= found <= IMAGE + 100


def test_max_tokens_is_reserved_for_the_answer_else_the_mean_of_the_answers() -> None:
    budget = Budget(Spending(), tokens=100_000)
    first, given, other = reserve(
        budget, request(), request(max_tokens=50), request(max_completion_tokens=70)
    )
    assert [each.answered for each in (first, given, other)] == [FIRST_ANSWER, 50, 70]
    for each, answered in ((first, 100), (given, 20), (other, 30)):
        budget.settle(each, usage=usage(5, answered))
    assert reserve(budget, request())[0].answered == 50


# Settling -----------------------------------------------------------------------------------------


def test_what_was_used_takes_the_place_of_what_was_reserved() -> None:
    spending = Spending()
    budget = Budget(spending, tokens=200, cost=300, prices=PRICES)
    asked = request(max_tokens=100)
    (held,) = reserve(budget, asked)
    with pytest.raises(BudgetError):
        reserve(budget, asked)
    budget.settle(held, usage=usage(10, 20))
    assert (spending.tokens, spending.cost, spending.used.answers) == (30, 50, 1)
    reserve(budget, asked)


def test_an_answer_without_counts_costs_what_was_reserved() -> None:
    spending = Spending()
    budget = Budget(spending, tokens=1000)
    asked = request("x" * 100, max_tokens=40)
    (held,) = reserve(budget, asked)
    budget.settle(held, usage=None)
    assert spending.tokens == held.sent + 40


def test_an_error_costs_what_had_arrived() -> None:
    spending = Spending()
    budget = Budget(spending, tokens=1000)
    asked = request("x" * 100, max_tokens=40)
    (held,) = reserve(budget, asked)
    budget.settle(held, error=ServerError("broken"))
    assert (spending.tokens, spending.used.answers) == (0, 0)
    (held,) = reserve(budget, asked)
    cut = StreamCutError("cut", answer_began=True, partial="y" * 20)
    budget.settle(held, error=cut)
    assert spending.tokens == held.sent + 10
    (held,) = reserve(budget, asked)
    budget.settle(held, error=asyncio.CancelledError())
    assert spending.tokens == held.sent + 10


def test_what_another_process_has_used_is_taken_from_it_once_and_counted_here() -> None:
    there = Budget(Spending(), tokens=1000)
    for held in reserve(there, request(max_tokens=40), request(max_tokens=40)):
        there.settle(held, usage=usage(10, 20))
    here = Budget(Spending(), tokens=100, prices=PRICES)
    here.spend("hy3", there.spending.take())
    here.spend("hy3", there.spending.take())
    assert here.spending.used == Used(sent=20, answered=40, answers=2)
    assert (here.spending.tokens, here.spending.cost) == (60, 100)
    assert reserve(here, request())[0].answered == 20, "the mean of the answers"


def test_what_is_reserved_in_several_budgets_is_reserved_in_all_or_in_none() -> None:
    async def test() -> None:
        asked = request(max_tokens=50)
        size = tokens_of(asked) + 50
        large, small = Budget(Spending(), tokens=2 * size), Budget(Spending(), tokens=size)
        first = await Reservation.make((large, small), asked)
        with pytest.raises(BudgetError):
            await Reservation.make((large, small), asked)
        large.release(await large.reserve(asked))  # there is room for two again
        first.release()
        second = await Reservation.make((large, small), asked)
        second.settle(usage=usage(5, 7))
        assert [each.spending.tokens for each in (large, small)] == [12, 12]

    run_in_virtual_time(test())


def test_counts_of_an_answer_that_failed_are_taken_as_they_are() -> None:
    spending = Spending()
    budget = Budget(spending, tokens=1000)
    (held,) = reserve(budget, request())
    budget.settle(held, usage=usage(7, 3), error=StreamCutError("cut"))
    assert spending.tokens == 10


# Limits -------------------------------------------------------------------------------------------


def test_the_limit_itself_may_be_used_and_no_token_more() -> None:
    size = tokens_of(request())
    reserve(Budget(Spending(), tokens=size + 10), request(max_tokens=10))
    with pytest.raises(BudgetError):
        reserve(Budget(Spending(), tokens=size + 9), request(max_tokens=10))
    with pytest.raises(BudgetError):
        reserve(Budget(Spending(), tokens=0), request())


def test_a_price_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(ConfigurationError, match=r"price of glm.*prices=\{'glm'"):
        reserve(Budget(Spending(), cost=1.0, prices=PRICES), request(model="glm"))
    assert Budget(Spending(), tokens=5, prices=PRICES).cost_of("glm", 100, 100) == 0
    reserve(Budget(Spending(), tokens=5000, prices=PRICES), request(model="glm"))


def test_money_is_reserved_by_the_prices_of_the_model() -> None:
    sent = tokens_of(request())
    enough = sent * 1 + 10 * 2
    reserve(Budget(Spending(), cost=enough, prices=PRICES), request(max_tokens=10))
    with pytest.raises(BudgetError, match=f"{enough - 1}"):
        reserve(Budget(Spending(), cost=enough - 1, prices=PRICES), request(max_tokens=10))


def test_both_limits_hold_and_the_sentence_names_the_one_that_is_reached() -> None:
    budget = Budget(Spending(), tokens=1_000_000, cost=10, prices=PRICES)
    with pytest.raises(BudgetError, match="max_cost"):
        reserve(budget, request(max_tokens=100))
    budget = Budget(Spending(), tokens=10, cost=1_000_000, prices=PRICES)
    with pytest.raises(BudgetError, match="max_total_tokens"):
        reserve(budget, request(max_tokens=100))


# Waiting for room ---------------------------------------------------------------------------------


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_row_waits_while_others_may_use_less_than_they_have_reserved() -> None:
    async def test() -> None:
        budget = Budget(Spending(), tokens=150)
        asked = request(max_tokens=100)
        held = await budget.reserve(asked)
        waiting = [asyncio.ensure_future(budget.reserve(asked, waits=True)) for _ in range(3)]
        await settled()
        assert not any(each.done() for each in waiting)
        with pytest.raises(BudgetError):
            await budget.reserve(asked)  # a prompt does not wait
        budget.settle(held, usage=usage(1, 1))
        await settled()
        assert [each.done() for each in waiting] == [True, False, False]
        waiting[1].cancel()
        budget.settle(waiting[0].result(), usage=usage(40, 60))
        await settled()
        # Nothing is reserved any more that could become free.
        assert isinstance(waiting[2].exception(), BudgetError)

    run_in_virtual_time(test())


def test_a_batch_that_stops_waits_for_no_room() -> None:
    async def test() -> None:
        budget, stop = Budget(Spending(), tokens=150), Stop()
        asked = request(max_tokens=100)
        held = await budget.reserve(asked)
        waiting = asyncio.ensure_future(budget.reserve(asked, waits=True, stop=stop))
        await settled()
        stop.set()
        await settled()
        assert isinstance(waiting.exception(), StoppedError)
        budget.settle(held, usage=usage(1, 1))
        assert (await budget.reserve(asked)).answered == 100

    run_in_virtual_time(test())


# The session --------------------------------------------------------------------------------------


@pytest.fixture
def session(gateway: Gateway) -> Iterator[None]:
    """Send the requests of the session to the gateway; the test sets a limit."""
    cbai.configure(base_url=gateway.base_url, api_key=gateway.key, model="echo")
    yield
    cbai.configure(
        base_url=None, api_key=None, model=None, max_total_tokens=None, max_cost=None, prices=None
    )


def allow(tokens: int) -> None:
    """Let the session use so many tokens more."""
    cbai.configure(max_total_tokens=SESSION.tokens + tokens)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_limit_of_the_session_stops_the_next_request_before_it_is_sent(
    session: None, gateway: Gateway, stream: bool
) -> None:
    before = SESSION.tokens
    model = cbai.create_model()

    async def ask() -> str:
        if stream:
            async with await model.stream_text(messages=MESSAGES, max_tokens=20) as running:
                return (await running.finish()).text
        return (await model.generate_text(messages=MESSAGES, max_tokens=20)).text

    allow(60)
    model = cbai.create_model()
    assert await ask()
    while SESSION.tokens == before:  # a stream settles when its connection has ended
        await asyncio.sleep(0)
    used = SESSION.tokens - before
    assert 0 < used < 60
    allow(10)
    model = cbai.create_model()
    with pytest.raises(BudgetError) as raised:
        await ask()
    assert len(gateway.requests) == 1
    assert "Nothing was sent." in str(raised.value)
    assert "cbai.configure(max_total_tokens=…)" in str(raised.value)
    assert SESSION.tokens - before == used
    cbai.configure(max_total_tokens=None)
    model = cbai.create_model()
    assert await ask()


async def test_a_tool_loop_ends_before_the_request_that_is_too_much(
    session: None, gateway: Gateway
) -> None:
    gateway.always(calling('add {"x": 1, "y": 2}'))
    allow(400)
    with pytest.raises(BudgetError):
        await cbai.create_model().generate_text(
            messages=MESSAGES, tools=[add], max_steps=50, max_tokens=40
        )
    assert 2 <= len(gateway.requests) < 40
    assert all(exchange.status == 200 for exchange in gateway.requests)


async def test_a_request_that_failed_gives_back_what_it_has_reserved(
    session: None, gateway: Gateway
) -> None:
    allow(100)
    model = cbai.create_model()
    gateway.always("error:400")
    for _ in range(20):
        with pytest.raises(cbai.CbaiError) as raised:
            await model.generate_text(messages=MESSAGES, max_tokens=50)
        assert not isinstance(raised.value, BudgetError)
    gateway.always("echo")
    assert (await model.generate_text(messages=MESSAGES, max_tokens=50)).text


async def test_a_stream_that_is_left_gives_back_what_it_has_reserved(
    session: None, gateway: Gateway
) -> None:
    allow(2000)
    model = cbai.create_model()
    before = SESSION.tokens
    gateway.always("hold:3")
    async with await model.stream_text(messages=MESSAGES, max_tokens=1500):
        pass
    gateway.always("echo")
    assert SESSION.tokens - before < 1900
    assert (await model.generate_text(messages=MESSAGES, max_tokens=50)).text


# Values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("max_total_tokens", -1, "0 or more, not -1"),
        ("max_total_tokens", 1.5, "whole number"),
        ("max_total_tokens", True, "whole number"),
        ("max_total_tokens", "many", "not 'many'"),
        ("max_total_tokens", float("inf"), "inf"),
        ("max_cost", -0.1, "0 or more"),
        ("max_cost", float("nan"), "nan"),
        ("max_cost", [1], "takes a number"),
        ("prices", 3, "takes a dict"),
        ("prices", {"hy3": 1}, "two numbers"),
        ("prices", {"hy3": (1,)}, "two numbers"),
        ("prices", {"hy3": (1, -1)}, "two numbers"),
        ("prices", {"hy3": (1, True)}, "two numbers"),
        ("prices", {3: (1, 2)}, "two numbers"),
    ],
)
def test_a_wrong_limit_is_told_and_changes_nothing(name: str, value: Any, says: str) -> None:
    before = current_settings()
    with pytest.raises(ConfigurationError, match=says):
        cbai.configure(model="changed", **{name: value})
    assert current_settings() == before


def test_limits_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBAI_MAX_TOTAL_TOKENS", "250000")
    monkeypatch.setenv("CBAI_MAX_COST", "1.5")
    settings = current_settings()
    assert (settings.max_total_tokens, settings.max_cost) == (250_000, 1.5)
    monkeypatch.setenv("CBAI_MAX_TOTAL_TOKENS", "a lot")
    with pytest.raises(ConfigurationError, match="not 'a lot'"):
        current_settings()


def test_values_that_are_right_are_kept() -> None:
    cbai.configure(max_total_tokens=0, max_cost=2, prices={"hy3": [0.8, 2]})
    settings = current_settings()
    assert (settings.max_total_tokens, settings.max_cost) == (0, 2.0)
    assert settings.prices == {"hy3": (0.8, 2.0)}
    cbai.configure(max_total_tokens=None, max_cost=None, prices=None)
    settings = current_settings()
    assert (settings.max_total_tokens, settings.max_cost, dict(settings.prices)) == (None, None, {})
    assert not session_budget(settings).is_limited


async def test_without_a_limit_what_was_used_is_counted_all_the_same(
    model: Model, gateway: Gateway
) -> None:
    before = SESSION.tokens
    answer = await model.generate_text(model="echo", messages=MESSAGES)
    assert answer.usage is not None
    assert SESSION.tokens - before == answer.usage.total_tokens
