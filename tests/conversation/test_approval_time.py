"""The time that a person takes to allow a tool call is not the model's, nor a tool's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cbai_notebook import tool
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.gateway_access import gateway_settings

HOUR = 3_600.0


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.fixture
def loop() -> Any:
    loop = Loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_person_may_take_an_hour(
    loop: Loop, gateway: Gateway, stream: bool, allowed: bool
) -> None:
    async def approve(call: ToolCall) -> bool:
        loop.ahead += HOUR
        return allowed

    @tool(confirm=True)
    async def drop(path: str) -> str:
        """Delete a file."""
        loop.ahead += 20.0
        return "gone"

    drops = [calling(Call("drop", {"path": path})) for path in ("a", "b")]
    gateway.script(*drops, "say:Done.")
    model = create_model("cloudbase", settings=gateway_settings(gateway))
    talk = Conversation("patient")
    options = {"tools": [drop], "approve": approve}
    prompt = Prompt("Clean up", stream=stream, options=options)
    answer = loop.run_until_complete(ask(prepare(talk, prompt, model=model)))
    calls = [step.results[0] for step in answer.steps[:2]]
    assert [call.status for call in calls] == ["ok" if allowed else "refused"] * 2
    tools_s = 40.0 if allowed else 0.0
    for call in calls:
        assert call.duration_s is not None
        assert call.duration_s < HOUR / 2
    (turn,) = talk.turns
    for duration in (answer.timing.duration_s, turn.duration_s):
        assert duration is not None
        assert tools_s <= duration < HOUR / 2


def test_what_runs_while_a_person_is_asked_counts(loop: Loop, gateway: Gateway) -> None:
    asked, ran = asyncio.Event(), asyncio.Event()

    async def approve(call: ToolCall) -> bool:
        asked.set()
        await ran.wait()
        loop.ahead += 10 * HOUR  # nothing runs any more: the person's own time
        return True

    @tool(confirm=True)
    def drop() -> str:
        """Delete a file."""
        return "gone"

    async def build() -> str:
        """Build."""
        await asked.wait()
        loop.ahead += HOUR
        loop.call_later(0, ran.set)
        return "built"

    gateway.script(calling("build", "drop"), "say:Done.")
    model = create_model("cloudbase", settings=gateway_settings(gateway))
    prompt = Prompt("Go", options={"tools": [build, drop], "approve": approve})
    answer = loop.run_until_complete(ask(prepare(None, prompt, model=model)))
    built, dropped = (call.duration_s for call in answer.steps[0].results)
    assert built is not None
    assert dropped is not None
    assert HOUR <= built < 2 * HOUR
    assert dropped < HOUR
    assert answer.timing.duration_s is not None
    assert HOUR <= answer.timing.duration_s < 2 * HOUR


def test_a_person_who_stops_the_prompt_took_the_time_too(loop: Loop, gateway: Gateway) -> None:
    async def approve(call: ToolCall) -> bool:
        loop.ahead += HOUR
        task.cancel()
        await asyncio.Event().wait()
        return True

    @tool(confirm=True)
    def drop() -> str:
        """Delete a file."""
        return "gone"

    gateway.script(calling("drop"))
    model = create_model("cloudbase", settings=gateway_settings(gateway))
    talk = Conversation("stopped")
    prompt = Prompt("Go", options={"tools": [drop], "approve": approve})
    task = loop.create_task(ask(prepare(talk, prompt, model=model)))
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    (turn,) = talk.turns
    assert turn.status == "cancelled"
    assert turn.duration_s is not None
    assert turn.duration_s < HOUR / 2
