"""The scripts of the exported web page run in Node.js, with a fake document and a fake SDK."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation
from tests.conversation.formats.node import Play, run_in_node
from tests.conversation.formats.samples import HOSTILE, HOSTILE_IDS, text_of, texts
from tests.conversation.turns import conversation, turn
from tests.gateway import DEFAULT_KEY, Gateway
from tests.gateway.javascript import SDK, node_with_sdk

DRIVER = Path(__file__).with_name("web_page.cjs")


class Scripts(HTMLParser):
    """Finds every tag of a page, and every script that a browser would run."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: list[str] = []
        self._open = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        self._open = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data


PLAIN = Scripts(text_of(conversation(turn("a", "b")), "web"))


def scripts_of(talk: Conversation, **options: Any) -> tuple[str, str]:
    """Return the data and the code of the page."""
    page = Scripts(text_of(talk, "web", **options))
    # No text of the conversation adds a tag or closes the data element early.
    assert page.tags == PLAIN.tags
    (kind, data), (source, nothing), (_, code) = page.scripts
    assert kind == {"id": "prompt", "type": "application/json"}
    assert str(source["src"]).startswith("https://static.cloudbase.net/cloudbase-js-sdk/")
    assert nothing == ""
    assert code == PLAIN.scripts[2][1]
    return data, code


@pytest.fixture
def play(gateway: Gateway) -> Play:
    """Return a function that opens the page of a conversation and does the steps of a user."""

    def play(talk: Conversation, *steps: tuple[str, Any], **options: Any) -> dict[str, Any]:
        sdk = options.pop("sdk", None)
        data, code = scripts_of(talk, **options)
        return run_in_node(
            DRIVER,
            {
                "prompt": data,
                "script": code,
                "base": gateway.base_url,
                "key": DEFAULT_KEY,
                "sdk": sdk,
                "steps": steps,
            },
        )

    return play


def poems() -> Conversation:
    return conversation(
        turn("About spring", "Blossoms", system="Be a poet.", params={"temperature": 0.8})
    )


def submit(text: str) -> tuple[tuple[str, Any], ...]:
    return ("type", text), ("submit", None), ("settle", None)


