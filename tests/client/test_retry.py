"""Which errors are retried, how often, and that there is no retry after the first event."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stamina

from cbai_notebook import errors
from cbai_notebook.client.model import Model
from cbai_notebook.client.retry import ATTEMPTS, should_retry
from cbai_notebook.errors import CbaiError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway, Scenario

ASK = {"model": "echo", "messages": MESSAGES}


@pytest.mark.parametrize(
    "failure",
    ["error:500", "error:502", "error:503", "error:429:EXCEED_CONCURRENT_REQUEST_LIMIT",
     "error-in-200:EXCEED_CONCURRENT_REQUEST_LIMIT", "html:503", "cut:headers", "cut:head",
     "rst:headers", "garbage"],
)  # fmt: skip
@pytest.mark.parametrize("stream", [True, False])
async def test_a_failure_that_may_pass_is_tried_again(
    make_model: MakeModel, gateway: Gateway, failure: str, stream: bool
) -> None:
    gateway.script(failure, failure)
    model = make_model()
    answer = (
        await (await model.stream_text(**ASK)).finish()
        if stream
        else await model.generate_text(**ASK)
    )
    assert answer.text == MESSAGES[0]["content"]
    assert len(gateway.requests) == 3
    assert answer.timing.attempts == 3


OVERLOADED = json.dumps({"error": {"message": "overloaded", "code": 503}})


@pytest.mark.parametrize(
    "failure",
    ["cut:body", "comments+cut:body", Scenario(payloads=(OVERLOADED,)),
     Scenario(body=b": wait\n\n: wait\n\n", content_type="text/event-stream")],
)  # fmt: skip
async def test_a_stream_that_ends_before_its_first_event_is_tried_again(
    make_model: MakeModel, gateway: Gateway, failure: str | Scenario
) -> None:
    gateway.script(failure)
    answer = await (await make_model().stream_text(**ASK)).finish()
    assert answer.text
    assert len(gateway.requests) == 2


HALF_AN_EVENT = b'data: {"choices": [{"delta": {"content": "Hel'
ROLE = json.dumps({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})


@pytest.mark.parametrize(
    "failure",
    ["cut:0", "cut:1", "rst:1", "midstream-error:0", "midstream-error:1", "bad-json:1",
     "reason+cut:1", "reason+rst:3", Scenario(payloads=(ROLE, OVERLOADED)),
     Scenario(body=HALF_AN_EVENT, content_type="text/event-stream")],
)  # fmt: skip
async def test_after_the_first_event_nothing_is_tried_again(
    model: Model, gateway: Gateway, failure: str | Scenario
) -> None:
    gateway.script(failure)
    with pytest.raises(CbaiError) as raised:
        await (await model.stream_text(**ASK)).finish()
    assert len(gateway.requests) == 1
    assert raised.value.answer_began


async def test_an_error_in_a_stream_that_nobody_asked_for_is_not_tried_again(
    make_model: MakeModel, gateway: Gateway
) -> None:
    body = f"data: {ROLE}\n\ndata: {OVERLOADED}\n\n".encode()
    gateway.script(Scenario(body=body, content_type="text/event-stream"))
    with pytest.raises(errors.ServerError) as raised:
        await make_model().generate_text(**ASK)
    assert raised.value.answer_began
    assert len(gateway.requests) == 1


BEGUN = b'{"choices": [{"message": {"role": "assistant", "content": "Hel'


@pytest.mark.parametrize(
    ("body", "requests"), [(BEGUN, 1), (b"data: " + BEGUN, 1), (b"\n\n  \n", 2), (b"", 2)]
)
async def test_an_answer_that_broke_off_is_not_tried_again(
    make_model: MakeModel, gateway: Gateway, body: bytes, requests: int
) -> None:
    # More bytes are announced than are sent: the connection ends in the middle of the body.
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 99}"
    gateway.script(Scenario(raw=head.encode() + b"\r\n\r\n" + body))
    try:
        answer = await make_model().generate_text(**ASK)
    except CbaiError as error:
        assert error.answer_began
    else:
        assert answer.text
    assert len(gateway.requests) == requests


@pytest.mark.parametrize("status", [408, 409, 425])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_refusal_of_a_moment_is_tried_again(
    make_model: MakeModel, gateway: Gateway, status: int, stream: bool
) -> None:
    gateway.script(f"error:{status}")
    ask = make_model().stream_text if stream else make_model().generate_text
    await ask(**ASK)
    assert len(gateway.requests) == 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("61", "61 seconds"), ("720", "12 minutes"), ("7000", "117 minutes"), ("7201", "2 hours"),
     ("259200", "3 days")],
)  # fmt: skip
async def test_a_long_wait_is_said_in_units_that_can_be_read(
    make_model: MakeModel, gateway: Gateway, seconds: str, words: str
) -> None:
    gateway.always(f"error:429:EXCEED_CONCURRENT_REQUEST_LIMIT+retry-after:{seconds}")
    with pytest.raises(errors.RateLimitError, match=f"asks to wait {words}[.]") as raised:
        await make_model().generate_text(**ASK)
    assert raised.value.retry_after == float(seconds)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    "failure",
    ["error:400", "error:401", "error:402", "error:403", "error:404", "error:451", "redirect",
     "error:429:EXCEED_TOKEN_QUOTA_LIMIT", "error:501"],
)  # fmt: skip
async def test_a_failure_that_stays_is_not_tried_again(
    make_model: MakeModel, gateway: Gateway, failure: str
) -> None:
    gateway.always(failure)
    for ask in (make_model().stream_text, make_model().generate_text):
        before = len(gateway.requests)
        with pytest.raises(CbaiError):
            await ask(**ASK)
        assert len(gateway.requests) == before + 1


async def test_it_gives_up_with_the_last_error(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.always("error:503")
    with pytest.raises(errors.ServerError) as raised:
        await make_model().stream_text(**ASK)
    assert len(gateway.requests) == ATTEMPTS
    assert raised.value.request_id == gateway.last.request_id


@pytest.mark.parametrize(("seconds", "requests"), [("0", 2), ("60", 2), ("61", 1), ("86400", 1)])
async def test_retry_after_wins_and_too_much_of_it_is_told_at_once(
    make_model: MakeModel, gateway: Gateway, seconds: str, requests: int
) -> None:
    gateway.script(f"error:503+retry-after:{seconds}")
    try:
        await make_model().generate_text(**ASK)
    except errors.ServerError as error:
        assert error.retry_after == float(seconds)
        assert requests == 1
    assert len(gateway.requests) == requests


def test_the_wait_is_what_the_server_asked_for() -> None:
    assert should_retry(errors.ServerError("x", status=503, retry_after=7.5)) == 7.5
    assert should_retry(errors.ServerError("x", status=503)) is True
    assert should_retry(errors.ConcurrencyLimitError("x", retry_after=61)) is False
    assert should_retry(errors.QuotaExceededError("x", retry_after=1)) is False
    assert should_retry(errors.RequestTimeoutError("x", code="timeout_connect")) is True
    assert should_retry(errors.RequestTimeoutError("x", code="timeout_first_token")) is False
    assert should_retry(errors.ConnectionFailedError("x")) is True
    assert should_retry(errors.ConnectionFailedError("x", code="connection_refused")) is False
    assert should_retry(ValueError("x")) is False


async def test_retrying_can_be_switched_off(make_model: MakeModel, gateway: Gateway) -> None:
    gateway.always("error:503")
    stamina.set_active(False)
    try:
        with pytest.raises(errors.ServerError):
            await make_model().stream_text(**ASK)
    finally:
        stamina.set_active(True)
    assert len(gateway.requests) == 1


def refusal(message: str) -> Scenario:
    """Return the refusal of a field, in the words of one server or another."""
    body = json.dumps({"error": {"message": message, "code": "invalid_request"}}).encode()
    return Scenario(status=400, body=body, content_type="application/json")


@pytest.mark.parametrize(
    "message",
    ["unknown field stream_options", "Extra inputs are not permitted", "未知参数",
     "Unrecognized request argument supplied", "x" * 800 + " stream_options"],
)  # fmt: skip
async def test_a_refused_stream_options_is_left_out_from_then_on(
    make_model: MakeModel, gateway: Gateway, message: str
) -> None:
    gateway.script(refusal(message))
    for _ in range(2):
        answer = await (await make_model().stream_text(**ASK)).finish()
        assert answer.text
    assert ["stream_options" in each.json for each in gateway.requests] == [True, False, False]
    shown = await make_model().prepare(True, **ASK)
    assert "stream_options" not in shown.body
    # Another path of the same server may be another service.
    await (await make_model("hunyuan-v3").stream_text(**ASK)).finish()
    assert "stream_options" in gateway.last.json


@pytest.mark.parametrize(
    ("message", "params"),
    [("unknown field: top_k", {"top_k": 1}), ("temperature is too high", {}),
     ("stream_options is wrong", {"stream_options": {"include_obfuscation": False}})],
)  # fmt: skip
async def test_a_refusal_of_something_else_is_not_blamed_on_stream_options(
    make_model: MakeModel, gateway: Gateway, message: str, params: dict[str, Any]
) -> None:
    gateway.script(refusal(message))
    with pytest.raises(errors.BadRequestError):
        await make_model().stream_text(**ASK, **params)
    assert len(gateway.requests) == 1
    await (await make_model().stream_text(**ASK)).finish()
    assert "stream_options" in gateway.last.json


async def test_a_field_is_not_remembered_when_the_request_fails_without_it_too(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.script(refusal("unknown field stream_options"), "error:401")
    with pytest.raises(errors.AuthenticationError):
        await make_model().stream_text(**ASK)
    await (await make_model().stream_text(**ASK)).finish()
    assert ["stream_options" in each.json for each in gateway.requests] == [True, False, True]


async def test_retrying_says_nothing_on_its_own(
    make_model: MakeModel, gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway.script("error:503")
    await make_model().generate_text(**ASK)
    assert capfd.readouterr() == ("", "")
