"""The tool loop ends for any tool calls, and every call gets a result."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.model_factory import create_model
from tests.client.conftest import MESSAGES
from tests.gateway import Gateway, serve
from tests.gateway.tools import SHAPES, Call, calling
from tests.gateway_access import gateway_settings


def good(x: int = 0) -> int:
    """Work."""
    return x


async def bad(x: int = 0) -> int:
    """Fail."""
    await asyncio.sleep(0)
    raise ValueError(x)


CALLS = st.builds(
    Call,
    name=st.sampled_from(["good", "bad", "unknown", "", "a b/c", "天" * 99]),
    arguments=st.one_of(
        st.sampled_from(["", "{}", '{"x": 1}', '{"x": ', "[]", "null", '{"y": 1}', '"\\ud800"']),
        st.text(max_size=5),
    ),
    id=st.sampled_from([None, "same", "call_1_0"]),
)
STEPS = st.tuples(
    st.lists(CALLS, min_size=1, max_size=4),
    st.sampled_from(SHAPES),
    st.sampled_from([None, 1, 7]),
    st.booleans(),
)


async def taken(gateway: Gateway, steps: list[Any], stream: bool, max_steps: int) -> Answer:
    gateway.forget()
    for calls, shape, split, role_first in steps:
        gateway.script(calling(*calls, shape=shape, split=split, role_first=role_first))
    gateway.always("say:Done.")
    model = create_model("cloudbase", settings=gateway_settings(gateway))
    params: dict[str, Any] = {"tools": [good, bad], "max_steps": max_steps}
    if stream:
        running = await model.stream_text(model="m", messages=MESSAGES, **params)
        return await running.finish()
    return await model.generate_text(model="m", messages=MESSAGES, **params)


def check(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0), "one answer each, in order"
            assert isinstance(message["content"], str)
            continue
        assert waiting == [], "a call without an answer"
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        assert all(waiting)
        assert len(set(waiting)) == len(waiting)
        for call in message.get("tool_calls", ()):
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", call["function"]["name"])
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert waiting == []


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=4), st.booleans(), st.integers(1, 3))
def test_it_ends_and_answers_every_call(steps: list[Any], stream: bool, max_steps: int) -> None:
    with serve() as gateway:
        answer = asyncio.run(taken(gateway, steps, stream, max_steps))
        assert len(gateway.requests) == len(answer.steps) == min(len(steps) + 1, max_steps)
        check(answer.messages)
        for exchange in gateway.requests:
            check(exchange.json["messages"])
    assert (answer.finish_reason == "max_steps") is (len(steps) >= max_steps)
