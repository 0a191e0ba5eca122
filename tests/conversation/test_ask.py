"""Answers with several steps are stored in the same way, streamed or not."""

from __future__ import annotations

import asyncio

import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_settings
from tests.sample_tools import add


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_said_along_with_the_last_calls_is_kept_once(
    gateway: Gateway, stream: bool
) -> None:
    settings = gateway_settings(gateway)
    model = create_model("cloudbase", settings=settings, transport=HTTPTransport(fast=False))
    gateway.always(calling(Call("add", {"x": 1, "y": 2}), text="Let me see."))
    talk, shown = Conversation("steps"), []
    question = Prompt("1 + 2?", stream=stream, options={"tools": [add], "max_steps": 1})
    asyncio.run(
        ask(prepare(talk, question, model=model), listener=lambda delta: shown.append(delta.text))
    )
    assert "".join(shown).strip() == "Let me see."
    assert [message["content"] for message in talk.messages] == ["1 + 2?", "Let me see.", "3", ""]


def test_a_turn_keeps_no_objects_and_no_exceptions_of_tools(gateway: Gateway) -> None:
    def fail(x: int) -> int:
        """Fail."""
        raise ZeroDivisionError(x)

    settings = gateway_settings(gateway)
    model = create_model("cloudbase", settings=settings, transport=HTTPTransport(fast=False))
    gateway.script(calling(Call("fail", {"x": 1})), "say:It failed.")
    talk = Conversation("failing")
    answer = asyncio.run(ask(prepare(talk, Prompt("Try", options={"tools": [fail]}), model=model)))
    (called,), (kept,) = answer.steps[0].results, talk.turns[0].calls
    assert isinstance(called.error, ZeroDivisionError)
    assert called.parsed == {"x": 1}
    assert (kept.error, kept.parsed) == (None, None)
    assert kept == called
    assert (kept.status, kept.step, kept.description) == ("error", 1, "Fail.")
