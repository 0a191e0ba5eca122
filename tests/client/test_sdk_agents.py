"""Agents and images compared with those of the official JavaScript SDK, on one server."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cbai_notebook.client.agents.agent import agent
from cbai_notebook.client.images.model import create_image_model
from cbai_notebook.client.transport import HTTPTransport
from tests.gateway import Exchange, Gateway, pictures
from tests.gateway import test_sdk as sdk
from tests.gateway_access import gateway_settings

pytestmark = pytest.mark.sdk

node = sdk.node

PAST = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]


def sent(exchange: Exchange) -> dict[str, Any]:
    """Return the parts of a request that must be the same for both clients."""
    query = dict(parse_qsl(exchange.target.partition("?")[2]))
    # The SDK sends the agent in the query too, and an empty body where there are no parameters.
    query.pop("botId", None)
    return {
        "method": exchange.method.upper(),
        "path": exchange.path,
        "query": query,
        "body": exchange.json if exchange.body not in (b"", b"{}") else {},
        "accept": exchange.headers.get("accept"),
        "authorization": exchange.headers["authorization"],
    }


def taken(gateway: Gateway) -> list[dict[str, Any]]:
    found = [sent(exchange) for exchange in gateway.requests]
    gateway.requests.clear()
    return found


def test_an_agent_is_asked_as_the_sdk_asks(
    node: str, gateway: Gateway, sender: HTTPTransport
) -> None:
    bot, page = {"botId": "bot-reader"}, {"pageNumber": 2, "pageSize": 1}
    vote = {
        **bot, "recordId": "r", "type": "upvote", "comment": "", "rating": 5, "tags": ["apt"],
        "input": "", "aiAnswer": "",
    }  # fmt: skip
    script = ["english+reason", "default", *["default"] * 9]
    gateway.script(*script)
    theirs = sdk.run(
        node,
        gateway,
        [
            {"method": f"bot.{method}", "input": value}
            for method, value in (
                ("sendMessage", {**bot, "msg": "x", "history": PAST, "searchEnable": True}),
                ("getRecommendQuestions", {**bot, "msg": "x", "history": PAST}),
                ("get", bot),
                ("list", page),
                ("getChatRecords", {**bot, **page, "sort": "asc"}),
                ("sendFeedback", {"userFeedback": vote}),
                ("getFeedback", {**bot, **page, "type": "upvote"}),
                ("createConversation", {**bot, "title": "Tang"}),
                ("getConversation", {**bot, **page}),
                ("deleteConversation", {**bot, "conversationId": "conv-1"}),
            )
        ],
    )
    assert [answer["error"] for answer in theirs if "error" in answer] == []
    asked_by_them = taken(gateway)
    gateway.forget()
    gateway.script(*script)

    async def ours() -> tuple[str, str, tuple[str, ...], dict[str, int]]:
        settings = gateway_settings(gateway)
        reader = agent("bot-reader", settings=settings, transport=sender)
        stream = await reader.send_message("x", history=PAST, search=True)
        answer = await stream.finish()
        questions = await reader.recommend_questions("x", history=PAST)
        await reader.get()
        await reader.list(page=2, size=1)
        await reader.records(page=2, size=1, newest_first=False)
        await reader.send_feedback("r", "up", rating=5, tags=["apt"])
        await reader.feedback(page=2, size=1, type="up")
        made = await reader.create_conversation("Tang")
        assert made.conversation_id == "conv-1"
        await reader.conversations(page=2, size=1)
        await reader.delete_conversation(made.conversation_id)
        assert answer.usage is not None
        usage = {"promptTokens": answer.usage.prompt_tokens or 0,
                 "completionTokens": answer.usage.completion_tokens or 0,
                 "totalTokens": answer.usage.total_tokens or 0}  # fmt: skip
        return answer.text, answer.reasoning, questions, usage

    text, reasoning, questions, usage = asyncio.run(ours())
    asked_by_us = taken(gateway)
    for ours_, theirs_ in zip(asked_by_us, asked_by_them, strict=True):
        if ours_["accept"] != "text/event-stream":
            ours_["accept"] = theirs_["accept"]
        assert ours_ == theirs_
    assert text == theirs[0]["text"]
    assert reasoning == "".join(one["reasoning_content"] for one in theirs[0]["data"])
    assert usage == theirs[0]["data"][-1]["usage"]
    assert all(question in theirs[1]["text"] for question in questions)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("hunyuan-image", "hunyuan-image"),
        ("hunyuan-image", "hunyuan-image-v3.0-v1.0.1"),
        ("hunyuan-image", "hunyuan-image-v3.0-v1.0.4"),
        ("other", "flux"),
    ],
)
def test_an_image_is_asked_for_as_the_sdk_asks(
    node: str, gateway: Gateway, sender: HTTPTransport, provider: str, model: str
) -> None:
    ask = {"model": model, "prompt": "a cat", "n": 1, "response_format": "b64_json"}
    (theirs,) = sdk.run(
        node, gateway, [{"provider": provider, "method": "generateImage", "input": ask}]
    )
    (asked_by_them,) = taken(gateway)
    settings = gateway_settings(gateway)
    drawer = create_image_model(provider, settings=settings, transport=sender)
    answer = asyncio.run(drawer.generate_image(ask))
    (asked_by_us,) = taken(gateway)
    assert asked_by_us == asked_by_them | {"accept": asked_by_us["accept"]}
    assert answer.raw == theirs["value"]
    assert answer.images[0].data == pictures.png(1, 1)
    assert (
        base64.b64encode(answer.images[0].data).decode() == theirs["value"]["data"][0]["b64_json"]
    )
