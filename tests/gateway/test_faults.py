"""Every fault happens at its stage, and the log has the result of the request."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.gateway import Error, Fault, Gateway, Scenario, reading, serve
from tests.gateway.asking import PATH, RawClient, ask, body, client
from tests.gateway.errors import CODES

# Errors


@pytest.mark.parametrize(("code", "status"), [(code, CODES[code][0]) for code in CODES])
@pytest.mark.parametrize("stream", [True, False])
def test_every_error_comes_with_its_status(
    gateway: Gateway, code: str, status: int, stream: bool
) -> None:
    answer = ask(gateway, f"error:{code}", stream=stream)
    assert answer.status_code == gateway.last.status == status
    value = answer.json()
    assert set(value) == {"code", "message", "requestId"}
    assert value["code"] == code
    assert value["requestId"] == answer.headers["x-request-id"]


def test_an_error_can_have_any_status_code_message_and_wait(gateway: Gateway) -> None:
    answer = ask(
        gateway, "error:429:EXCEED_CONCURRENT_REQUEST_LIMIT+retry-after:7+message:wait: 7 s"
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["message"] == "wait: 7 s"
    assert ask(gateway, "error:418").json()["code"] == "HTTP_418"
    assert ask(gateway, "error:503:NEW_CODE").json()["code"] == "NEW_CODE"
    assert ask(gateway, "error:EXCEED_TOKEN_QUOTA_LIMIT").status_code == 429
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert ask(gateway, f"error:503+retry-after:{date}").headers["retry-after"] == date
    assert "x-request-id" not in ask(gateway, "error:500+no-request-id").headers


@pytest.mark.parametrize(
    "status",
    [400, 401, 402, 403, 404, 407, 408, 409, 413, 418, 422, 423, 425, 429, 451, 500, 502, 503, 504],
)
def test_a_status_alone_is_enough(gateway: Gateway, status: int) -> None:
    assert ask(gateway, f"error:{status}").status_code == status


def test_upstream_errors_have_their_own_shape(gateway: Gateway) -> None:
    answer = ask(gateway, "error:429:rate_limit_exceeded+upstream+message:slow down")
    assert answer.json() == {
        "error": {
            "message": "slow down",
            "type": "rate_limit_error",
            "code": "rate_limit_exceeded",
        }
    }


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_can_come_inside_a_200(gateway: Gateway, stream: bool) -> None:
    answer = ask(gateway, "error-in-200:AI_MODEL_NOT_FOUND", stream=stream)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["code"] == "AI_MODEL_NOT_FOUND"
    upstream = ask(gateway, "error-in-200:AI_MODEL_NOT_FOUND+upstream", stream=stream)
    assert upstream.json()["error"]["code"] == "AI_MODEL_NOT_FOUND"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("base_resp", {"base_resp": {"status_code": 1004, "status_msg": "dry"}}),
        ("error_msg", {"error_code": 17, "error_msg": "dry"}),
        ("detail", {"detail": "dry"}),
        ("string", {"error": "dry"}),
    ],
)
def test_other_servers_write_errors_in_other_forms(
    gateway: Gateway, form: str, body: dict[str, Any]
) -> None:
    for spec in ("error:400", "error-in-200:400"):
        assert ask(gateway, f"{spec}+message:dry+form:{form}").json() == body
    event = reading.chunks(ask(gateway, f"midstream-error:1+message:dry+form:{form}").content)[-1]
    assert event == body


def test_an_error_can_be_a_list_or_text(gateway: Gateway) -> None:
    (first,) = ask(gateway, "error:400+message:dry+form:list").json()
    assert first["error"]["message"] == "dry"
    (detail,) = ask(gateway, "error:422+message:dry+form:detail_list").json()["detail"]
    assert detail["msg"] == "dry"
    text = ask(gateway, "error:502+message:dry+form:text")
    assert (text.status_code, text.text) == (502, "dry")
    assert text.headers["content-type"].startswith("text/plain")


def test_an_error_event_can_be_in_the_field_error(gateway: Gateway) -> None:
    content = ask(gateway, "midstream-error:1+upstream+message:dry+error-field+error-done").content
    line = next(one for one in content.splitlines() if one.startswith(b"error: "))
    assert json.loads(line.removeprefix(b"error: "))["error"]["message"] == "dry"
    assert content.endswith(b"data: [DONE]\n\n")


# Requests that a strict server refuses

BREW = {"id": "a", "type": "function", "function": {"name": "brew", "arguments": "{}"}}


def _past(**fields: Any) -> list[dict[str, Any]]:
    """Return the messages of a loop, whose assistant message has these fields too."""
    return [
        {"role": "user", "content": "tea"},
        {"role": "assistant", "content": "", "tool_calls": [BREW], **fields},
        {"role": "tool", "tool_call_id": "a", "content": "done"},
    ]


def _refused(answer: httpx.Response, name: str) -> bool:
    if answer.status_code == 200:
        return False
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert name in error["message"]
    return True


def test_a_strict_server_names_the_field_that_it_does_not_know(gateway: Gateway) -> None:
    spec = "echo+refuses:stream_options+refuses:reasoning_content+refuses:extra_content"
    assert not _refused(ask(gateway, spec), "")
    options = {"include_usage": True}
    assert _refused(ask(gateway, spec, stream_options=options), "stream_options")
    thought = _past(reasoning_content="Hm.")
    assert _refused(ask(gateway, spec, messages=thought), "reasoning_content")
    sealed = _past(tool_calls=[{**BREW, "extra_content": {}}])
    assert _refused(ask(gateway, spec, messages=sealed), "extra_content")
    assert not _refused(ask(gateway, spec, messages=_past()), "")


def test_a_server_can_need_a_field_after_tool_calls(gateway: Gateway) -> None:
    spec = "echo+needs:reasoning_content"
    assert not _refused(ask(gateway, spec), "")
    assert _refused(ask(gateway, spec, messages=_past()), "reasoning_content")
    assert not _refused(ask(gateway, spec, messages=_past(reasoning_content="")), "")
    spec = "echo+needs:extra_content"
    assert _refused(ask(gateway, spec, messages=_past()), "extra_content")
    sealed = _past(tool_calls=[{**BREW, "extra_content": {}}])
    assert not _refused(ask(gateway, spec, messages=sealed), "")
    half = _past(tool_calls=[{**BREW, "extra_content": {}}, BREW])
    assert _refused(ask(gateway, spec, messages=half), "extra_content")


def test_an_error_event_ends_a_stream(gateway: Gateway) -> None:
    *good, error = reading.chunks(ask(gateway, "midstream-error:2+say:a b c d").content)
    texts = [chunk["choices"][0]["delta"]["content"] for chunk in good]
    assert texts == ["", "a", " b"]
    assert error["code"] == "EXCEED_TOKEN_QUOTA_LIMIT"
    assert error["requestId"] == gateway.last.request_id


def test_an_error_event_can_be_named_and_followed(gateway: Gateway) -> None:
    named = reading.events(ask(gateway, "midstream-error:0+upstream+error-named").content)[-1]
    assert named.event == "error"
    assert "error" in json.loads(named.data)
    done = reading.events(ask(gateway, "midstream-error:1:ACCESS_DENIED+error-done").content)
    assert json.loads(done[-2].data)["code"] == "ACCESS_DENIED"
    assert done[-1].data == "[DONE]"
    rest = ask(gateway, "echo+midstream-error:1+error-goes-on", "one two three").content
    assert reading.joined(rest) == "one two three"
    assert b"EXCEED_TOKEN_QUOTA_LIMIT" in rest


def test_an_error_event_later_than_the_answer_comes_at_its_end(gateway: Gateway) -> None:
    content = ask(gateway, "say:a b+midstream-error:99").content
    assert reading.joined(content) == "a b"
    assert b"EXCEED_TOKEN_QUOTA_LIMIT" in content
    assert b"[DONE]" not in content


def test_a_proxy_answers_with_html(gateway: Gateway) -> None:
    answer = ask(gateway, "html-502")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    assert "<html>" in answer.text
    assert ask(gateway, "html:200").status_code == 200


def test_an_event_can_be_no_json(gateway: Gateway) -> None:
    events = reading.events(ask(gateway, "say:a b+bad-json:1").content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(events[2].data)
    assert events[-1].data == "[DONE]"


def test_an_answer_can_be_no_http(gateway: Gateway) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, "garbage")


def test_a_failure_can_pass(gateway: Gateway) -> None:
    model = "echo+flaky:2"
    assert [ask(gateway, model).status_code for _ in range(4)] == [503, 503, 200, 503]
    other = "echo+first:1:error:429:EXCEED_CONCURRENT_REQUEST_LIMIT"
    assert [ask(gateway, other).status_code for _ in range(2)] == [429, 200]


def test_a_body_can_be_given_word_for_word(gateway: Gateway) -> None:
    gateway.script(Scenario(body=b"not json", content_type="application/json"))
    answer = ask(gateway, "any")
    assert (answer.status_code, answer.content) == (200, b"not json")


# Hangs: nothing more is sent until the client disconnects


@pytest.mark.parametrize(
    ("stage", "seen", "tokens"),
    [
        ("headers", b"", 0),
        ("head", b"HTTP/1.1 200 OK", 0),
        ("body", b"\r\n\r\n", 0),
        ("0", b'"role":"assistant"', 0),
        ("2", b'"content":" two"', 2),
        ("finish", b'"finish_reason":"stop"', 3),
        ("done", b"[DONE]", 3),
    ],
)
def test_a_hang_at_any_stage_lasts_until_the_client_leaves(
    gateway: Gateway, stage: str, seen: bytes, tokens: int
) -> None:
    with RawClient(gateway) as raw:
        raw.send(f"echo+hang:{stage}", "one two three")
        raw.read_until(seen)
        gateway.wait_until(lambda: gateway.in_flight == 1)
        assert gateway.last.in_flight
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert not gateway.last.finished
    assert gateway.last.tokens_sent == tokens
    assert (gateway.last.status is None) == (stage in ("headers", "head"))
    gateway.wait_until(lambda: gateway.open_connections == 0)
    assert gateway.in_flight == 0


def test_a_whole_answer_hangs_too(gateway: Gateway) -> None:
    for stage, seen in (("headers", b""), ("body", b"\r\n\r\n"), ("3", b'{"id"')):
        with RawClient(gateway) as raw:
            raw.send(f"echo+hang:{stage}", stream=False)
            raw.read_until(seen)
            gateway.wait_until(lambda: gateway.in_flight == 1)
        gateway.wait_until(lambda: gateway.last.disconnected)


def test_a_pause_ends(gateway: Gateway) -> None:
    pauses = "+".join(f"pause:{stage}:0.001" for stage in ("headers", "head", "body", 1, "done"))
    assert reading.joined(ask(gateway, f"echo+{pauses}").content) == "hello"


def test_a_cancelled_answer_is_noticed_between_tokens(gateway: Gateway) -> None:
    with (
        client(gateway) as http,
        http.stream("POST", PATH, json=body("paced:100x100000")) as answer,
    ):
        next(answer.iter_raw())
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert gateway.last.tokens_sent < 100_000
    assert gateway.last.disconnected_at is not None
    assert gateway.last.head_sent_at is not None
    assert gateway.last.received_at < gateway.last.head_sent_at < gateway.last.disconnected_at


def test_a_client_that_leaves_in_the_middle_of_a_write_is_noticed(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("fat:64000000")
        raw.read_until(b"0123456789abcdef")
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert not gateway.last.finished


def test_heartbeats_are_sent_in_a_pause(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+hang:1+heartbeat:0.001")
        raw.read_until(b": heartbeat\n\n\r\nd\r\n: heartbeat\n\n")
    gateway.wait_until(lambda: gateway.last.disconnected)
    assert gateway.last.tokens_sent == 1
    assert reading.joined(ask(gateway, "echo+pause:1:0.01+heartbeat:0.001").content) == "hello"


def test_a_slow_head_arrives_byte_by_byte(gateway: Gateway) -> None:
    answer = ask(gateway, "echo+slow-head:0.0001")
    assert reading.joined(answer.content) == "hello"


# Holds: the answer waits for the test


def test_a_hold_lasts_until_the_test_lets_go(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+hold:1+hold:finish", "one two")
        raw.read_until(b'"content":"one"')
        gateway.wait_until(lambda: gateway.last.held)
        assert gateway.last.tokens_sent == 1
        gateway.let_go()
        raw.read_until(b'"finish_reason":"stop"')
        gateway.wait_until(lambda: gateway.last.held)
        assert gateway.last.in_flight
        gateway.let_go()
        raw.read_until(b"[DONE]")
    gateway.wait_until(lambda: gateway.last.finished)


@pytest.mark.parametrize("stage", ["headers", "head", "body", "done"])
def test_an_answer_can_be_held_anywhere(gateway: Gateway, stage: str) -> None:
    with RawClient(gateway) as raw:
        raw.send(f"echo+hold:{stage}+close")
        gateway.wait_until(lambda: gateway.requests and gateway.last.held)
        gateway.let_go()
        assert b"[DONE]" in raw.read_to_end()


def test_a_client_that_leaves_a_held_answer_is_noticed(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+hold:headers")
        gateway.wait_until(lambda: gateway.requests and gateway.last.held)
    gateway.wait_until(lambda: gateway.last.disconnected)


def test_letting_go_before_the_hold_opens_it_and_a_later_request_is_held(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+pause:headers:0.05+hold:1")
        gateway.wait_until(lambda: gateway.requests)
        gateway.let_go()
        raw.read_until(b"[DONE]")
        raw.send("echo+hold:1")
        gateway.wait_until(lambda: gateway.last.held)
        assert len(gateway.requests) == 2


# Cuts


@pytest.mark.parametrize("kind", ["cut", "rst"])
@pytest.mark.parametrize(
    "stage", ["headers", "head", "body", "body:frame", "0", "1", "1:frame", "finish", "done"]
)
def test_a_cut_at_any_stage_breaks_the_answer(gateway: Gateway, kind: str, stage: str) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(gateway, f"echo+{kind}:{stage}")
    gateway.wait_until(lambda: gateway.last.finished)
    assert not gateway.last.disconnected
    gateway.wait_until(lambda: gateway.open_connections == 0)


def test_a_reset_is_a_reset_and_a_cut_is_not(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+cut:headers")
        assert raw.read_to_end() == b""
    with RawClient(gateway) as raw:
        raw.send("echo+rst:headers")
        with pytest.raises(ConnectionResetError):
            raw.read_to_end()


def test_a_cut_comes_after_its_tokens(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("say:a b c d+cut:2")
        wire = raw.read_to_end()
    assert b'"content":" b"' in wire
    assert b'"content":" c"' not in wire
    with RawClient(gateway) as raw:
        raw.send("say:a b c d+cut:2:frame")
        wire = raw.read_to_end()
    _, _, broken = wire.partition(b'"content":" b"')
    assert b'data: {"id":"chatcmpl' in broken
    assert not broken.endswith(b"\n\n\r\n")


def test_a_stream_can_end_properly_before_the_answer_does(gateway: Gateway) -> None:
    content = ask(gateway, "say:a b c d+stop:2").content
    assert reading.joined(content) == "a b"
    assert b'"finish_reason":"stop"' not in content
    assert b"[DONE]" not in content
    closed = ask(gateway, "say:a b c d+cut:2+framing:close").content
    assert reading.joined(closed) == "a b"


def test_a_whole_answer_is_cut_halfway(gateway: Gateway) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, "echo+cut:1", stream=False)


@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize("lost", [1, 40, 100_000])
def test_the_end_of_a_body_can_be_lost(gateway: Gateway, framing: str, lost: int) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, f"echo+framing:{framing}+lost:{lost}")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(gateway, f"echo+lost:{lost}", stream=False)


def test_as_many_bytes_are_lost_as_asked_for(gateway: Gateway) -> None:
    with RawClient(gateway) as raw:
        raw.send("echo+framing:length+lost:9")
        wire = raw.read_to_end()
    assert wire.endswith(b"\n\ndata:")
    with RawClient(gateway) as raw:
        raw.send("echo+lost:4")
        wire = raw.read_to_end()
    assert wire.endswith(b"data: [DONE]")
    with RawClient(gateway) as raw:
        raw.send("echo+framing:close+lost:9")
        assert raw.read_to_end().endswith(b"\n\ndata:")


def test_a_kept_connection_can_turn_out_closed(gateway: Gateway) -> None:
    with client(gateway) as http:
        first = http.post(PATH, json=body("echo+close-silently"))
        assert first.headers["connection"] == "keep-alive"
        gateway.wait_until(lambda: gateway.open_connections == 0)
        again = http.post(PATH, json=body("echo+close"))
        assert again.headers["connection"] == "close"
    assert gateway.connections == 2


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_a_stranger(gateway: Gateway, status: int) -> None:
    answer = ask(gateway, f"redirect:{status}")
    assert answer.status_code == status
    assert answer.headers["location"] == f"{gateway.stranger_url}/v1{PATH}"
    assert gateway.stranger_requests == []


def test_following_it_with_the_key_is_a_leak(gateway: Gateway) -> None:
    with client(gateway, follow_redirects=True) as http:
        http.post(PATH, json=body("redirect"))
    assert len(gateway.stranger_requests) == 1
    assert gateway.leaks == []
    with client(gateway) as http:
        http.get(f"{gateway.stranger_url}/pixel.png?k=test-key")
        http.post(gateway.stranger_url, json={})
    assert [seen.target for seen in gateway.leaks] == ["/pixel.png?k=test-key", "/"]


def test_a_redirect_can_stay_on_the_same_host(gateway: Gateway) -> None:
    with client(gateway, follow_redirects=True) as http:
        answer = http.post(PATH, json=body("first:1:redirect:307:same+echo"))
    assert reading.joined(answer.content) == "hello"
    assert [exchange.status for exchange in gateway.requests] == [307, 200]


# Faults as values


def test_faults_can_be_given_as_values() -> None:
    with serve(default=Scenario(echo=True, faults=(Fault("fin", 1, in_frame=True),))) as gateway:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(gateway, "hy3")
        gateway.script(Scenario(error=Error("ACCESS_DENIED", upstream=True)))
        assert ask(gateway, "hy3").json()["error"]["type"] == "permission_error"
