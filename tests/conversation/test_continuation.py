"""A cut answer goes on: the rest is asked for, and joined to the answer as a version of its turn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.conversation import Conversation, Prompt, Turn, ask, prepare
from cbai_notebook.conversation.continuation import GO_ON, turn_to_continue
from cbai_notebook.conversation.formats import export
from cbai_notebook.conversation.formats.load import parse
from cbai_notebook.conversation.frames.turns import turns_of
from cbai_notebook.conversation.prompt import continuing
from cbai_notebook.errors import CbaiError, UsageError
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import conversation, turn
from tests.gateway import Gateway, Scenario
from tests.gateway_access import gateway_settings

CUT = Scenario(text="Once upon a", finish_reason="length")


@pytest.fixture
def model(gateway: Gateway) -> Model:
    settings = gateway_settings(gateway)
    return create_model("cloudbase", settings=settings, transport=HTTPTransport(fast=False))


@pytest.fixture(params=["in memory", "on disk"])
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Conversation:
    file = tmp_path / "history.sqlite" if request.param == "on disk" else None
    return open_registry(file).get("tales")


def said(talk: Conversation, model: Model, prompt: str, **values: Any) -> None:
    asyncio.run(ask(prepare(talk, Prompt(prompt, model="m", **values), model=model)))


def go_on(talk: Conversation, model: Model, of: Turn | None = None, **params: Any) -> None:
    prompt = continuing(of or turn_to_continue(talk), params=params)
    asyncio.run(ask(prepare(talk, prompt, model=model)))


def test_the_rest_is_asked_for_and_joined(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(Scenario(text="Hi."), CUT, Scenario(text=" time"))
    said(talk, model, "Hello", system="Be brief.")
    said(talk, model, "Tell", params={"temperature": 0.5, "max_tokens": 3})
    go_on(talk, model, max_tokens=50)
    body = gateway.last.json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "Tell"},
        {"role": "assistant", "content": "Once upon a"},
        {"role": "user", "content": GO_ON},
    ]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.5, 50)
    answer = talk.messages[-1]
    assert (answer["content"], answer["status"], answer["finish_reason"]) == (
        "Once upon a time", "complete", "stop",
    )  # fmt: skip
    assert [each.text for each in talk.alternatives(talk.turns[-1])] == [
        "Once upon a", "Once upon a time",
    ]  # fmt: skip
    assert [each.total_tokens is not None for _, each, _ in talk.versions()] == [True] * 3
    with pytest.raises(UsageError, match="complete, so there is nothing to continue"):
        go_on(talk, model)


def test_later_prompts_and_exports_have_the_whole_answer_once(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(CUT, Scenario(text=" time"), "say:Bye.")
    said(talk, model, "Tell")
    go_on(talk, model)
    said(talk, model, "Thanks")
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "Tell", "Once upon a time", "Thanks",
    ]  # fmt: skip
    for form in ("markdown", "messages", "jsonl"):
        text = export(talk, form).data.decode()
        assert text.count("Once upon a") == 1, form
        assert GO_ON not in text


def test_an_answer_can_be_cut_and_continued_again(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(CUT, Scenario(text=" ti", finish_reason="max_tokens"), Scenario(text="me"))
    said(talk, model, "Tell")
    go_on(talk, model)
    assert talk.turns[-1].can_continue
    go_on(talk, model)
    assert talk.turns[-1].text == "Once upon a time"
    assert gateway.last.json["messages"][1]["content"] == "Once upon a ti"


def test_an_earlier_answer_is_continued_and_what_follows_becomes_stale(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(CUT, "say:Fine.", Scenario(text=" time"))
    said(talk, model, "Tell", cell_id="one")
    said(talk, model, "How was it?", cell_id="two")
    go_on(talk, model, of=talk.turns[0])
    assert [each.text for each in talk.turns] == ["Once upon a time", "Fine."]
    assert [each.stale for each in talk.turns] == [False, True]
    assert talk.of_cell("one", 0) is talk.turns[0], "the cell owns the whole answer"


@pytest.mark.parametrize("fault", ["cut:2", "midstream-error:2"])
def test_a_broken_answer_is_continued(
    talk: Conversation, model: Model, gateway: Gateway, fault: str
) -> None:
    gateway.script(f"say:one two three four five+{fault}", Scenario(text=" and the rest"))
    with pytest.raises(CbaiError):
        said(talk, model, "Count")
    half = talk.turns[-1].text
    assert half
    go_on(talk, model)
    assert talk.turns[-1].text == half + " and the rest"
    assert talk.turns[-1].error is None


@pytest.mark.parametrize("fault", ["error:404:AI_MODEL_NOT_FOUND", "cut:2"])
def test_a_continuation_that_fails_loses_nothing(
    talk: Conversation, model: Model, gateway: Gateway, fault: str
) -> None:
    gateway.script(CUT, f"say:more and more+{fault}", Scenario(text="!"))
    said(talk, model, "Tell")
    with pytest.raises(CbaiError):
        go_on(talk, model)
    broken = talk.turns[-1]
    assert broken.text.startswith("Once upon a")
    assert (broken.status, bool(broken.error)) == ("partial", True)
    assert talk.alternatives(broken)[0].text == "Once upon a"
    so_far = broken.text
    go_on(talk, model)
    assert talk.turns[-1].text == so_far + "!"
    # A version without any new text is replaced; one with new text is kept.
    assert len(talk.alternatives(talk.turns[-1])) == (2 if so_far == "Once upon a" else 3)


def test_the_same_prompt_asked_anew_does_not_replace_a_failed_continuation(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(CUT, "error:404:AI_MODEL_NOT_FOUND", "say:Anew.")
    said(talk, model, "Tell")
    with pytest.raises(CbaiError):
        go_on(talk, model)
    said(talk, model, "Tell")
    assert [each.text for each in talk.turns] == ["Once upon a", "Anew."]


def test_thinking_and_tool_steps_stay_before_the_rest(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    steps = (
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "sun"},
    )  # fmt: skip
    talk.open(
        turn("Weather?", "It is", steps=steps, finish_reason="length", reply={"thought": "x"})
    ).wait(30)
    gateway.script(Scenario(text=" sunny."))
    go_on(talk, model)
    assert gateway.last.json["messages"][1:4] == [
        *steps, {"role": "assistant", "content": "It is", "thought": "x"},
    ]  # fmt: skip
    assert (talk.turns[-1].final_text, talk.turns[-1].steps) == ("It is sunny.", steps)
    assert talk.turns[-1].sent()[-1] == {
        "role": "assistant", "content": "It is sunny.", "thought": "x",
    }  # fmt: skip


def test_a_continued_answer_is_there_after_a_restart(
    model: Model, gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    talk = open_registry(file).get("tales")
    gateway.script(CUT, Scenario(text=" time"))
    said(talk, model, "Tell")
    go_on(open_registry(file).get("tales"), model)
    later = open_registry(file).get("tales")
    assert [each.text for each in later.turns] == ["Once upon a time"]
    assert len(later.alternatives(later.turns[0])) == 2
    talk.refresh()
    assert talk.turns[0].text == "Once upon a time"


def test_the_whole_answer_is_replayed(talk: Conversation, model: Model, gateway: Gateway) -> None:
    gateway.script(CUT, Scenario(text=" time"))
    said(talk, model, "Tell")
    go_on(talk, model)
    said(talk, model, "Tell", cached=True, replaces=talk.turns[0])
    assert len(gateway.requests) == 2
    assert talk.turns[-1].text == "Once upon a time"


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (None, "is empty"),
        (turn("a", "whole", finish_reason="stop"), "complete"),
        (turn("a", "imported"), "complete"),
        (turn("a", "", status="cancelled"), "no text"),
        (turn("a", "Drew an image", drawn=True, status="partial"), "picture"),
        (turn("a", "half", status="streaming"), "still arriving"),
        (turn("a", "filtered", finish_reason="content_filter"), "content filter"),
    ],
)
def test_what_cannot_be_continued_says_why(last: Turn | None, told: str) -> None:
    talk = conversation(*([last] if last else []))
    with pytest.raises(UsageError, match=told):
        continuing(turn_to_continue(talk), params={})


def test_the_size_of_an_answer_does_not_keep_it_from_being_continued(
    model: Model, gateway: Gateway
) -> None:
    talk = conversation(turn("a", "b"), turn("Long", "x" * 50_000, finish_reason="length"))
    gateway.script(Scenario(text="y"))
    go_on(talk, model)
    contents = [message["content"] for message in gateway.last.json["messages"]]
    assert contents == ["Long", "x" * 50_000, GO_ON]
    assert talk.turns[-1].text == "x" * 50_000 + "y"


def test_messages_of_a_continued_answer_are_imported_again(
    talk: Conversation, model: Model, gateway: Gateway
) -> None:
    gateway.script(CUT, Scenario(text=" ti", finish_reason="length"), Scenario(text="me"))
    said(talk, model, "Tell")
    go_on(talk, model)
    (messages,) = parse(export(talk, "messages").data.decode(), "file")
    copy = Conversation("copy")
    copy.extend(turns_of(messages))
    go_on(copy, model)
    assert copy.turns[-1].text == "Once upon a time"


def test_a_cell_means_the_turn_that_it_continued_before_unless_only_the_last_is_cut() -> None:
    cut = {"finish_reason": "length"}
    first, second, last = turn("a", "1", **cut), turn("b", "2", **cut), turn("c", "3", **cut)
    talk = conversation(first, second, last)
    first.continued_by = second.continued_by = "cell"
    assert turn_to_continue(talk) is last
    assert turn_to_continue(talk, "another cell") is last
    assert turn_to_continue(talk, "cell") is second
    second.finish_reason = "stop"
    assert turn_to_continue(talk, "cell") is last
    last.finish_reason = "stop"
    assert turn_to_continue(talk, "cell") is second
