"""Streams: every view, every way to leave a stream, and every way a stream can end."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.sse import Event
from cbai_notebook.errors import (
    CbaiError,
    InvalidResponseError,
    QuotaExceededError,
    RequestTimeoutError,
    ServerError,
    StreamCutError,
)
from tests.client.conftest import MESSAGES, MakeModel
from tests.client.streams import read, read_until_failure
from tests.gateway import Error, Fault, Gateway, Scenario, texts

ASK = {"messages": MESSAGES}


async def test_a_stream_reads_as_text_as_events_and_as_chunks(model: Model) -> None:
    stream = await model.stream_text(model="hy3", **ASK)
    assert "".join(await read(stream.text_stream)) == texts.ENGLISH
    events = await read(stream.event_stream)
    assert all(isinstance(event, Event) and isinstance(event.data, str) for event in events)
    assert [event.data for event in events].index("[DONE]") == len(events) - 1
    chunks = await read(stream.data_stream)
    assert "".join(chunk.text for chunk in chunks) == texts.ENGLISH
    assert len(chunks) == len(events) - 1
    assert chunks[0].id == "chatcmpl-gateway"
    assert chunks[1].choices is not None
    assert chunks[1].choices[0].delta is not None
    assert chunks[1].raw["object"] == "chat.completion.chunk"
    assert [chunk for batch in await read(stream.batches()) for chunk in batch] == chunks


async def test_views_do_not_disturb_each_other(make_model: MakeModel) -> None:
    stream = await make_model().stream_text(model="paced:300x60", **ASK)
    first, second = stream.text_stream, stream.text_stream
    one = await first.__anext__()
    together = await asyncio.gather(
        read(first), read(second), read(stream.event_stream), read(stream.batches())
    )
    late = await read(stream.text_stream)
    assert len(late) == 60
    assert [one, *together[0]] == together[1] == late
    assert len(together[2]) == len(await read(stream.event_stream))


async def test_what_is_known_so_far_never_waits(make_model: MakeModel) -> None:
    stream = await make_model().stream_text(model="tokens:20+reason+hang:12", **ASK)
    assert not stream.done
    assert stream.usage is None
    assert stream.finish_reason is None
    assert stream.timing.first_token_s is not None
    assert stream.timing.duration_s is None
    assert stream.messages[: len(MESSAGES)] == MESSAGES
    assert stream.request_id == "req-000001"
    await stream.aclose()
    assert stream.text + stream.reasoning != ""


async def test_finish_gives_what_generate_text_gives(model: Model) -> None:
    stream = await model.stream_text(model="hy3", **ASK)
    streamed = await stream.finish()
    whole = await model.generate_text(model="hy3", **ASK)
    assert type(streamed) is type(whole)
    for name in ("id", "object", "model", "text", "messages", "finish_reason", "provider"):
        assert getattr(streamed, name) == getattr(whole, name), name
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    assert streamed.raw["choices"] == whole.raw["choices"]
    assert streamed.usage is not None
    assert streamed.usage == whole.usage == stream.usage
    assert streamed.raw_responses == [streamed.raw]
    assert stream.messages == whole.messages
    assert whole.timing.first_token_s is None
    assert whole.timing.duration_s is not None
    assert whole.request_id == "req-000002"


async def test_leaving_a_loop_closes_nothing(make_model: MakeModel, gateway: Gateway) -> None:
    stream = await make_model().stream_text(model="paced:200x40", **ASK)
    async for _ in stream.text_stream:
        break
    answer = await stream.finish()
    assert answer.usage is not None
    assert len(await read(stream.text_stream)) == 40
    assert not gateway.last.disconnected


async def test_aclose_gives_the_connection_back_at_once(model: Model, gateway: Gateway) -> None:
    stream = await model.stream_text(model="tokens:20+hang:5", **ASK)
    await stream.aclose()
    await gateway.until(lambda: gateway.last.disconnected)
    _, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, StreamCutError)
    assert error.code == "stream_closed"
    assert error.partial == stream.text != ""
    await stream.aclose()


async def test_async_with_gives_it_back_also_after_a_failure(
    model: Model, gateway: Gateway
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with await model.stream_text(model="tokens:20+hang:5", **ASK):
            raise ZeroDivisionError
    await gateway.until(lambda: gateway.last.disconnected)


async def test_a_stream_that_nobody_holds_is_closed(model: Model, gateway: Gateway) -> None:
    stream = await model.stream_text(model="tokens:20+hang:5", **ASK)
    view = stream.text_stream
    del stream
    await view.__anext__()
    gc.collect()
    assert not gateway.last.disconnected, "a view keeps its stream"
    del view
    gc.collect()
    await gateway.until(lambda: gateway.last.disconnected)


async def test_cancelling_a_reader_leaves_the_stream(make_model: MakeModel) -> None:
    stream = await make_model().stream_text(model="paced:100x30", **ASK)
    reader = asyncio.ensure_future(read(stream.text_stream))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert len(await read(stream.text_stream)) == 30


@pytest.mark.parametrize("where", ["hang:headers", "hang:head", "hang:body", "hang:0"])
async def test_cancelling_before_the_first_token_gives_the_connection_back(
    model: Model, gateway: Gateway, where: str
) -> None:
    asking = asyncio.ensure_future(model.stream_text(model=where, **ASK))
    await gateway.until(lambda: gateway.requests)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gateway.until(lambda: gateway.last.disconnected)


async def test_cancelling_a_whole_answer_gives_the_connection_back(
    model: Model, gateway: Gateway
) -> None:
    asking = asyncio.ensure_future(model.generate_text(model="hang:headers", **ASK))
    await gateway.until(lambda: gateway.requests)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gateway.until(lambda: gateway.last.disconnected)


async def test_a_stream_can_be_read_from_another_loop(model: Model) -> None:
    stream = await model.stream_text(model="paced:200x40", **ASK)

    async def elsewhere() -> tuple[str, str]:
        text = "".join(await read(stream.text_stream))
        return text, (await stream.finish()).text

    there = asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(elsewhere()))
    here = "".join(await read(stream.text_stream))
    assert await there == (here, here)


async def test_a_stream_can_be_closed_from_another_loop(model: Model, gateway: Gateway) -> None:
    stream = await model.stream_text(model="tokens:20+hang:5", **ASK)
    await asyncio.get_running_loop().run_in_executor(None, lambda: asyncio.run(stream.aclose()))
    await gateway.until(lambda: gateway.last.disconnected)
    assert stream.done


@pytest.mark.parametrize(
    "wire",
    ["crlf", "cr", "mixed", "crlf-first", "bom", "comments", "multiline", "ids", "tight", "ascii",
     "noblank", "after-done", "split:1", "split:7", "split:utf8", "wire-split:3", "frames:5",
     "framing:length", "framing:close", "gzip", "type:none", "type:text/plain",
     "no-request-id", "bom+mixed+multiline+comments+split:1"],
)  # fmt: skip
async def test_however_it_is_written_it_reads_the_same(model: Model, wire: str) -> None:
    text = "李白 wrote «静夜思» 🌙 é"
    stream = await model.stream_text(model=f"say:{text}+{wire}", **ASK)
    assert "".join(await read(stream.text_stream)) == text
    assert (await stream.finish()).usage is not None


async def test_reasoning_comes_apart(model: Model) -> None:
    for spec in ("reason", "reason-beside"):
        stream = await model.stream_text(model=f"english+{spec}", **ASK)
        answer = await stream.finish()
        assert answer.text == texts.ENGLISH
        assert answer.reasoning
        assert stream.reasoning == answer.reasoning == answer.message.reasoning_content
        chunks = await read(stream.data_stream)
        assert "".join(chunk.reasoning for chunk in chunks) == answer.reasoning
        assert answer.messages[-1] == {"role": "assistant", "content": texts.ENGLISH}


async def test_an_answer_of_reasoning_only_is_an_answer(model: Model) -> None:
    answer = await (await model.stream_text(model="reason-only", **ASK)).finish()
    assert (answer.text, answer.finish_reason) == ("", "length")
    assert answer.reasoning


async def test_an_empty_answer_is_an_answer(model: Model) -> None:
    stream = await model.stream_text(model="empty", **ASK)
    assert await read(stream.text_stream) == []
    assert (await stream.finish()).text == ""
    assert stream.timing.first_token_s is None


@pytest.mark.parametrize(
    "usage", ["last", "asked", "finish", "repeated", "zero-first", "zero-last"]
)
async def test_the_last_usage_that_is_not_zero_counts(model: Model, usage: str) -> None:
    answer = await (await model.stream_text(model=f"tokens:7+usage:{usage}", **ASK)).finish()
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7
    assert answer.usage.total_tokens == 7 + (answer.usage.prompt_tokens or 0)
    assert answer.raw["usage"]["completion_tokens"] == 7


async def test_without_usage_there_is_none(model: Model) -> None:
    answer = await (await model.stream_text(model="tokens:7+usage:absent", **ASK)).finish()
    assert answer.usage is None
    assert (await model.generate_text(model="tokens:7+usage:absent", **ASK)).usage is None


async def test_unknown_fields_are_kept(model: Model) -> None:
    streamed = await (await model.stream_text(model="tokens:5+extra-fields", **ASK)).finish()
    whole = await model.generate_text(model="tokens:5+extra-fields", **ASK)
    assert set(streamed.raw) == set(whole.raw)
    assert set(streamed.raw["choices"][0]) == set(whole.raw["choices"][0])
    unknown = set(whole.raw) - {"id", "object", "created", "model", "choices", "usage"}
    assert unknown
    assert {name: streamed.raw[name] for name in unknown} == {
        name: whole.raw[name] for name in unknown
    }


async def test_a_completion_in_one_piece_is_a_stream_of_one_chunk(model: Model) -> None:
    stream = await model.stream_text(model="english+no-stream", **ASK)
    assert await read(stream.text_stream) == [texts.ENGLISH]
    assert (await read(stream.event_stream))[-1].data == "[DONE]"
    answer = await stream.finish()
    assert answer.usage is not None
    assert answer.raw["choices"][0]["message"]["content"] == texts.ENGLISH


async def test_a_completion_without_its_type_is_one_too(model: Model) -> None:
    stream = await model.stream_text(model="english+no-stream+type:none", **ASK)
    assert await read(stream.text_stream) == [texts.ENGLISH]


async def test_a_stream_that_nobody_asked_for_is_an_answer(model: Model) -> None:
    for spec in ("", "+reason", "+type:none", "+mixed"):
        answer = await model.generate_text(model=f"english+always-stream{spec}", **ASK)
        assert answer.text == texts.ENGLISH
        assert answer.usage is not None
        assert answer.finish_reason == "stop"
        assert bool(answer.reasoning) == (spec == "+reason")
    answer = await model.generate_text(model="english+always-stream+nodone", **ASK)
    assert answer.text == texts.ENGLISH
    assert "end mark" in answer.note
    with pytest.raises(QuotaExceededError):
        await model.generate_text(model="always-stream+midstream-error", **ASK)


async def test_an_error_event_comes_after_all_that_was_good(model: Model, gateway: Gateway) -> None:
    for spec in ("", "+error-named", "+upstream", "+error-done", "+error-goes-on"):
        code = "EXCEED_TOKEN_QUOTA_LIMIT"
        stream = await model.stream_text(model=f"midstream-error:3:{code}{spec}", **ASK)
        pieces, error = await read_until_failure(stream.text_stream)
        assert len(pieces) == 3
        assert isinstance(error, QuotaExceededError)
        assert error.code == code
        assert error.partial == "".join(pieces)
        assert error.request_id == gateway.last.request_id
        for view in (stream.event_stream, stream.data_stream, stream.batches()):
            items, again = await read_until_failure(view)
            assert items
            assert type(again) is type(error)
            assert again is not error
        with pytest.raises(QuotaExceededError):
            await stream.finish()
        assert stream.text == error.partial
        assert isinstance(stream.error, QuotaExceededError)


async def test_an_event_that_is_no_json_fails_after_what_was_good(model: Model) -> None:
    stream = await model.stream_text(model="bad-json:4", **ASK)
    pieces, error = await read_until_failure(stream.text_stream)
    assert len(pieces) == 4
    assert isinstance(error, InvalidResponseError)
    assert error.partial == "".join(pieces)


@pytest.mark.parametrize("cut", ["cut:5", "rst:5", "cut:5:frame", "stop:5", "cut:5+framing:length"])
async def test_a_cut_is_told_with_the_text_so_far(model: Model, cut: str) -> None:
    stream = await model.stream_text(model=f"tokens:20+pause:4:0.05+{cut}", **ASK)
    pieces, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, StreamCutError)
    assert error.code == "stream_cut"
    assert "not complete" in error.message
    assert error.partial == "".join(pieces)
    # A reset may arrive before the data that was sent before it.
    assert 4 <= len(pieces) <= 5


@pytest.mark.parametrize("cut", ["nodone", "nodone+noblank"])
async def test_an_answer_is_complete_with_a_finish_reason_and_the_end_of_its_body(
    model: Model, cut: str
) -> None:
    stream = await model.stream_text(model=f"english+{cut}", **ASK)
    answer = await stream.finish()
    assert answer.text == texts.ENGLISH
    # CloudBase promises an end mark.
    assert "end mark" in answer.note


async def test_a_body_that_breaks_off_after_the_finish_reason_looks_complete(model: Model) -> None:
    stream = await model.stream_text(model="english+cut:finish", **ASK)
    pieces, error = await read_until_failure(stream.text_stream)
    assert "".join(pieces) == texts.ENGLISH == error.partial
    assert isinstance(error, StreamCutError)
    assert "looks complete" in error.message


async def test_a_stream_that_stops_times_out_with_the_text_so_far(make_model: MakeModel) -> None:
    model = make_model(timeout={"between_tokens": 0.2, "answer": 0.6})
    # Signs of life are waited for longer, but not for ever.
    for spec, limit in (("hang:5", "0.2 s"), ("hang:5+heartbeat:0.05", "0.6 s")):
        stream = await model.stream_text(model=f"tokens:20+{spec}", **ASK)
        pieces, error = await read_until_failure(stream.text_stream)
        assert isinstance(error, RequestTimeoutError)
        assert error.code == "timeout_between_tokens"
        assert limit in error.message
        assert len(pieces) == 5
        assert error.partial == "".join(pieces)


async def test_a_slow_stream_that_goes_on_does_not_time_out(make_model: MakeModel) -> None:
    model = make_model(timeout={"first_token": 5, "between_tokens": 0.4})
    stream = await model.stream_text(model="paced:20x20", **ASK)
    assert len(await read(stream.text_stream)) == 20


async def test_time_for_which_the_loop_is_held_up_does_not_count(
    make_model: MakeModel, gateway: Gateway
) -> None:
    stream = await make_model(timeout={"between_tokens": 0.5}).stream_text(
        model="tokens:20+hold:5", **ASK
    )
    gateway.let_go()
    time.sleep(0.8)
    assert len(await read(stream.text_stream)) == 20


@pytest.mark.parametrize("where", ["headers", "head", "body", "0", "body+heartbeat:0.05"])
async def test_a_first_token_that_never_comes_times_out(
    make_model: MakeModel, gateway: Gateway, where: str
) -> None:
    model = make_model(timeout={"first_token": 0.3, "answer": 0.6})
    with pytest.raises(RequestTimeoutError) as raised:
        await model.stream_text(model=f"hang:{where}", **ASK)
    assert raised.value.code == "timeout_first_token"
    assert len(gateway.requests) == 1, "a slow server is not asked twice"
    await gateway.until(lambda: gateway.last.disconnected)


async def test_a_whole_answer_times_out_as_a_whole(make_model: MakeModel, gateway: Gateway) -> None:
    with pytest.raises(RequestTimeoutError) as raised:
        await make_model(timeout={"answer": 0.3}).generate_text(model="hang:headers", **ASK)
    assert raised.value.code == "timeout_answer"
    await gateway.until(lambda: gateway.last.disconnected)
    with pytest.raises(RequestTimeoutError):
        await make_model().generate_text(model="hang:headers", timeout=0.3, **ASK)
    assert "timeout" not in gateway.last.json


async def test_the_connection_is_used_again(model: Model, gateway: Gateway) -> None:
    for spec in ("tokens:5", "tokens:5+after-done", "blast:100", "error:404"):
        gateway.script(spec, spec)
        for _ in range(2):
            try:
                await (await model.stream_text(**ASK)).finish()
            except CbaiError:
                assert spec == "error:404"
        await model.generate_text(model="echo", **ASK)
    assert gateway.connections == 1


async def test_a_body_that_never_ends_after_done_holds_nobody_up(
    model: Model, gateway: Gateway
) -> None:
    stream = await model.stream_text(model="tokens:5+hang:done", **ASK)
    assert len(await read(stream.text_stream)) == 5
    assert (await stream.finish()).finish_reason == "stop"
    assert gateway.last.in_flight
    (reading,) = (task for task in asyncio.all_tasks() if task.get_name() == "cbai stream")
    await gateway.until(lambda: gateway.last.disconnected)
    await asyncio.wait({reading})
    assert reading.exception() is None


async def test_a_flood_after_done_is_not_read_for_ever(model: Model, gateway: Gateway) -> None:
    stream = await model.stream_text(model="tokens:5+flood:50000000", **ASK)
    assert (await stream.finish()).finish_reason == "stop"
    await gateway.until(lambda: gateway.last.disconnected)


async def test_a_burst_reaches_a_reader_at_once(model: Model) -> None:
    stream = await model.stream_text(model="blast:2000", **ASK)
    batches = await read(stream.batches())
    assert sum(len(batch) for batch in batches) >= 2000
    assert len(batches) < 200


async def test_a_fat_chunk_comes_through(model: Model) -> None:
    stream = await model.stream_text(model="fat:3000000", **ASK)
    assert len((await stream.finish()).text) == 3_000_000


async def test_odd_types_in_a_chunk_are_read_leniently(model: Model, gateway: Gateway) -> None:
    gateway.script(
        Scenario(
            payloads=(
                '{"id":7,"created":"12","model":null,"choices":[{"delta":{"role":"assistant",'
                '"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"index":"0"}]}',
                '{"choices":[{"delta":{"content":"c"}}],"usage":{"total_tokens":"3"}}',
                '{"choices":[null,{"index":0,"delta":null,"finish_reason":"stop"}],"code":0}',
                '{"choices":[],"error":null,"code":"NORMAL"}',
                '{"code":200,"error":null}',
                "[DONE]",
            )
        )
    )
    stream = await model.stream_text(model="m", **ASK)
    answer = await stream.finish()
    assert (answer.text, answer.id, answer.created, answer.model) == ("abc", "7", 12, "m")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 3
    assert answer.finish_reason == "stop"


async def test_tool_calls_are_joined_by_index(model: Model, gateway: Gateway) -> None:
    def delta(**parts: Any) -> str:
        return json.dumps({"id": "x", "choices": [{"index": 0, "delta": parts}]})

    def call(index: int, arguments: str) -> dict[str, Any]:
        return {"index": index, "function": {"arguments": arguments}}

    gateway.script(
        Scenario(
            payloads=(
                delta(role="assistant", content=None),
                delta(tool_calls=[{"index": 0, "id": "a", "type": "function", "extra": 1,
                                   "function": {"name": "add", "arguments": ""}}]),
                delta(tool_calls=[call(0, '{"x"')]),
                delta(tool_calls=[{"index": 1, "id": "b", "type": "function",
                                   "function": {"name": "now", "arguments": "{"}}]),
                delta(tool_calls=[call(0, ": 1}"), call(1, "}")]),
                '{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
                "[DONE]",
            )
        )
    )  # fmt: skip
    stream = await model.stream_text(model="m", **ASK)
    answer = await stream.finish()
    calls = [
        {"id": "a", "type": "function", "function": {"name": "add", "arguments": '{"x": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    # Fields that are not known go back too.
    sent_back = [{**calls[0], "extra": 1}, calls[1]]
    assert answer.messages[-1] == {"role": "assistant", "content": "", "tool_calls": sent_back}
    assert [call.function.arguments for call in answer.tool_calls if call.function] == [
        '{"x": 1}', "{}",
    ]  # fmt: skip
    raw = answer.raw["choices"][0]["message"]["tool_calls"]
    assert raw == [{"index": 0, "extra": 1, **calls[0]}, {"index": 1, **calls[1]}]
    assert answer.finish_reason == "tool_calls"


async def test_repr_is_short_and_holds_no_key(make_model: MakeModel) -> None:
    stream = await make_model().stream_text(model="english", **ASK)
    answer = await stream.finish()
    for one in (repr(stream), repr(answer), repr(make_model())):
        assert "test-key" not in one
        assert len(one) < 200
        assert "\n" not in one
    assert str(answer) == f"{answer}" == answer.text
    assert repr(answer).startswith("<Answer '# How a hash table")
    assert not hasattr(answer, "_repr_markdown_")
    assert not hasattr(answer, "_repr_html_")


async def test_faults_of_a_script_reach_the_reader(model: Model, gateway: Gateway) -> None:
    gateway.script(
        Scenario(tokens=9, faults=(Fault("fin", 4),)),
        Scenario(error=Error("INTERNAL_ERROR"), error_where="event", error_after=2),
    )
    stream = await model.stream_text(model="m", **ASK)
    pieces, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, StreamCutError)
    assert len(pieces) == 4
    stream = await model.stream_text(model="m", **ASK)
    pieces, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, ServerError)
    assert len(pieces) == 2
