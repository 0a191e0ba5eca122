"""The plain gateway answers as the whole one does, only cheaper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.gateway import Gateway, Rate, reading, serve, serve_process
from tests.gateway.asking import PATH, RawClient, ask, body, client

SAYING = "say:Rather good, 8 of 10."


@pytest.fixture
def plain() -> Iterator[Gateway]:
    with serve(plain=True, default=SAYING) as running:
        yield running


@pytest.mark.parametrize("stream", [True, False])
def test_its_answer_is_that_of_the_whole_gateway(
    plain: Gateway, gateway: Gateway, stream: bool
) -> None:
    for prompt in ("hello", "", "好茶 and more\n\nof it", "row-1: " + "word " * 500):
        gateway.always(SAYING)
        mine, whole = (ask(one, "hy3", prompt, stream=stream) for one in (plain, gateway))
        assert mine.content == whole.content
        assert set(mine.headers) == set(whole.headers)
        assert mine.headers["content-type"] == whole.headers["content-type"]


def test_its_usage_and_model_are_those_of_the_request(plain: Gateway) -> None:
    found = ask(plain, "hy3", "three little words", stream=False).json()
    assert found["model"] == "hy3"
    assert found["usage"]["prompt_tokens"] == 3
    assert found["usage"]["total_tokens"] == 3 + found["usage"]["completion_tokens"]
    chunks = reading.chunks(ask(plain, "glm", "two words").content)
    assert chunks[0]["model"] == "glm"
    assert chunks[-1]["usage"]["prompt_tokens"] == 2


def test_it_counts_answers_by_row_and_keeps_no_log(plain: Gateway) -> None:
    with client(plain) as http:
        for row in (1, 2, 1):
            http.post(PATH, json=body("hy3", f"Rate row-{row}"))
    assert plain.begun == {"row-1": 2, "row-2": 1}
    assert plain.connections == 1
    assert plain.requests == []
    assert plain.tally.running == 0


def test_requests_in_one_packet_are_answered_in_turn() -> None:
    with serve(plain=True, default=f"{SAYING}+pause:headers:0.01") as gateway:
        content = json.dumps(body("hy3", "row-1", stream=False))
        request = (
            f"POST /v1{PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-key\r\n"
            f"Content-Length: {len(content)}\r\n\r\n{content}"
        ).encode()
        with RawClient(gateway) as raw:
            # The second request arrives in two pieces, the first of which ends in its head.
            raw.socket.sendall(request + request[:30])
            raw.read_until(b'"total_tokens":')
            raw.socket.sendall(request[30:])
            raw.read_until(b'"total_tokens":')
        assert gateway.begun == {"row-1": 2}
        assert gateway.tally.running_peak == 1


def test_it_refuses_as_the_whole_gateway_does(plain: Gateway) -> None:
    with client(plain, headers={}) as http:
        assert http.post(PATH, json=body("hy3")).json()["code"] == "MISSING_CREDENTIALS"
    with client(plain) as http:
        assert http.get(PATH).status_code == 405
        assert http.post("/elsewhere", json={}).status_code == 404
        assert http.post(PATH, content=b"{").json()["code"] == "AI_MODEL_PARAM_INVALID"
        assert http.post(PATH, json={"messages": []}).status_code == 400
    plain.rate = Rate(per_second=1e-6, retry_after="7")
    assert ask(plain, "hy3").status_code == 200
    refused = ask(plain, "hy3")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    plain.rate = None
    plain.storm(refusal="error:503")
    assert ask(plain, "hy3").status_code == 503
    plain.calm()
    assert plain.begun == {"hello": 1}


def test_bytes_that_are_no_http_end_the_connection(plain: Gateway) -> None:
    with RawClient(plain) as raw:
        raw.socket.sendall(b"nonsense\r\n\r\n")
        assert raw.read_to_end().startswith(b"HTTP/1.1 400 ")


async def test_its_limit_of_answers_at_once_holds_for_late_answers() -> None:
    default = f"{SAYING}+pause:headers:0.05"
    async with (
        Gateway(plain=True, default=default, concurrency=2) as gateway,
        httpx.AsyncClient(
            base_url=gateway.base_url,
            headers={"Authorization": "Bearer test-key"},
            trust_env=False,
        ) as http,
    ):
        rows = range(6)
        answers = await asyncio.gather(
            *(http.post(PATH, json=body("hy3", f"row-{n}")) for n in rows)
        )
        statuses = sorted(answer.status_code for answer in answers)
        refused = gateway.refused["EXCEED_CONCURRENT_REQUEST_LIMIT"]
        assert statuses == [200] * (6 - refused) + [429] * refused
        assert gateway.begun.total() == 6 - refused
        assert gateway.tally.running_peak <= 2


def test_a_client_that_leaves_gives_its_place_back() -> None:
    default = f"{SAYING}+pause:headers:600"
    with serve(plain=True, default=default, concurrency=1) as gateway:
        with RawClient(gateway) as raw:
            raw.send("hy3", "row-1")
            gateway.wait_until(lambda: gateway.tally.running == 1)
            assert ask(gateway, "hy3").status_code == 429
        gateway.wait_until(lambda: gateway.tally.running == 0)
        assert gateway.begun == {"row-1": 1}


@pytest.mark.parametrize(
    "spec",
    ["echo", "paced:10", "error:500", "cut:3", "pause:2:1", "flaky", "say:a+every:2:echo",
     "say:a+after:1:echo", "garbage", "hang:headers", "framing:close", "slow-head:1", "redirect",
     "midstream-error", "close", "html:502"],
)  # fmt: skip
def test_a_scenario_that_is_not_plain_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        Gateway(plain=True, default=spec)


def test_it_runs_in_a_process() -> None:
    with serve_process("--plain", "--default", SAYING) as gateway:
        headers = {"Authorization": "Bearer test-key"}
        with httpx.Client(base_url=gateway.base_url, headers=headers, trust_env=False) as http:
            for row in range(3):
                answer = http.post(PATH, json=body("hy3", f"row-{row}", stream=False))
                (choice,) = answer.json()["choices"]
                assert choice["message"]["content"] == "Rather good, 8 of 10."
        assert gateway.begun() == {"row-0": 1, "row-1": 1, "row-2": 1}
        assert gateway.state()["connections"] == 1
