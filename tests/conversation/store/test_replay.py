"""Replay: an answer from the history needs no request, whichever kernel asked first."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.conversation import Conversation, chat
from cbai_notebook.conversation.history import usage
from cbai_notebook.errors import AuthenticationError
from tests.conversation.store.conftest import Ask
from tests.conversation.store.registry import open_registry
from tests.gateway import Gateway
from tests.gateway.tools import Call, calling
from tests.sample_tools import add

HELLO: dict[str, Any] = {"prompt": "Hello", "model": "blast:3", "params": {"temperature": 0.5}}


@pytest.fixture(params=["on disk", "in memory"])
def talks(request: pytest.FixtureRequest) -> tuple[Conversation, Conversation]:
    if request.param == "on disk":
        request.getfixturevalue("kept")
    stem = request.node.name
    return chat(f"{stem} 1"), chat(f"{stem} 2")


def test_the_same_request_is_answered_from_the_store(
    talks: tuple[Conversation, Conversation], ask_prompt: Ask, gateway: Gateway
) -> None:
    talk, _ = talks
    first = ask_prompt(talk, **HELLO)
    again = ask_prompt(talk, **HELLO, cached=True, replaces=talk.turns[0])
    assert (again.text, again.timing.attempts) == (first.text, 0)
    assert len(gateway.requests) == 1
    # The cell's turn already has this answer, so it gets no new version.
    assert len(talk.turns) == len(talk.alternatives(talk.turns[0])) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Hello!"},
        {"model": "blast:4"},
        {"params": {"temperature": 0.6}},
        {"params": {}},
        {"system": "Be brief."},
    ],
)
def test_another_request_is_sent(
    talks: tuple[Conversation, Conversation],
    ask_prompt: Ask,
    gateway: Gateway,
    change: dict[str, Any],
) -> None:
    talk, _ = talks
    ask_prompt(talk, **HELLO)
    ask_prompt(talk, **{**HELLO, **change}, cached=True, replaces=talk.turns[0])
    assert len(gateway.requests) == 2


def test_a_changed_past_is_another_request(
    talks: tuple[Conversation, Conversation], ask_prompt: Ask, gateway: Gateway
) -> None:
    talk, _ = talks
    ask_prompt(talk, **HELLO)
    ask_prompt(talk, **HELLO, cached=True)
    assert len(gateway.requests) == 2


def test_a_broken_answer_is_asked_for_again(
    talks: tuple[Conversation, Conversation], ask_prompt: Ask, gateway: Gateway
) -> None:
    talk, _ = talks
    gateway.script("error:401")
    with pytest.raises(AuthenticationError):
        ask_prompt(talk, **HELLO)
    ask_prompt(talk, **HELLO, cached=True)
    assert talk.turns[-1].status == "complete"
    assert talk.turns[-1].text


def test_another_conversation_is_answered_and_nothing_is_counted_twice(
    kept: Path, ask_prompt: Ask, gateway: Gateway
) -> None:
    one, two = chat("one"), chat("two")
    first = ask_prompt(one, **HELLO)
    assert ask_prompt(two, **HELLO, cached=True).text == first.text
    assert len(gateway.requests) == 1
    assert [each.text for each in two.turns] == [first.text]
    assert [each["requests"] for each in usage()] == [1]


def test_in_memory_nothing_is_counted_twice_either(ask_prompt: Ask, gateway: Gateway) -> None:
    talk = chat("cached in memory")
    ask_prompt(talk, **HELLO)
    ask_prompt(talk, **HELLO, cached=True, branch_of=talk.turns[0])
    assert len(gateway.requests) == 1
    assert len(talk.alternatives(talk.turns[0])) == 2
    assert [each["requests"] for each in usage(conversation="cached in memory")] == [1]


def test_another_process_is_answered(file: Path, ask_prompt: Ask, gateway: Gateway) -> None:
    first = ask_prompt(open_registry(file).get("one"), **HELLO)
    program = """
import asyncio, sys
from dataclasses import make_dataclass
from pathlib import Path
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Prompt, ask, prepare
from cbai_notebook.conversation.store import Store
from cbai_notebook.conversation.registry import ConversationRegistry

talk = ConversationRegistry(Store(Path(sys.argv[1])), None).get("two")
model = create_model("cloudbase", settings=Settings(base_url=sys.argv[2], api_key="test-key"))
question = Prompt("Hello", model="blast:3", params={"temperature": 0.5}, cached=True)
print(asyncio.run(ask(prepare(talk, question, model=model))).text, end="")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(file), gateway.base_url],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == first.text
    assert len(gateway.requests) == 1


def test_after_calls_of_tools_the_answer_is_the_same_as_well(
    talks: tuple[Conversation, Conversation], ask_prompt: Ask, gateway: Gateway
) -> None:
    talk, _ = talks
    gateway.script(calling(Call("add", {"x": 1, "y": 2}), text="Let me see."), "say:3.")
    question: dict[str, Any] = {"prompt": "1 + 2?", "options": {"tools": [add]}}
    first = ask_prompt(talk, **question)
    again = ask_prompt(talk, **question, cached=True, replaces=talk.turns[0])
    assert len(gateway.requests) == 2
    assert (again.text, again.messages) == (first.text, first.messages)
    assert again.text == "3."


def test_an_object_is_there_again_and_of_the_type_that_is_asked_for(
    talks: tuple[Conversation, Conversation], ask_prompt: Ask, gateway: Gateway
) -> None:
    talk, _ = talks
    gateway.always('say:{"name": "Li Bai"}')
    poet = make_dataclass("Poet", [("name", str)])
    question: dict[str, Any] = {"prompt": "A poet?", "cached": True}
    ask_prompt(talk, **question, options={"response_type": poet})
    again = ask_prompt(talk, **question, options={"response_type": poet}, replaces=talk.turns[0])
    assert again.parsed == poet("Li Bai")
    assert len(gateway.requests) == 1
    # The cell that defines the type was edited and run again.
    poet = make_dataclass("Poet", [("name", str), ("born", int, 701)])
    other = ask_prompt(talk, **question, options={"response_type": poet}, replaces=talk.turns[0])
    assert other.parsed == poet("Li Bai", 701)
    assert len(gateway.requests) == 2
