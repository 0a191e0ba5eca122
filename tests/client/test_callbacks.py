"""The Mini Program's callbacks: called in order while a stream runs, and never sent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.errors import ServerError, UsageError
from tests.client.streams import ASK, read
from tests.gateway import Error, Fault, Gateway, Scenario
from tests.gateway.tools import Call, calling
from tests.sample_tools import add

NAMES = [("on_text", "on_event", "on_finish"), ("onText", "onEvent", "onFinish")]


def recorder(asynchronous: bool, calls: list[Any]) -> Callable[[str], Callable[[Any], Any]]:
    """Return a function that makes callbacks, which note their name and their value."""

    def make(name: str) -> Callable[[Any], Any]:
        def plain(value: Any) -> None:
            calls.append((name, value))

        async def awaited(value: Any) -> None:
            await asyncio.sleep(0)
            calls.append((name, value))

        return awaited if asynchronous else plain

    return make


def values(calls: list[Any], name: str) -> list[Any]:
    return [value for called, value in calls if called == name]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "async"])
@pytest.mark.parametrize("names", NAMES, ids=["python", "mini-program"])
async def test_they_are_called_in_order_and_see_what_the_views_see(
    model: Model, gateway: Gateway, names: tuple[str, str, str], asynchronous: bool
) -> None:
    gateway.script(Scenario(text=("Li ", "Bai ", "wrote.")))
    calls: list[Any] = []
    make = recorder(asynchronous, calls)
    given = {
        name: make(kind) for name, kind in zip(names, ("text", "event", "finish"), strict=True)
    }
    stream = await model.stream_text(data={**ASK, **given})
    answer = await stream.finish()
    assert answer.text == "Li Bai wrote."
    assert values(calls, "text") == ["Li ", "Bai ", "wrote."]
    assert values(calls, "event") == await read(stream.event_stream)
    assert values(calls, "event")[-1].data == "[DONE]"
    assert calls[-1] == ("finish", "Li Bai wrote.")
    for position, (name, value) in enumerate(calls):
        if name == "text":
            assert value in calls[position - 1][1].data, "each text follows its event"
    assert set(gateway.last.json) == {"model", "messages", "stream", "stream_options"}


async def test_they_are_called_while_the_stream_runs_and_nobody_reads_it(
    model: Model, gateway: Gateway
) -> None:
    gateway.script(Scenario(text=("one ", "two"), faults=(Fault("hold", 1),)))
    texts: list[str] = []
    came, done = asyncio.Event(), asyncio.Event()

    def on_text(text: str) -> None:
        texts.append(text)
        came.set()

    await model.stream_text(**ASK, on_text=on_text, on_finish=lambda text: done.set())
    gc.collect()  # nobody has the stream
    await came.wait()
    assert texts == ["one "]
    gateway.let_go()
    await done.wait()
    assert texts == ["one ", "two"]


async def test_all_steps_are_reported_and_the_end_once(model: Model, gateway: Gateway) -> None:
    gateway.script(calling(Call("add", {"x": 1, "y": 2}), text="Let me add. "), "say:Three.")
    calls: list[Any] = []
    make = recorder(False, calls)
    stream = await model.stream_text(
        **ASK, tools=[add], on_text=make("text"), on_event=make("event"), on_finish=make("finish")
    )
    await stream.finish()
    assert "".join(values(calls, "text")) == "Let me add. Three."
    assert values(calls, "finish") == ["Let me add. Three."]
    assert [event.data for event in values(calls, "event")].count("[DONE]") == 1


@pytest.mark.parametrize("name", ["on_text", "on_event", "on_finish"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "async"])
async def test_what_one_raises_reaches_the_reader(
    model: Model, gateway: Gateway, name: str, asynchronous: bool
) -> None:
    gateway.script(Scenario(text=("one ", "two"), faults=(Fault("pause", 1, 0.05),)))

    def plain(value: Any) -> None:
        if name != "on_event" or "one" in value.data:
            raise LookupError("no such element")

    async def awaited(value: Any) -> None:
        plain(value)

    stream = await model.stream_text(**ASK, **{name: awaited if asynchronous else plain})
    with pytest.raises(LookupError, match="no such element"):
        await stream.finish()
    with pytest.raises(LookupError):
        await read(stream.event_stream)
    assert stream.text == ("one two" if name == "on_finish" else "one ")


async def test_a_stream_that_fails_is_not_finished(model: Model, gateway: Gateway) -> None:
    gateway.script(Scenario(error=Error("INTERNAL_SERVER_ERROR"), error_where="event"))
    calls: list[Any] = []
    make = recorder(False, calls)
    stream = await model.stream_text(**ASK, on_text=make("text"), on_finish=make("finish"))
    with pytest.raises(ServerError):
        await stream.finish()
    assert values(calls, "text")
    assert values(calls, "finish") == []


async def test_slips_are_said_before_anything_is_sent(model: Model, gateway: Gateway) -> None:
    with pytest.raises(UsageError, match="on_text must be a function"):
        await model.stream_text(**ASK, onText="print")
    with pytest.raises(UsageError, match="use stream_text"):
        await model.generate_text(**ASK, on_text=print)
    assert gateway.requests == []
