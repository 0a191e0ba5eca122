"""The agents and the image models of the gateway, used by a plain HTTP client."""

from __future__ import annotations

import json

import pytest

from tests.gateway import Gateway, pictures, reading
from tests.gateway.asking import client

BOTS = "/aibot/bots"
DRAW = "/ai/hunyuan-image/images/ar/generations"
CAT = {"model": "hunyuan-image-v3.0-v1.0.4", "prompt": "a cat"}


@pytest.mark.parametrize(("method", "path"), [("GET", BOTS), ("POST", DRAW)])
def test_the_key_is_checked_here_too(gateway: Gateway, method: str, path: str) -> None:
    for headers, code in (
        ({}, "MISSING_CREDENTIALS"),
        ({"Authorization": "Bearer wrong"}, "INVALID_CREDENTIALS"),
    ):
        with client(gateway, headers=headers) as http:
            answer = http.request(method, path, json=CAT)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{BOTS}/bot-ghost", 404),
        ("GET", f"{BOTS}/bot-poet/nothing", 404),
        ("GET", "/aibot/nothing", 404),
        ("POST", BOTS, 405),
        ("PATCH", f"{BOTS}/bot-poet/conversation", 405),
        ("DELETE", f"{BOTS}/bot-poet/conversation/none", 404),
        ("GET", f"{BOTS}/bot-poet/records", 400),
        ("POST", f"{BOTS}/bot-poet/send-message", 400),
        ("GET", DRAW, 405),
    ],
)
def test_what_is_not_there_is_refused(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    with client(gateway) as http:
        assert http.request(method, path, json={}).status_code == status


def test_an_agent_answers_as_the_api_says(gateway: Gateway) -> None:
    gateway.script("say:one two+reason")
    ask = {"msg": "x", "history": [], "searchEnable": True}
    with client(gateway) as http:
        answer = http.post(f"{BOTS}/bot-reader/send-message", json=ask)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = reading.events(answer.content)
    assert events[-1].data == "[DONE]"
    values = [json.loads(event.data) for event in events[:-1]]
    kinds = list(dict.fromkeys(value["type"] for value in values))
    assert kinds == ["search", "knowledge", "thinking", "text"]
    assert [value["content"] for value in values[-3:]] == ["one", " two", ""]
    assert {value["finish_reason"] for value in values[:-1]} == {"continue"}
    assert values[-1]["finish_reason"] == "stop"
    assert values[-1]["usage"]["totalTokens"] == values[-1]["usage"]["completionTokens"] + 3
    assert gateway.agents.records[-1]["content"] == "one two"


def test_a_drawn_image_stands_at_its_link(gateway: Gateway) -> None:
    with client(gateway) as http:
        (drawn,) = http.post(DRAW, json=CAT).json()["data"]
        image = http.get(drawn["url"])
        assert http.post(DRAW.replace("ar/", ""), json=CAT).status_code == 403
        assert http.post(DRAW, json={**CAT, "model": "hunyuan-image"}).status_code == 403
        assert http.post(DRAW, json={"prompt": "a cat"}).status_code == 400
    assert image.content == pictures.png()
    assert image.headers["content-type"] == "image/png"
    assert drawn["url"].startswith(gateway.stranger_url)
    # The gateway notices that this client sent its key to the stranger.
    assert len(gateway.leaks) == 1