def test_a_text_for_a_template_is_asked_alone(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    play(poems(), *submit("one"), *submit("two"), template=("Rhyme on: ", "\nBriefly."))
    assert [message["content"] for message in gateway.last.json["messages"]][-1] == (
        "Rhyme on: two\nBriefly."
    )
    assert "one" not in str(gateway.last.json["messages"])


def test_it_asks_with_what_was_tried_out(play: Play, gateway: Gateway) -> None:
    gateway.always("say:<b>blue</b>")
    result = play(poems(), *submit("What colour is the sky?"), *submit("Sure?"), examples=[0])
    assert result["inits"] == [{"env": "my-env-1a2b3c", "region": "ap-shanghai"}]
    assert (result["signIns"], result["providers"]) == (1, ["cloudbase"])
    assert result["title"] == "poems"
    assert gateway.last.json == {
        "temperature": 0.8,
        "model": "hy3",
        "messages": [
            {"role": "system", "content": "Be a poet."},
            {"role": "user", "content": "About spring"},
            {"role": "assistant", "content": "Blossoms"},
            {"role": "user", "content": "What colour is the sky?"},
            {"role": "assistant", "content": "<b>blue</b>"},
            {"role": "user", "content": "Sure?"},
        ],
        "stream": True,
    }
    assert result["messages"] == [
        ["message user", "What colour is the sky?"],
        ["message assistant", "<b>blue</b>"],
        ["message user", "Sure?"],
        ["message assistant", "<b>blue</b>"],
    ]
    assert (result["loading"], result["typed"]) == (False, "")


@pytest.mark.sdk
def test_the_official_sdk_takes_what_the_page_gives_it(play: Play, gateway: Gateway) -> None:
    node_with_sdk()
    manifest = SDK / "node_modules" / "@cloudbase" / "ai" / "package.json"
    entry = manifest.parent / json.loads(manifest.read_text("utf-8"))["main"]
    gateway.script("say:It is blue.", "error:503", "say:Yes.")
    result = play(
        poems(), *submit("one"), *submit("two"), ("retry", None), ("settle", None), sdk=str(entry)
    )
    assert result["messages"][1] == ["message assistant", "It is blue."]
    assert result["messages"][-1] == ["message assistant", "Yes."]
    body = gateway.last.json
    assert (body["model"], body["temperature"], body["stream"]) == ("hy3", 0.8, True)
    assert [m["content"] for m in body["messages"]] == ["Be a poet.", "one", "It is blue.", "two"]


@pytest.mark.parametrize("blank", ["", " \n"])
def test_a_blank_prompt_sends_nothing(play: Play, gateway: Gateway, blank: str) -> None:
    assert play(poems(), *submit(blank))["messages"] == []
    assert gateway.requests == []


def test_a_second_prompt_while_loading_stays_in_the_box(play: Play, gateway: Gateway) -> None:
    result = play(poems(), *submit("one")[:2], *submit("two")[:2], ("settle", None))
    assert len(gateway.requests) == 1
    assert result["typed"] == "two"


def test_enter_sends_but_not_when_it_confirms_a_candidate(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    play(
        poems(),
        ("type", "你好"),
        ("enter", {"isComposing": True}),
        ("enter", {"keyCode": 229}),
        ("enter", {"shiftKey": True}),
        ("enter", {}),
        ("settle", None),
    )
    assert [exchange.json["messages"][-1]["content"] for exchange in gateway.requests] == ["你好"]


def test_a_failure_is_told_and_can_be_tried_again(play: Play, gateway: Gateway) -> None:
    gateway.script("error:503", "echo")
    failed = play(poems(), *submit("one"))
    assert failed["messages"] == [
        ["message user", "one"],
        ["notice", "The request failed.Try again"],
    ]
    assert failed["loading"] is False
    gateway.forget()
    gateway.script("error:503", "empty", "echo")
    again = (("retry", None), ("settle", None))
    assert play(poems(), *submit("one"), *again, *again)["messages"] == [
        ["message user", "one"],
        ["message assistant", "one"],
    ]


def test_clearing_forgets(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    result = play(poems(), *submit("one"), ("clear", None), *submit("two"))
    assert [text for _, text in result["messages"]] == ["two", "two"]
    assert len(gateway.last.json["messages"]) == 2


def test_no_key_is_in_the_page() -> None:
    talk = conversation(turn(f"my key is {DEFAULT_KEY}", "b", system=DEFAULT_KEY))
    assert DEFAULT_KEY not in text_of(talk, "web", examples=[0])


def test_the_region_and_the_environment_are_the_users() -> None:
    data, _ = scripts_of(poems(), settings=Settings(region="ap-singapore"))
    prompt = json.loads(data)
    assert (prompt["region"], prompt["env"]) == ("ap-singapore", "YOUR_ENV_ID")
    assert any("YOUR_ENV_ID" in note for note in prompt["notes"])


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_no_text_becomes_code(play: Play, gateway: Gateway, text: str) -> None:
    gateway.always("echo")
    talk = conversation(
        turn(text, text, system=text, params={"user": text, text: [{text: text}]}), name=text
    )
    result = play(talk, *submit("hello"), examples=[0])
    assert result["broken"] is None
    if "\ud83d" not in text:  # Node.js sends no lone surrogate
        body = gateway.last.json
        assert [m["content"] for m in body["messages"]] == [text, text, text, "hello"]
        assert (body["user"], body[text]) == (text, [{text: text}])


@given(texts())
def test_any_text_stays_data(text: str) -> None:
    data, _ = scripts_of(conversation(turn(text, text, system=text), name=text), examples=[0])
    prompt = json.loads(data)
    assert prompt["system"] == text
    assert [message["content"] for message in prompt["examples"]] == [text, text]
