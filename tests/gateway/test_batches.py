"""What a batch needs: answers counted by row, limits that change, and faults for some rows."""

from __future__ import annotations

import json
import math
from email.utils import parsedate_to_datetime
from time import time

import httpx
import pytest

from tests.gateway import Gateway, Rate, Scenario, SpecError, http_date, parse, reading, serve
from tests.gateway.asking import RawClient, ask
from tests.gateway.limits import Bucket


def statuses(gateway: Gateway, model: str, rows: range) -> list[int]:
    """Ask about each row, one after the other; return the HTTP statuses."""
    return [
        ask(gateway, model, f"Rate row-{row}, please", stream=False).status_code for row in rows
    ]


def codes(answers: list[httpx.Response]) -> list[str]:
    return [answer.json()["code"] for answer in answers]


# Answers that were begun


def test_answers_are_counted_by_the_mark_of_their_row(gateway: Gateway) -> None:
    ask(gateway, "echo", "Rate row-7: bitter")
    ask(gateway, "echo", "Rate row-7: sweet", stream=False)
    ask(gateway, "echo", "Rate row-71: sweet and row-2")
    assert gateway.begun == {"row-7": 2, "row-71": 1}
    assert gateway.last.row == "row-71"


def test_rows_without_a_mark_are_told_apart_by_their_text(gateway: Gateway) -> None:
    for prompt in ("bitter", "sweet", "bitter", "arrow-1"):
        ask(gateway, "echo", prompt)
    assert gateway.begun == {"bitter": 2, "sweet": 1, "arrow-1": 1}


def test_the_last_user_message_names_the_row(gateway: Gateway) -> None:
    messages = [
        {"role": "system", "content": "row-1"},
        {"role": "user", "content": "row-2"},
        {"role": "assistant", "content": "row-3"},
        {"role": "user", "content": [{"type": "text", "text": "row-4"}]},
        {"role": "assistant", "content": "row-5"},
    ]
    ask(gateway, "echo", messages=messages)
    assert gateway.begun == {"row-4": 1}


@pytest.mark.parametrize(
    "spec", ["error:400", "error:500", "html:502", "garbage", "redirect", "error-in-200:INTERNAL"]
)
def test_an_answer_that_is_an_error_begins_none(gateway: Gateway, spec: str) -> None:
    try:
        ask(gateway, spec)
    except httpx.RemoteProtocolError:
        assert spec == "garbage"
    assert gateway.begun == {}


@pytest.mark.parametrize("spec", ["cut:headers", "cut:2", "midstream-error", "stop:1"])
def test_an_answer_that_breaks_off_was_begun(gateway: Gateway, spec: str) -> None:
    try:
        ask(gateway, spec, "row-1")
    except httpx.RemoteProtocolError:
        assert spec.startswith("cut")
    assert gateway.begun == {"row-1": 1}


