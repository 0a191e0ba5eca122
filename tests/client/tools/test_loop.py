"""The tool loop: tool calls in every wire format, and every failure of a call."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cbai_notebook import Tool, tool
from cbai_notebook.client.answer import Step
from cbai_notebook.client.model import Model
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.errors import ServerError, UsageError
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.streams import ASK, ask, both
from tests.gateway import Error, Gateway, Scenario
from tests.gateway.tools import SHAPES, Call, calling
from tests.sample_tools import add

cell: contextvars.ContextVar[str] = contextvars.ContextVar("cell", default="")


async def shout(text: str) -> str:
    """Say it loud."""
    await asyncio.sleep(0)
    return text.upper()


def broken() -> str:
    """Fail."""
    raise ValueError("the disk is on fire")


def unanswered(messages: list[dict[str, Any]]) -> list[str]:
    calls = [call["id"] for one in messages for call in one.get("tool_calls", ())]
    answered = [one["tool_call_id"] for one in messages if one["role"] == "tool"]
    assert len(set(calls)) == len(calls)
    return [call for call in calls if answered.count(call) != 1]


@dataclass
class Place:
    """A type whose ``__post_init__`` raises an error that is no validation error."""

    city: str

    def __post_init__(self) -> None:
        {"Shenzhen": True}[self.city]


def travel(to: Place) -> str:
    """Go there."""
    return f"in {to.city}"


TWO = (Call("add", {"x": 1, "y": 2}), Call("shout", {"text": "hé 🌙"}))


@both
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_of_calls_is_answered(
    model: Model, gateway: Gateway, shape: str, stream: bool
) -> None:
    gateway.script(calling(*TWO, shape=shape), "say:Three, HÉ.")
    answer = await ask(model, stream, tools=[add, shout])
    assert answer.text == "Three, HÉ."
    assert answer.finish_reason == "stop"
    first, last = answer.steps
    # Calls without an index are in the order of arrival.
    assert {r.name: (r.text, r.status) for r in first.results} == {
        "add": ("3", "ok"), "shout": ("HÉ 🌙", "ok"),
    }  # fmt: skip
    assert [r.parsed for r in first.results if r.name == "add"] == [{"x": 1, "y": 2}]
    assert (first.number, first.finish_reason, last.results) == (1, "tool_calls", ())
    assert gateway.last.json["messages"] == [*MESSAGES, *first.messages]
    assert answer.messages == [*MESSAGES, *first.messages, *last.messages]
    assert unanswered(answer.messages) == []
    assert [one["role"] for one in answer.messages[1:]] == [
        "assistant",
        "tool",
        "tool",
        "assistant",
    ]


@pytest.mark.parametrize("split", [1, 2, 7, 50, "utf8"])
@pytest.mark.parametrize("shape", ["interleaved", "neither"])
async def test_packets_may_end_anywhere(
    model: Model, gateway: Gateway, shape: str, split: Any
) -> None:
    gateway.script(calling(*TWO, shape=shape, split=split, ends="crlf-first"), "say:Done.")
    answer = await ask(model, True, tools=[add, shout])
    assert [r.text for r in answer.steps[0].results] == ["3", "HÉ 🌙"]


@both
async def test_usage_is_the_sum_and_every_raw_answer_is_kept(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    gateway.script(calling("add"), "say:One two.")
    answer = await ask(model, stream, tools=[add])
    last = answer.steps[-1].usage
    assert answer.usage is not None
    assert last is not None
    assert answer.usage.total_tokens == 10 + (last.total_tokens or 0)
    assert len(answer.raw_responses) == 2
    assert answer.raw == answer.raw_responses[-1]
    assert answer.timing.duration_s is not None


@both
@pytest.mark.parametrize(
    ("call", "status", "told"),
    [
        (Call("nothing"), "unknown", "no tool 'nothing'"),
        (Call("add", '{"x": 1, "y": '), "invalid", "do not fit"),
        (Call("add", {"x": 1}), "invalid", "`y`"),
        (Call("add", {"x": 1, "y": "three"}), "invalid", "$.y"),
        (Call("add", {"x": 1, "y": 2, "z": 3}), "invalid", "`z`"),
        (Call("add", "[1, 2]"), "invalid", "object"),
        (Call("add", "[" * 5000), "invalid", "do not fit"),
        (Call("travel", {"to": {"city": "nowhere"}}), "invalid", "do not fit: 'nowhere'"),
        (Call("broken", ""), "error", "ValueError: the disk is on fire"),
        (Call("leave"), "error", "SystemExit"),
        (Call("leave_later"), "error", "SystemExit"),
        (Call("cancelled"), "error", "cancelled"),
        (Call("speechless"), "error", "Speechless: (its message cannot be read: KeyError)"),
        (Call("deep"), "ok", "..."),
        (Call("guarded"), "refused", "did not allow"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_with_a_call_is_told_to_the_model(
    model: Model, gateway: Gateway, call: Call, status: str, told: str, stream: bool
) -> None:
    def leave() -> None:
        raise SystemExit(3)

    async def leave_later() -> None:
        await asyncio.sleep(0)
        raise SystemExit(3)

    async def cancelled() -> None:
        raise asyncio.CancelledError

    class Speechless(Exception):
        def __str__(self) -> str:
            raise KeyError("reason")

    def speechless() -> None:
        raise Speechless

    def deep() -> list[Any]:
        value: list[Any] = []
        value.append(value)
        return value

    @tool(confirm=True)
    def guarded() -> None:
        pytest.fail("nobody allowed it")

    gateway.script(calling(call, Call("add", {"x": "1", "y": 1})), "say:Sorry.")
    tools = [add, broken, travel, leave, leave_later, cancelled, speechless, deep, guarded]
    answer = await ask(model, stream, tools=tools)
    assert answer.text == "Sorry."
    result, other = answer.steps[0].results
    assert (result.status, other.text) == (status, "2")
    assert told in result.text
    assert result.arguments == call.text
    assert (result.error is not None) is (status in ("error", "invalid"))
    sent = gateway.last.json["messages"]
    assert unanswered(sent) == []
    for one in sent[1]["tool_calls"]:
        assert isinstance(json.loads(one["function"]["arguments"]), dict)


@both
async def test_it_ends_at_max_steps_with_every_call_answered(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    gateway.always(calling(Call("add", {"x": 1, "y": 1}), text="Again."))
    answer = await ask(model, stream, tools=[add], max_steps=3)
    assert len(gateway.requests) == len(answer.steps) == 3
    assert answer.finish_reason == "max_steps"
    assert "after 3 steps" in answer.note
    assert unanswered(answer.messages) == []
    assert answer.messages[-1]["content"] == "2"
    gateway.always("say:Two.")
    again = await model.generate_text(model="m", messages=answer.messages)
    assert again.text == "Two."


async def test_the_names_of_the_web_sdk_work(model: Model, gateway: Gateway) -> None:
    numbers = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    seen: list[Any] = []
    tools = [
        {
            "name": "double",
            "description": "Double it",
            "parameters": numbers,
            "fn": lambda x: 2 * x,
        },
        {"name": "keep", "parameters": numbers, "fn": lambda everything: seen.append(everything)},
        {"name": "sum", "fn": add},
    ]
    calls = [Call("double", {"x": 4}), Call("keep", {"x": 5}), Call("double", {"y": 4}),
             Call("sum", {"x": 1, "y": 2})]  # fmt: skip
    steps: list[Step] = []
    gateway.script(calling(*calls))
    answer = await model.generate_text(
        data={**ASK, "tools": tools, "maxSteps": 1, "onStepFinish": steps.append}
    )
    assert [(r.text, r.status) for r in answer.steps[0].results] == [
        ("8", "ok"), ("null", "ok"), (answer.steps[0].results[2].text, "invalid"), ("3", "ok"),
    ]  # fmt: skip
    assert seen == [{"x": 5}]
    assert steps == list(answer.steps)
    sent = gateway.last.json
    assert set(sent) == {"model", "messages", "tools", "stream"}
    assert sent["tools"][0]["function"] == {
        "name": "double", "description": "Double it", "parameters": numbers,
    }  # fmt: skip


@both
async def test_calls_of_tools_without_a_function_are_left_to_the_caller(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    own = {"type": "function", "function": {"name": "theirs", "parameters": {"type": "object"}}}
    gateway.script(calling(Call("theirs", {"a": 1}), Call("add", {"x": 1, "y": 1})))
    answer = await ask(model, stream, tools=[own, add])
    assert len(gateway.requests) == 1
    assert gateway.last.json["tools"][0] == own
    assert [call.function.name for call in answer.tool_calls if call.function] == ["theirs", "add"]
    assert [result.name for result in answer.steps[0].results] == ["add"]
    assert unanswered(answer.messages) == ["call_0"]
    gateway.script(calling("theirs"))
    alone = await ask(model, stream, tools=[own])
    assert alone.finish_reason == "tool_calls"
    assert alone.steps == ()


@both
async def test_listeners_follow_the_calls_and_the_steps(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    seen: list[str] = []

    def on_call(call: ToolCall) -> None:
        ended = "" if call.open else f" {call.status}: {call.text}"
        seen.append(f"{call.step} {call.name}{ended}")

    async def on_step_finish(step: Step) -> None:
        await asyncio.sleep(0)
        seen.append(f"step {step.number} {step.text}")

    gateway.script(calling(Call("add", {"x": 1, "y": 2}), text="Let me see."), "say:3")
    await ask(model, stream, tools=[add], on_call=on_call, on_step_finish=on_step_finish)
    assert seen == ["1 add", "1 add ok: 3", "step 1 Let me see.", "step 2 3"]


@both
async def test_an_answer_without_tools_is_a_step_too(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    steps: list[Step] = []
    gateway.script("say:Hello")
    answer = await ask(model, stream, on_step_finish=steps.append)
    assert [step.text for step in steps] == ["Hello"]
    assert answer.steps == tuple(steps)


@pytest.mark.parametrize("size", [None, 1, 5000])
async def test_a_reader_has_the_words_of_a_step_before_its_calls_start(
    model: Model, gateway: Gateway, size: int | None
) -> None:
    seen: list[str] = []

    def on_call(call: ToolCall) -> None:
        seen.append("started" if call.open else "ended")

    call = calling(Call("add", {"x": 1, "y": 2}), text="See.", shape="together", split=size)
    gateway.script(call, call, "say:3")
    stream = await model.stream_text(**ASK, tools=[add], on_call=on_call)
    async for batch in stream.batches():
        seen += [chunk.text for chunk in batch if chunk.text]
    assert seen == ["See.", "started", "ended", "See.", "started", "ended", "3"]


@both
async def test_a_listener_that_fails_fails_the_answer(
    model: Model, gateway: Gateway, stream: bool
) -> None:
    def on_step_finish(step: Step) -> None:
        raise ZeroDivisionError

    gateway.script(calling(Call("add", {"x": 1, "y": 2})))
    with pytest.raises(ZeroDivisionError):
        await ask(model, stream, tools=[add], on_step_finish=on_step_finish)


async def test_a_tool_that_asks_runs_after_a_yes(model: Model, gateway: Gateway) -> None:
    asked: list[ToolCall] = []
    open_questions = 0

    async def approve(call: ToolCall) -> bool:
        nonlocal open_questions
        open_questions += 1
        assert open_questions == 1, "one question at a time"
        asked.append(call)
        await asyncio.sleep(0.01)
        open_questions -= 1
        return call.parsed is not None and call.parsed["path"] == "/tmp/a"

    @tool(confirm=True, name="remove")
    def delete(path: str) -> str:
        """Delete a file."""
        return f"deleted {path}"

    calls = [Call("remove", {"path": path}) for path in ("/tmp/a", "/etc/b")]
    gateway.script(calling(*calls, Call("remove", "{}")), "say:Done.")
    states: list[ToolCall] = []
    answer = await model.generate_text(
        **ASK, tools=[delete], approve=approve, on_call=states.append
    )
    calls = answer.steps[0].results
    assert [call.status for call in calls] == ["ok", "refused", "invalid"]
    assert [[state.status for state in states if state.id == call.id] for call in calls] == [
        ["running", "asking", "running", "ok"],
        ["running", "asking", "refused"],
        ["running", "invalid"],
    ]
    assert [call.parsed and call.parsed["path"] for call in asked] == ["/tmp/a", "/etc/b"]
    assert (asked[0].name, asked[0].description) == ("remove", "Delete a file.")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ('{"path": "a", "path": "b"}', "path"),
        ('{"path": "a", "p\\u0061th": "b"}', "path"),
        ('{"path": "a", "more": {"x": 1, "x": 2}}', "x"),
        ('{"path": "a", "more": [[{"": 1, "": 1}]]}', ""),
        ('{"more": ' + "1" * 5_000 + ', "path": "a", "path": "b"}', "path"),
    ],
)
@pytest.mark.parametrize("confirm", [True, False])
async def test_a_name_that_is_there_twice_is_refused(
    model: Model, gateway: Gateway, arguments: str, name: str, confirm: bool
) -> None:
    async def approve(call: ToolCall) -> bool:
        pytest.fail("nobody is asked")

    def remove(path: str, more: Any = None) -> str:
        """Delete a file."""
        pytest.fail("it must not run")

    gateway.script(calling(Call("remove", arguments)), "say:Sorry.")
    tools = [tool(confirm=confirm)(remove)]
    answer = await model.generate_text(**ASK, tools=tools, approve=approve)
    (call,) = answer.steps[0].results
    assert call.status == "invalid"
    assert f"the name {name!r} is there twice" in call.text
    assert gateway.last.json["messages"][-1]["content"] == call.text


async def test_a_nested_tool_runs_where_it_is_told_to(model: Model, gateway: Gateway) -> None:
    main = threading.get_ident()
    ran: list[tuple[int, asyncio.AbstractEventLoop | None]] = []

    @tool(nested=True)
    async def where() -> str:
        """Tell where it runs."""
        ran.append((threading.get_ident(), asyncio.get_running_loop()))
        return "here"

    async def elsewhere(call: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(lambda: asyncio.run(call()))

    gateway.script(calling("where"), "say:Here.", calling("where"), "say:There.")
    for how in ({}, {"call_nested": elsewhere}):
        answer = await model.generate_text(**ASK, tools=[where], **how)
        assert answer.steps[0].results[0].text == "here"
    assert ran[0] == (main, asyncio.get_running_loop())
    assert ran[1][0] != main


async def test_a_stream_reads_as_one_over_all_steps(model: Model, gateway: Gateway) -> None:
    gateway.script(
        calling(Call("add", {"x": 1, "y": 2}), text="One. ", reasoning="Hm."), "say:Two."
    )
    stream = await model.stream_text(**ASK, tools=[add])
    assert not stream.done
    texts = [text async for text in stream.text_stream]
    assert "".join(texts) == stream.text == "One. Two."
    assert stream.reasoning == "Hm."
    answer = await stream.finish()
    assert (answer.text, answer.usage, answer.messages) == ("Two.", stream.usage, stream.messages)
    assert stream.steps == answer.steps
    assert stream.finish_reason == "stop"
    assert stream.timing == answer.timing
    assert stream.answer() is answer
    events = [event.data async for event in stream.event_stream]
    assert events.count("[DONE]") == 1
    assert events[-1] == "[DONE]"
    batches = [chunk for batch in [b async for b in stream.batches()] for chunk in batch]
    assert batches == [chunk async for chunk in stream.data_stream]
    assert len(batches) == len(events) - 1
    # The reasoning of a step is sent back with its tool calls.
    assert answer.messages[1]["reasoning_content"] == "Hm."


async def test_what_a_stream_knows_while_a_tool_runs(model: Model, gateway: Gateway) -> None:
    go, running = asyncio.Event(), asyncio.Event()

    async def wait() -> str:
        """Wait."""
        running.set()
        await go.wait()
        return "waited"

    gateway.script(calling("wait", text="Let me wait."), "say:Done.")
    stream = await model.stream_text(**ASK, tools=[wait])
    await running.wait()
    assert stream.text == "Let me wait."
    assert not stream.done
    assert stream.finish_reason is None
    assert stream.messages == [*MESSAGES, {"role": "assistant", "content": "Let me wait."}]
    assert stream.usage is not None
    assert stream.usage.total_tokens == 10
    assert stream.answer().text == "Let me wait."
    go.set()
    assert (await stream.finish()).text == "Done."


@both
@pytest.mark.parametrize("callback", ["approve", "on_step_finish"])
async def test_a_callback_cannot_swallow_the_stop(
    model: Model, gateway: Gateway, callback: str, stream: bool
) -> None:
    asked, ran = asyncio.Event(), []

    async def swallow(_: Any) -> bool:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return True

    @tool(confirm=callback == "approve")
    def run() -> None:
        """Run."""
        ran.append(1)

    gateway.always(calling(Call("run")))
    work = asyncio.ensure_future(
        ask(model, stream, tools=[run], max_steps=2, **{callback: swallow})
    )
    await asked.wait()
    work.cancel()
    await asyncio.wait({work}, timeout=10)
    assert work.cancelled()
    await asyncio.sleep(0.1)
    assert len(gateway.requests) == 1
    assert len(ran) == (0 if callback == "approve" else 1)


@both
@pytest.mark.parametrize("kind", ["async", "sync", "blocked", "approve"])
async def test_an_interrupt_leaves_a_running_tool_at_once(
    model: Model, gateway: Gateway, kind: str, stream: bool
) -> None:
    started, ended, release = threading.Event(), threading.Event(), threading.Event()

    async def slow() -> None:
        """Be slow."""
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    def spin() -> None:
        """Be busy."""
        started.set()
        try:
            for _ in itertools.count():
                pass
        finally:
            ended.set()

    def blocked() -> None:
        """Wait inside a system call."""
        started.set()
        release.wait()
        ended.set()

    async def approve(call: ToolCall) -> bool:
        await slow()
        return True

    tools = {"async": slow, "sync": spin, "blocked": blocked, "approve": tool(confirm=True)(broken)}
    name = getattr(tools[kind], "__name__", "broken")
    gateway.script(calling(name))
    asking = asyncio.ensure_future(ask(model, stream, tools=[tools[kind]], approve=approve))
    assert await asyncio.to_thread(started.wait, 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    # On Python 3.10, a cancelled task keeps a reference to its running coroutine, so to the stream.
    del asking
    if kind == "blocked":
        assert not ended.is_set()
        release.set()
    else:
        assert await asyncio.to_thread(ended.wait, 60)
    assert len(gateway.requests) == 1


async def test_closing_a_stream_stops_its_tools(model: Model, gateway: Gateway) -> None:
    stopped = asyncio.Event()
    running = asyncio.Event()

    async def slow() -> None:
        """Be slow."""
        running.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    gateway.script(calling("slow", text="Wait."))
    async with await model.stream_text(**ASK, tools=[slow]) as stream:
        await running.wait()
    assert stopped.is_set()
    assert stream.done
    assert unanswered(stream.messages) == []
    assert stream.text == "Wait."


async def test_a_stream_that_nobody_holds_stops_its_tools(model: Model, gateway: Gateway) -> None:
    running, stopped = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        """Be slow."""
        running.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    gateway.script(calling("slow"))
    stream = await model.stream_text(**ASK, tools=[slow])
    await running.wait()
    del stream
    gc.collect()
    await asyncio.wait_for(stopped.wait(), 60)


async def test_a_stream_with_tools_can_be_read_from_another_loop(
    model: Model, gateway: Gateway
) -> None:
    gateway.script(calling(Call("add", {"x": 1, "y": 2}), text="One. "), "say:Two.")
    stream = await model.stream_text(**ASK, tools=[add])

    async def elsewhere() -> str:
        return "".join([text async for text in stream.text_stream])

    assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == "One. Two."


async def test_a_tool_runs_in_the_callers_context(model: Model, gateway: Gateway) -> None:
    cell.set("In [3]")

    def where() -> str:
        """Tell which cell it is."""
        return cell.get()

    async def where_async() -> str:
        """Tell which cell it is."""
        return cell.get()

    gateway.script(calling("where", "where_async"), "say:There.")
    answer = await model.generate_text(**ASK, tools=[where, where_async])
    assert [result.text for result in answer.steps[0].results] == ["In [3]", "In [3]"]


async def test_calls_of_a_step_run_at_once(model: Model, gateway: Gateway) -> None:
    together = threading.Barrier(10, timeout=60)

    def meet(n: int) -> int:
        """Meet the others."""
        together.wait()
        return n

    gateway.script(calling(*(Call("meet", {"n": n}) for n in range(10))), "say:Met.")
    answer = await model.generate_text(**ASK, tools=[meet])
    assert [result.text for result in answer.steps[0].results] == [str(n) for n in range(10)]


async def test_a_request_that_fails_before_its_first_token_is_tried_again_in_each_step(
    model: Model, gateway: Gateway
) -> None:
    failing = Scenario(error=Error("INTERNAL_ERROR"))
    gateway.script(failing, calling(Call("add", {"x": 1, "y": 2})), failing, "say:3")
    stream = await model.stream_text(**ASK, tools=[add])
    answer = await stream.finish()
    assert answer.text == "3"
    assert answer.timing.attempts == 4


async def test_a_failure_in_a_later_step_reaches_every_reader(
    model: Model, gateway: Gateway
) -> None:
    gateway.script(
        calling(Call("add", {"x": 1, "y": 2}), text="Let me see. "),
        Scenario(text="one two", error=Error("INTERNAL_ERROR"), error_where="event", error_after=1),
    )
    stream = await model.stream_text(**ASK, tools=[add])
    for view in (stream.text_stream, stream.batches()):
        with pytest.raises(ServerError) as raised:
            async for _ in view:
                pass
        assert raised.value.partial == "Let me see. one"
    assert unanswered(stream.messages) == []
    assert [step.number for step in stream.steps] == [1]


async def test_a_choice_that_forces_a_call_holds_for_one_step(
    model: Model, gateway: Gateway
) -> None:
    for choice, later in (("required", None), ("auto", "auto")):
        gateway.script(calling(Call("add", {"x": 1, "y": 2})), "say:3")
        await model.generate_text(**ASK, tools=[add], tool_choice=choice)
        first, second = gateway.requests[-2:]
        assert (first.json["tool_choice"], second.json.get("tool_choice")) == (choice, later)


async def test_the_key_never_travels_in_a_result(make_model: MakeModel, gateway: Gateway) -> None:
    def leak() -> str:
        """Tell a secret."""
        return "the key is test-key"

    gateway.script(calling("leak"), "say:Thanks.")
    await make_model().generate_text(**ASK, tools=[leak])
    assert b"test-key" not in gateway.last.body


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"tools": "add"}, "must be a list"),
        ({"tools": [add, add]}, "Two tools"),
        ({"tools": [3]}, "can be no tool"),
        ({"tools": [lambda x: x]}, "cannot be called '<lambda>'"),
        ({"tools": [add], "max_steps": 0}, "max_steps"),
        ({"tools": [add], "max_steps": "5"}, "max_steps"),
    ],
)
async def test_what_cannot_be_used_is_said_before_anything_is_sent(
    model: Model, gateway: Gateway, params: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        await model.generate_text(**ASK, **params)
    assert gateway.requests == []


async def test_any_server_of_the_same_wire_takes_tools(
    make_model: MakeModel, gateway: Gateway
) -> None:
    gateway.script(calling(Call("add", {"x": 1, "y": 2})), "say:3")
    answer = await make_model("custom").generate_text(**ASK, tools=[add])
    assert (answer.text, gateway.last.path) == ("3", "/v1/chat/completions")


async def test_prepare_shows_the_first_request(model: Model, gateway: Gateway) -> None:
    prepared = await model.prepare(False, **ASK, tools=[tool(add)], max_steps=1)
    gateway.script(calling("add"))
    await model.generate_text(**ASK, tools=[add], max_steps=1)
    assert gateway.last.json == prepared.body
    assert isinstance(tool(add), Tool)
    assert tool(add)(1, y=2) == 3
