"""Requests and answers compared with those of the official JavaScript SDK, on one server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client.conftest import MakeModel
from tests.gateway import Exchange, Gateway
from tests.gateway import test_sdk as sdk

pytestmark = pytest.mark.sdk

node = sdk.node


COUNTED = ("prompt_tokens", "completion_tokens", "total_tokens")


def sent(exchange: Exchange) -> dict[str, Any]:
    """Return the parts of a request that must be the same for both clients."""
    body = dict(exchange.json)
    # Only our client requests the usage of a stream.
    body.pop("stream_options", None)
    return {
        "method": exchange.method,
        "target": exchange.target,
        "body": body,
        **{
            name: exchange.headers.get(name) for name in ("accept", "authorization", "content-type")
        },
    }


@pytest.mark.parametrize("method", ["generateText", "streamText"])
def test_every_provider_is_asked_as_the_sdk_asks(
    node: str, make_model: MakeModel, gateway: Gateway, method: str
) -> None:
    theirs = sdk._call(node, gateway, [(provider, method, "echo") for provider in sdk.PATHS])
    asked_by_them = [sent(exchange) for exchange in gateway.requests]
    gateway.requests.clear()

    async def ours() -> list[dict[str, Any]]:
        answers = []
        for provider in sdk.PATHS:
            model, ask = make_model(provider), {"model": "echo", "messages": sdk.MESSAGES}
            if method == "generateText":
                answer = await model.generate_text(**ask)
            else:
                answer = await (await model.stream_text(data=ask)).finish()
            usage = answer.usage
            assert usage is not None
            answers.append(
                {
                    "text": answer.text,
                    "messages": answer.messages,
                    "usage": {name: getattr(usage, name) for name in COUNTED},
                }
            )
        return answers

    answers = asyncio.run(ours())
    assert [sent(exchange) for exchange in gateway.requests] == asked_by_them
    for provider, our, their in zip(sdk.PATHS, answers, theirs, strict=True):
        assert (our["text"], our["messages"]) == (their["text"], their["messages"]), provider
        # The SDK drops the usage of a stream of one provider.
        assert our["usage"] == their["usage"] or their["usage"]["total_tokens"] == 0, provider
