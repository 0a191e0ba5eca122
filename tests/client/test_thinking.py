"""Thinking: one parameter for all providers, and answers that have only reasoning."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.errors import UsageError
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway


@pytest.mark.parametrize(
    ("provider", "on"),
    [
        ("cloudbase", {"thinking": {"type": "enabled"}}),
        ("deepseek", {"thinking": {"type": "enabled"}}),
        ("custom-mine", {"thinking": {"type": "enabled"}}),
        ("dashscope", {"enable_thinking": True}),
        ("custom", {"chat_template_kwargs": {"enable_thinking": True}}),
    ],
)
async def test_the_switch_has_the_providers_own_name(
    make_model: MakeModel, gateway: Gateway, provider: str, on: dict[str, Any]
) -> None:
    model = make_model(provider)
    plain = {"model", "messages", "stream"}
    await model.generate_text(model="echo", messages=MESSAGES, think=True)
    sent = gateway.last.json
    assert {name: value for name, value in sent.items() if name not in plain} == on
    await model.generate_text(model="echo", messages=MESSAGES, think=False)
    assert set(gateway.last.json) == plain | set(on)
    assert gateway.last.json != sent
    await model.generate_text(model="echo", messages=MESSAGES, think=None)
    assert set(gateway.last.json) == plain


async def test_the_providers_own_parameter_wins(model: Model, gateway: Gateway) -> None:
    own = {"type": "enabled", "budget": 5}
    await model.generate_text(model="echo", messages=MESSAGES, think=False, thinking=own)
    assert gateway.last.json["thinking"] == own


async def test_it_is_yes_or_no(model: Model) -> None:
    with pytest.raises(UsageError, match="think must be"):
        await model.generate_text(model="echo", messages=MESSAGES, think="hard")


async def test_an_answer_that_only_thought_says_so(model: Model) -> None:
    for answer in (
        await model.generate_text(model="reason-only", messages=MESSAGES),
        await (await model.stream_text(model="reason-only", messages=MESSAGES)).finish(),
    ):
        assert "think=False" in answer.note
    assert (await model.generate_text(model="reason", messages=MESSAGES)).note == ""
