"""Agents: their streams, how an answer can end, and what the server stores."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd
import pytest

from cbai_notebook.client.agents.agent import Agent, agent
from cbai_notebook.client.sources import SearchResult
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.errors import (
    AuthenticationError,
    BadRequestError,
    CbaiError,
    ConfigurationError,
    InvalidResponseError,
    NotFoundError,
    QuotaExceededError,
    RequestTimeoutError,
    ServerError,
    StreamCutError,
    UsageError,
)
from tests.client.streams import read, read_until_failure
from tests.gateway import Fault, Gateway, Scenario, texts
from tests.gateway_access import gateway_settings

MakeAgent = Callable[..., Agent]


@pytest.fixture
def make_agent(sender: HTTPTransport, gateway: Gateway) -> MakeAgent:
    """Return a function that creates an agent of the test gateway."""

    def make(agent_id: str | None = "bot-poet", *, timeout: Any = None, **changes: Any) -> Agent:
        settings = gateway_settings(gateway, timeout=timeout, **changes)
        return agent(agent_id, settings=settings, transport=sender)

    return make


@pytest.fixture
def poet(make_agent: MakeAgent) -> Agent:
    return make_agent()


@pytest.fixture
def reader(make_agent: MakeAgent) -> Agent:
    return make_agent("bot-reader")


def event(**fields: Any) -> str:
    return json.dumps(
        {"record_id": "r", "role": "assistant", "finish_reason": "continue", **fields}
    )


# Answers


async def test_an_answer_streams_with_the_face_of_a_models(poet: Agent, gateway: Gateway) -> None:
    gateway.script("english+reason")
    stream = await poet.send_message("Introduce Li Bai")
    assert "".join(await read(stream.text_stream)) == texts.ENGLISH
    answer = await stream.finish()
    assert answer.text == stream.text == texts.ENGLISH
    assert answer.reasoning == stream.reasoning == texts.REASONING_ENGLISH
    assert answer.finish_reason == stream.finish_reason == "stop"
    assert answer.record_id == stream.record_id == "record-000001"
    assert answer.agent_id == "bot-poet"
    assert answer.model == "hunyuan"
    assert (answer.provider, answer.label) == ("agent", "agent bot-poet")
    assert answer.usage is not None
    tokens = len(await read(stream.data_stream)) - 1
    assert answer.usage.completion_tokens == tokens
    assert answer.usage.total_tokens == tokens + 3
    assert answer.messages == [
        {"role": "user", "content": "Introduce Li Bai"},
        {"role": "assistant", "content": texts.ENGLISH},
    ]
    assert answer.timing.first_token_s is not None
    assert answer.request_id == "req-000001"
    assert [event.data for event in await read(stream.event_stream)][-1] == "[DONE]"
    assert answer.raw["content"] == texts.ENGLISH
    assert answer.raw["version"] == "202407241700"
    assert answer.raw["usage"]["completionTokens"] == tokens


async def test_what_is_sent_is_what_the_api_takes(poet: Agent, gateway: Gateway) -> None:
    past = [{"role": "user", "content": "Hi", "turn": 3}, {"role": "assistant", "content": "Yes?"}]
    stream = await poet.send_message(
        "Go on", history=past, search=True, files=["cloud://a/b.pdf"], conversation_id="conv-1",
        mood="calm",
    )  # fmt: skip
    await stream.finish()
    seen = gateway.last
    assert (seen.method, seen.path) == ("POST", "/v1/aibot/bots/bot-poet/send-message")
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.headers["authorization"] == "Bearer test-key"
    assert seen.json == {
        "botId": "bot-poet",
        "msg": "Go on",
        "history": [{"role": one["role"], "content": one["content"]} for one in past],
        "searchEnable": True,
        "files": ["cloud://a/b.pdf"],
        "conversationId": "conv-1",
        "mood": "calm",
    }
    assert stream.messages[:3] == [*seen.json["history"], {"role": "user", "content": "Go on"}]


async def test_what_was_searched_and_looked_up_comes_apart(reader: Agent) -> None:
    stream = await reader.send_message("Li Bai?", search=True)
    answer = await stream.finish()
    assert answer.sources.pages == (
        SearchResult("Li Bai", "https://example.com/li-bai", "【1】"),
        SearchResult("李白", "https://example.com/libai", "【2】"),
    )
    assert answer.sources.knowledge == stream.sources.knowledge == ("poems", "诗集")
    assert answer.text == texts.ENGLISH
    assert answer.raw["knowledge_base"] == ["poems", "诗集"]


async def test_a_search_is_told_before_the_first_word(reader: Agent, gateway: Gateway) -> None:
    gateway.script(Scenario(faults=(Fault("pause", 2),)))
    async with await reader.send_message("Li Bai?", search=True) as stream:
        while not stream.sources.knowledge:
            await asyncio.sleep(0.01)
        assert len(stream.sources.pages) == 2
        assert stream.text == ""
        assert not stream.done


@pytest.mark.parametrize(
    "wire", ["crlf", "split:1", "split:utf8", "bom+mixed+comments", "type:none"]
)
async def test_however_it_is_written_it_reads_the_same(
    poet: Agent, gateway: Gateway, wire: str
) -> None:
    gateway.script(f"say:李白 wrote «静夜思» 🌙+{wire}")
    answer = await (await poet.send_message("x")).finish()
    assert answer.text == "李白 wrote «静夜思» 🌙"


async def test_every_kind_of_event_and_odd_ones_too(poet: Agent, gateway: Gateway) -> None:
    results = [
        {"index": 1, "title": "T", "url": "u"},
        {"index": 1, "title": "T", "url": "u"},
        "odd",
    ]
    gateway.script(
        Scenario(
            payloads=(
                event(
                    type="search", content="never shown", search_info={"search_results": results}
                ),
                event(type="search", search_info={"search_results": results}),
                event(type="search", search_info=None),
                event(type="knowledge", knowledge_meta=[{"name": "A"}, "B", {"title": "C"}, 7, {}]),
                event(type="db", content="SELECT 1", search_results={"relateTables": 2}),
                event(type="tool-call", tool_call={"id": "1"}, content="{}"),
                event(type="tool-result", toolCallId="1", content="42"),
                event(type="thinking", reasoning_content="hm"),
                event(type="thinking", content="…"),
                event(type="assistant", content="a", usage={"prompt_tokens": 1, "total_tokens": 9}),
                event(type="text", content=[{"type": "text", "text": "b"}], role=7),
                event(content="c", created="17", usage={"completionTokens": 4}),
                event(type=None, content=None, usage="odd"),
                "{}",
                event(type="text", finish_reason=None, finish_reasion="stop"),
            )
        )
    )
    answer = await (await poet.send_message("x")).finish()
    assert (answer.text, answer.reasoning) == ("abc", "hm…")
    assert answer.sources.pages == (SearchResult("T", "u", "1"),)
    assert answer.sources.knowledge == ("A", "B", "C", "7")
    assert answer.finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1, 4)


async def test_views_do_not_disturb_each_other(poet: Agent) -> None:
    stream = await poet.send_message("x")
    both = await asyncio.gather(read(stream.text_stream), read(stream.batches()))
    late = await read(stream.text_stream)
    assert both[0] == late
    assert "".join(chunk.text for batch in both[1] for chunk in batch) == "".join(late)


# How an answer ends


async def test_content_filter_ends_an_answer_with_the_text_so_far(
    poet: Agent, gateway: Gateway
) -> None:
    for spec in ("", "+nodone"):
        gateway.script(f"say:That was+finish:content_filter{spec}")
        stream = await poet.send_message("x")
        answer = await stream.finish()
        assert (answer.text, answer.finish_reason) == ("That was", "content_filter")
        assert stream.error is None


async def test_content_filter_in_the_middle_ends_it_too(poet: Agent, gateway: Gateway) -> None:
    gateway.script(
        Scenario(
            payloads=(
                event(type="text", content="So far"),
                event(type="text", content="", finish_reason="content_filter"),
            ),
            done=False,
        )
    )
    answer = await (await poet.send_message("x")).finish()
    assert (answer.text, answer.finish_reason) == ("So far", "content_filter")


async def test_an_error_event_comes_after_all_that_was_good(poet: Agent, gateway: Gateway) -> None:
    for spec in ("", "+error-done", "+upstream"):
        gateway.script(f"english+midstream-error:3{spec}")
        stream = await poet.send_message("x")
        pieces, error = await read_until_failure(stream.text_stream)
        assert len(pieces) == 3
        assert isinstance(error, QuotaExceededError)
        assert error.code == "EXCEED_TOKEN_QUOTA_LIMIT"
        assert error.partial == "".join(pieces) == stream.text
        assert error.request_id == gateway.last.request_id
        with pytest.raises(QuotaExceededError):
            await stream.finish()
        assert stream.record_id or spec == "+upstream"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"content": "The tool broke."}, "The tool broke."),
        ({"error": {"message": "No memory."}}, "No memory."),
        ({"error": {"message": {"toolCallId": "1"}}}, ""),
        ({"error": "Plain words."}, "Plain words."),
        ({}, ""),
    ],
)
async def test_an_error_says_why_in_whatever_way_it_does(
    poet: Agent, gateway: Gateway, fields: dict[str, Any], said: str
) -> None:
    bad = event(type="text", **{"finish_reason": "error", **fields})
    gateway.script(Scenario(payloads=(event(type="text", content="So far"), bad)))
    stream = await poet.send_message("x")
    pieces, error = await read_until_failure(stream.text_stream)
    assert pieces == ["So far"]
    assert isinstance(error, ServerError)
    assert said in error.message
    assert error.partial == "So far"


async def test_an_answer_may_end_without_done(poet: Agent, gateway: Gateway) -> None:
    for spec in (
        "nodone",
        "nodone+noblank",
        "nodone+framing:close",
        "cut:finish",
        "nodone+rst:done",
    ):
        gateway.script(f"say:one two+{spec}")
        answer = await (await poet.send_message("x")).finish()
        assert (answer.text, answer.finish_reason) == ("one two", "stop")


async def test_closing_after_the_end_leaves_a_complete_answer(
    poet: Agent, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="one two", done=False, faults=(Fault("pause", 3),)))
    async with await poet.send_message("x") as stream:
        while stream.finish_reason is None:
            await asyncio.sleep(0.01)
    assert stream.error is None
    assert (await stream.finish()).text == "one two"


async def test_a_connection_held_open_after_the_end_holds_nobody_up(
    poet: Agent, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="one two", done=False, faults=(Fault("pause", 3),)))
    stream = await poet.send_message("x")
    assert (await stream.finish()).text == "one two"
    await gateway.until(lambda: gateway.last.disconnected)


@pytest.mark.parametrize("cut", ["cut:2", "rst:2", "stop:2"])
async def test_a_cut_is_told_with_the_text_so_far(poet: Agent, gateway: Gateway, cut: str) -> None:
    gateway.script(f"say:one two three four+pause:1:0.05+{cut}")
    stream = await poet.send_message("x")
    pieces, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, StreamCutError)
    assert error.partial == "".join(pieces)
    assert pieces[0] == "one"


async def test_an_event_that_is_no_json_fails_after_what_was_good(
    poet: Agent, gateway: Gateway
) -> None:
    for odd in ("{oops", "[1, 2]", '"text"'):
        gateway.script(Scenario(payloads=(event(type="text", content="ok"), odd)))
        stream = await poet.send_message("x")
        pieces, error = await read_until_failure(stream.text_stream)
        assert isinstance(error, InvalidResponseError)
        assert pieces == ["ok"]
        assert error.partial == "ok"


async def test_a_whole_answer_instead_of_a_stream_is_an_answer(
    poet: Agent, gateway: Gateway
) -> None:
    gateway.script(Scenario(text=("All of it",), answer_as="json"))
    answer = await (await poet.send_message("x")).finish()
    assert answer.text == "All of it"
    gateway.script("html:200", Scenario(body=b'{"status": "ok"}', content_type="application/json"))
    for _ in range(2):
        with pytest.raises(InvalidResponseError):
            await poet.send_message("x")


async def test_a_stream_that_stops_times_out_with_the_text_so_far(
    make_agent: MakeAgent, gateway: Gateway
) -> None:
    gateway.script("say:one two three+hang:2")
    stream = await make_agent(timeout={"between_tokens": 0.2}).send_message("x")
    pieces, error = await read_until_failure(stream.text_stream)
    assert isinstance(error, RequestTimeoutError)
    assert pieces == ["one", " two"]
    gateway.script("hang:headers")
    with pytest.raises(RequestTimeoutError):
        await make_agent().send_message("x", timeout=0.2)


async def test_closing_gives_the_connection_back(poet: Agent, gateway: Gateway) -> None:
    gateway.script("say:one two three+hang:2", "say:one two three+hang:2")
    async with await poet.send_message("x"):
        pass
    await gateway.until(lambda: gateway.last.disconnected)
    stream = await poet.send_message("x")
    assert not gateway.last.disconnected
    del stream
    gc.collect()
    await gateway.until(lambda: gateway.last.disconnected)


async def test_a_request_is_tried_again_before_the_first_token_only(
    poet: Agent, gateway: Gateway
) -> None:
    gateway.script("error:503", "cut:body", "echo")
    answer = await (await poet.send_message("third time")).finish()
    assert answer.text == "third time"
    assert answer.timing.attempts == 3
    gateway.script("say:one two+cut:1", "echo")
    with pytest.raises(StreamCutError):
        await (await poet.send_message("x")).finish()
    assert gateway.forget() == 1


# Recommended questions


async def test_questions_come_one_by_one_without_their_marks(poet: Agent, gateway: Gateway) -> None:
    past = [{"role": "user", "content": "Li Bai?"}, {"role": "assistant", "content": "A poet."}]
    questions = await poet.recommend_questions("Li Bai?", history=past, name="Poet")
    assert questions == ("Who was Du Fu?", "What is a quatrain?", "李白写过哪些诗？")
    assert gateway.last.path == "/v1/aibot/bots/bot-poet/recommend-questions"
    assert gateway.last.json == {
        "botId": "bot-poet", "msg": "Li Bai?", "history": past, "name": "Poet",
    }  # fmt: skip
    gateway.script("empty", "midstream-error:1")
    assert await poet.recommend_questions(msg="") == ()
    with pytest.raises(QuotaExceededError):
        await poet.recommend_questions("x")


# What the server stores


async def test_an_agent_tells_how_it_is_set_up(reader: Agent) -> None:
    info = await reader.get()
    assert (info.agent_id, info.name, info.kind) == ("bot-reader", "Reader", "text")
    assert (info.searches, info.recommends) == (True, True)
    assert info.questions == ("Who are you?",)
    assert info.welcome_message == "你好"
    assert info.raw["knowledgeBase"] == ["poems", "诗集"]


async def test_the_environments_agents_are_listed_page_by_page(
    make_agent: MakeAgent, gateway: Gateway
) -> None:
    nobody = make_agent(None)
    first = await nobody.list(size=2)
    assert [one.name for one in first] == ["Poet", "Reader"]
    assert (first.total, first.has_more, len(first)) == (3, True, 2)
    second = await nobody.list(page=2, size=2)
    assert [one.name for one in second] == ["Third"]
    assert not second.has_more
    found = await nobody.list(name="读 & ?", enable=True)
    assert list(found) == []
    path, _, query = gateway.last.target.partition("?")
    assert path == "/v1/aibot/bots"
    assert parse_qsl(query) == [
        ("pageNumber", "1"), ("pageSize", "20"), ("name", "读 & ?"), ("enable", "true"),
    ]  # fmt: skip
    assert "content-type" not in gateway.last.headers
    assert gateway.last.body == b""


async def test_records_come_in_pages_and_one_by_one(poet: Agent, gateway: Gateway) -> None:
    for number in range(3):
        gateway.script("echo")
        await (await poet.send_message(f"message {number}", conversation_id="c")).finish()
    page = await poet.records(size=4)
    assert [one.content for one in page][:2] == ["message 2", "message 2"]
    assert [one.role for one in page[:2]] == ["assistant", "user"]
    assert page.total == 6
    assert page[0].reply_to == page[1].record_id
    assert page[0].created_at == datetime(2026, 11, 25, 8, 30, tzinfo=timezone.utc)
    oldest = [one.content async for one in poet.all_records(size=4, newest_first=False)]
    assert oldest == ["message 0", "message 0", "message 1", "message 1", "message 2", "message 2"]
    assert list(await poet.records(conversation_id="other")) == []
    frame = pd.DataFrame(page)
    assert list(frame["role"]) == ["assistant", "user"] * 2


async def test_a_server_that_never_says_the_last_page_is_read_to_an_empty_one(
    poet: Agent, gateway: Gateway
) -> None:
    page = {"recordList": [{"recordId": "a", "createTime": "soon"}, "odd"]}
    full = Scenario(body=json.dumps(page).encode(), content_type="application/json")
    empty = Scenario(body=b'{"recordList": null}', content_type="application/json")
    gateway.script(full, full, empty)
    found = [one async for one in poet.all_records(size=1)]
    assert [one.record_id for one in found] == ["a", "a"]
    assert found[0].created_at is None


async def test_feedback_is_sent_and_read(poet: Agent, gateway: Gateway) -> None:
    answer = await (await poet.send_message("x")).finish()
    assert answer.record_id is not None
    await poet.send_feedback(
        answer.record_id, "up", comment="good", rating=5, tags=["apt"], question="x", answer="y"
    )
    assert gateway.last.json == {
        "botId": "bot-poet", "recordId": answer.record_id, "type": "upvote", "comment": "good",
        "rating": 5, "tags": ["apt"], "input": "x", "aiAnswer": "y",
    }  # fmt: skip
    await poet.send_feedback("record-2", "down")
    (up,) = await poet.feedback(type="up")
    assert (up.record_id, up.type, up.rating) == (answer.record_id, "upvote", 5)
    assert (up.comment, up.tags, up.question, up.answer) == ("good", ("apt",), "x", "y")
    assert [one.type for one in await poet.feedback(size=5)] == ["upvote", "downvote"]
    with pytest.raises(UsageError, match="up"):
        await poet.send_feedback("record-2", "👍")


async def test_conversations_are_made_listed_and_deleted(poet: Agent, gateway: Gateway) -> None:
    first = await poet.create_conversation("Tang")
    second = await poet.create_conversation()
    assert (first.conversation_id, first.title) == ("conv-1", "Tang")
    assert first.created_at is not None
    page = await poet.conversations(size=1)
    assert [one.title for one in page] == ["Tang"]
    assert page.has_more
    assert [one.conversation_id for one in await poet.conversations(page=2, size=1)] == ["conv-2"]
    assert gateway.last.target.endswith("/conversation?offset=1&limit=1")
    await poet.delete_conversation(second.conversation_id)
    assert gateway.last.method == "DELETE"
    with pytest.raises(NotFoundError, match="conversation/conv-2"):
        await poet.delete_conversation(second.conversation_id)


async def test_what_changes_something_is_not_done_twice(poet: Agent, gateway: Gateway) -> None:
    gateway.script("cut:headers")
    with pytest.raises(CbaiError):
        await poet.create_conversation()
    assert len(gateway.requests) == len(gateway.agents.conversations) == 1
    gateway.script("error:429:EXCEED_CONCURRENT_REQUEST_LIMIT", "default")
    await poet.create_conversation()
    assert len(gateway.agents.conversations) == 2
    gateway.script("cut:headers", "error:500", "default")
    assert (await poet.get()).name == "Poet"


# Failures


async def test_an_agent_that_is_not_there_is_named(make_agent: MakeAgent) -> None:
    ghost = make_agent("bot-ghost")
    for call in (ghost.get(), ghost.send_message("x"), ghost.records(), ghost.feedback()):
        with pytest.raises(NotFoundError) as raised:
            await call
        assert "bot-ghost" in raised.value.message
        assert "cbai.agent().list()" in raised.value.message
        assert raised.value.status == 404
        assert raised.value.code == "BOT_NOT_FOUND"


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("error:401", AuthenticationError),
        ("error:400", BadRequestError),
        ("error:500", ServerError),
        ("error-in-200:INTERNAL_ERROR", ServerError),
        ("html:502", ServerError),
        ("html:200", InvalidResponseError),
        ("redirect", InvalidResponseError),
        ("garbage", CbaiError),
        ("error:429:EXCEED_TOKEN_QUOTA_LIMIT", QuotaExceededError),
    ],
)
async def test_every_refusal_is_one_readable_error(
    poet: Agent, gateway: Gateway, spec: str, kind: type[CbaiError]
) -> None:
    gateway.always(spec)
    for call in (poet.get, poet.records, poet.create_conversation, poet.conversations):
        with pytest.raises(kind) as raised:
            await call()
        assert "test-key" not in raised.value.message
    with pytest.raises(kind):
        await poet.send_message("x")
    assert gateway.leaks == []
    assert gateway.stranger_requests == []


async def test_lists_that_hang_time_out(make_agent: MakeAgent, gateway: Gateway) -> None:
    gateway.script("hang:headers")
    with pytest.raises(RequestTimeoutError):
        await make_agent(timeout=0.2).records()
    await gateway.until(lambda: gateway.last.disconnected)


async def test_what_cannot_be_asked_is_refused_before_it_is_sent(
    make_agent: MakeAgent, gateway: Gateway
) -> None:
    poet = make_agent()
    refused = [
        lambda: make_agent(None).get(),
        lambda: make_agent("../../ai/cloudbase").get(),
        lambda: make_agent("bot?x").send_message("x"),
        lambda: make_agent("..").get(),
        lambda: poet.send_message("  "),
        lambda: poet.send_message("x", history=["x"]),
        lambda: poet.delete_conversation("../feedback"),
        lambda: poet.delete_conversation(""),
        lambda: poet.records(page=0),
        lambda: poet.conversations(size=0),
        lambda: poet.feedback(type="sideways"),
    ]
    for call in refused:
        with pytest.raises(UsageError):
            await call()
    for missing in ({"api_key": None}, {"base_url": None}):
        with pytest.raises(ConfigurationError):
            await make_agent(**missing).get()
    assert gateway.requests == []


def test_naming_an_agent_asks_nobody_and_shows_no_key(make_agent: MakeAgent) -> None:
    for one in (make_agent(), make_agent(None)):
        assert "test-key" not in repr(one)
        assert "Agent" in repr(one)
