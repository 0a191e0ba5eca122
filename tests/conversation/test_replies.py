"""What a model needs back of its own messages goes back in later prompts, however the turn is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.transport import HTTPTransport
from cbai_notebook.conversation import Conversation, Prompt, ask, prepare
from cbai_notebook.conversation.formats import export
from cbai_notebook.conversation.formats.load import parse
from cbai_notebook.conversation.frames.turns import turns_of
from tests.conversation.store.registry import open_registry
from tests.gateway import Gateway
from tests.gateway.payloads import streamed
from tests.gateway_access import gateway_settings

SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}
CALL = {
    "index": 0,
    "id": "call_a",
    "type": "function",
    "function": {"name": "look", "arguments": "{}"},
    "extra_content": SIGNATURE,
}
SCRIPTS = {
    "reasoning_content": (
        streamed({"reasoning_content": "I need it."}, {"tool_calls": [CALL]}),
        streamed({"reasoning_content": "Now I know."}, {"content": "Sunny."}),
    ),
    "reasoning_details": (
        streamed(
            {"reasoning_details": [{"type": "reasoning.text", "text": "I need it.", "index": 0}]},
            {"tool_calls": [CALL]},
        ),
        streamed(
            {"reasoning_details": [{"type": "reasoning.text", "text": "Now I know.", "index": 0}]},
            {"content": "Sunny."},
        ),
    ),
    "content": (
        streamed({"content": [{"type": "text", "text": "I look. "}]}, {"tool_calls": [CALL]}),
        streamed({"content": "Sunny.", "extra_content": SIGNATURE}),
    ),
}


def look() -> str:
    """Look outside."""
    return "sun"


def imported(messages: object) -> Conversation:
    talk = Conversation("imported")
    talk.extend(turns_of(messages))
    return talk


KEPT: dict[str, Callable[[Conversation, Path], Conversation]] = {
    "as it is": lambda talk, file: talk,
    "after a restart": lambda talk, file: open_registry(file).get(talk.name),
    "as a copy": lambda talk, file: talk.copy("copy"),
    "exported": lambda talk, file: imported(parse(export(talk, "messages").data.decode(), "f")[0]),
    "pandas": lambda talk, file: imported(talk.to_pandas()),
    "polars": lambda talk, file: imported(talk.to_polars()),
}


def say(
    talk: Conversation, gateway: Gateway, prompt: str, *, stream: bool, tools: Any = ()
) -> None:
    settings = gateway_settings(gateway)
    model = create_model("cloudbase", settings=settings, transport=HTTPTransport(fast=False))
    options = {"tools": tools} if tools else {}
    asyncio.run(
        ask(prepare(talk, Prompt(prompt, model="m", stream=stream, options=options), model=model))
    )


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("script", SCRIPTS)
def test_after_tool_calls_every_message_goes_back_as_it_came(
    gateway: Gateway, tmp_path: Path, kept: str, script: str
) -> None:
    file = tmp_path / "history.sqlite"
    talk = open_registry(file).get("weather")
    gateway.script(*SCRIPTS[script], "say:Bye.", "say:Bye.")
    say(talk, gateway, "Weather?", stream=True, tools=[look])
    say(talk, gateway, "And tomorrow?", stream=True, tools=[look])
    sent = gateway.last.json["messages"]
    step, result, answer = sent[1:4]
    assert step["tool_calls"][0]["extra_content"] == SIGNATURE
    assert (result["content"], answer["content"]) == ("sun", "Sunny.")
    field = script if script != "content" else "extra_content"
    assert field in answer
    again = KEPT[kept](talk, file)
    assert again.turns[0].text == talk.turns[0].text
    again.delete(again.turns[-1])
    say(again, gateway, "And tomorrow?", stream=False, tools=[look])
    assert gateway.last.json["messages"] == sent


def test_without_tool_calls_no_thinking_goes_back(gateway: Gateway) -> None:
    talk = Conversation("thinking")
    gateway.script(
        streamed({"reasoning_content": "Hm."}, {"content": "Hello.", "audio": {"id": "x"}}),
        "say:Bye.",
    )
    say(talk, gateway, "Hi", stream=True)
    say(talk, gateway, "And?", stream=True)
    assert gateway.last.json["messages"][1] == {"role": "assistant", "content": "Hello."}
    assert talk.turns[0].reasoning == "Hm."


def test_thinking_of_imported_tool_turns_goes_back(gateway: Gateway) -> None:
    call = {name: value for name, value in CALL.items() if name != "index"}
    chat: list[dict[str, Any]] = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "I need it.",
            "tool_calls": [call],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "sun"},
        {"role": "assistant", "content": "Sunny.", "reasoning_content": "Now I know."},
    ]
    talk = imported(chat)
    gateway.script("say:Bye.")
    say(talk, gateway, "And tomorrow?", stream=True)
    assert gateway.last.json["messages"][:4] == chat


def test_the_words_of_a_refusal_are_the_answer(gateway: Gateway) -> None:
    talk = Conversation("refusals")
    gateway.script(streamed({"content": None, "refusal": "I cannot."}), "say:Bye.")
    say(talk, gateway, "Help", stream=True)
    say(talk, gateway, "Why?", stream=True)
    assert gateway.last.json["messages"][1] == {"role": "assistant", "content": "I cannot."}
    answer = talk.messages[1]
    assert (answer["content"], answer["finish_reason"]) == ("I cannot.", "refusal")