def test_an_answer_that_the_client_leaves_was_begun(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("hang:headers", "row-1")
        gateway.wait_until(lambda: gateway.begun["row-1"] == 1)
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert gateway.begun == {"row-1": 1}


# Limits


def test_the_limit_of_answers_at_once_can_change_while_they_run() -> None:
    with serve(concurrency=2) as gateway, RawClient(gateway) as one, RawClient(gateway) as two:
        one.send("hold:headers", "row-1")
        gateway.wait_until(lambda: gateway.tally.running == 1)
        two.send("hold:headers", "row-2")
        gateway.wait_until(lambda: gateway.tally.running == 2)
        gateway.concurrency = 1
        refused = [ask(gateway, "echo", "row-3")]
        gateway.concurrency = 3
        assert ask(gateway, "echo", "row-3").status_code == 200
        gateway.concurrency = 2
        refused.append(ask(gateway, "echo", "row-3"))
        assert codes(refused) == ["EXCEED_CONCURRENT_REQUEST_LIMIT"] * 2
        assert gateway.refused == {"EXCEED_CONCURRENT_REQUEST_LIMIT": 2}
        assert gateway.begun == {"row-1": 1, "row-2": 1, "row-3": 1}
        gateway.let_go()
        gateway.wait_until(lambda: gateway.tally.running == 0)
        assert gateway.tally.running_peak == 3
        assert ask(gateway, "echo", "row-4").status_code == 200


def test_a_refusal_that_is_still_being_read_takes_no_place() -> None:
    with serve(concurrency=1) as gateway, RawClient(gateway) as raw:
        gateway.storm(refusal="error:429+hold:headers")
        raw.send("echo", "row-1")
        gateway.wait_until(lambda: gateway.in_flight == 1)
        gateway.calm()
        assert ask(gateway, "echo", "row-2").status_code == 200
        gateway.let_go()


def test_a_bucket_gives_its_burst_and_then_fills_at_its_rate() -> None:
    bucket = Bucket(Rate(per_second=2, burst=3), now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(100.25) == 0.25
    assert bucket.take(100.5) == 0
    assert bucket.take(101.0) == 0
    assert bucket.take(101.0) == 0.5
    assert [bucket.take(1000.0) for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.parametrize("given", [None, "0", "3600", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_rate_refuses_what_is_over_its_burst(given: str | None) -> None:
    with serve(rate=Rate(per_second=1e-6, burst=2, retry_after=given)) as gateway:
        answers = [ask(gateway, "echo", f"row-{number}") for number in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert answers[-1].json()["error"]["code"] == "rate_limit_exceeded"
        assert answers[-1].headers.get("retry-after") == given
        assert gateway.refused == {"rate_limit_exceeded": 2}
        assert gateway.begun == {"row-0": 1, "row-1": 1}
        gateway.rate = None
        assert ask(gateway, "echo").status_code == 200


def test_a_rate_can_say_how_long_to_wait() -> None:
    with serve(rate=Rate(per_second=1e-4, retry_after="seconds")) as gateway:
        ask(gateway, "echo")
        assert int(ask(gateway, "echo").headers["retry-after"]) in range(9000, 10_001)
        gateway.rate = Rate(per_second=1e-4, retry_after="date")
        ask(gateway, "echo")
        date = parsedate_to_datetime(ask(gateway, "echo").headers["retry-after"])
        assert date.timestamp() > time()


def test_a_date_can_be_made_for_a_header() -> None:
    assert parsedate_to_datetime(http_date(3600)).timestamp() - time() == pytest.approx(
        3600, abs=60
    )


def test_a_rate_can_be_written_as_text() -> None:
    assert Rate.parse("5") == Rate(5)
    assert Rate.parse("0.5:10") == Rate(0.5, 10)
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert Rate.parse(f"5:1:{date}") == Rate(5, 1, date)
    with pytest.raises(ValueError):
        Rate.parse("often")


def test_a_storm_refuses_all_until_it_is_over(gateway: Gateway) -> None:
    gateway.storm(refusal="error:429:rate_limit_exceeded+retry-after:3600")
    answers = [ask(gateway, "echo", "row-1") for _ in range(3)]
    assert codes(answers) == ["rate_limit_exceeded"] * 3
    assert answers[0].headers["retry-after"] == "3600"
    assert gateway.refused == {"rate_limit_exceeded": 3}
    gateway.calm()
    assert ask(gateway, "echo", "row-1").status_code == 200
    gateway.storm(0)
    assert ask(gateway, "echo", "row-1").status_code == 200
    gateway.storm(math.inf, Scenario(status=503, body=b"busy"))
    assert ask(gateway, "echo", "row-1").text == "busy"
    assert gateway.refused == {"rate_limit_exceeded": 3, "503": 1}


# Faults of some rows


def test_every_kth_row_has_a_fault_however_often_it_is_asked(gateway: Gateway) -> None:
    spec = "echo+every:3:error:400"
    assert statuses(gateway, spec, range(5)) == [400, 200, 200, 400, 200]
    assert statuses(gateway, spec, range(3, 7)) == [400, 200, 200, 400]
    assert set(gateway.begun) == {"row-1", "row-2", "row-4", "row-5"}


def test_rows_without_a_mark_are_numbered_as_they_come(gateway: Gateway) -> None:
    asked = ["a", "b", "c", "b", "a", "d"]
    found = [ask(gateway, "echo+every:2/1:error:400", text).status_code for text in asked]
    assert found == [200, 400, 200, 400, 200, 400]


def test_several_faults_hit_several_rows(gateway: Gateway) -> None:
    spec = "say:good+every:10/1:error:400+every:10/2:finish:length+every:10/3:finish:content_filter"
    assert statuses(gateway, spec, range(5)) == [200, 400, 200, 200, 200]
    reasons = []
    for row in (2, 3, 4):
        (choice,) = ask(gateway, spec, f"row-{row}", stream=False).json()["choices"]
        assert choice["message"]["content"] == "good"
        reasons.append(choice["finish_reason"])
    assert reasons == ["length", "content_filter", "stop"]


def test_a_row_can_fail_once_and_then_be_answered(gateway: Gateway) -> None:
    spec = "say:good+every:2:first:1:error:500"
    assert statuses(gateway, spec, range(4)) == [500, 200, 500, 200]
    assert statuses(gateway, spec, range(4)) == [200] * 4
    assert statuses(gateway, spec, range(4)) == [200] * 4
    assert reading.joined(ask(gateway, spec, "row-0").content) == "good"


def test_a_row_can_have_broken_json_or_lose_its_connection(gateway: Gateway) -> None:
    spec = "echo+every:5/1:bad-json+every:5/2:cut:headers+every:5/3:pause:headers:0%2Berror:500"
    broken = ask(gateway, spec, "row-1", stream=False)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, spec, "row-2")
    assert ask(gateway, spec, "row-3").status_code == 500
    assert ask(gateway, spec, "row-4").status_code == 200


@pytest.mark.parametrize(
    "spec", ["every:0:error:400", "every:3", "every:x:echo", "after:2:nonsense"]
)
def test_a_wrong_fault_of_rows_is_an_error(spec: str) -> None:
    with pytest.raises(SpecError):
        parse(f"echo+{spec}")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("error:ACCESS_TOKEN_EXPIRED", 401),
        ("error:402", 402),
        ("error:AI_MODEL_NOT_SUPPORTED", 403),
        ("error:EXCEED_TOKEN_QUOTA_LIMIT", 429),
    ],
)
def test_after_some_answers_the_server_refuses_all(
    gateway: Gateway, word: str, status: int
) -> None:
    gateway.always(f"echo+every:2:error:400+after:2:{word}")
    # A row that fails is no answer, and does not count.
    assert statuses(gateway, "m", range(4)) == [400, 200, 400, 200]
    assert statuses(gateway, "m", range(4)) == [status] * 4
    assert gateway.begun == {"row-1": 1, "row-3": 1}
    gateway.always("echo")
    assert statuses(gateway, "m", range(4)) == [200] * 4
