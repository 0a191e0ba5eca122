"""The exported Mini Program runs in Node.js, with a fake ``wx``, against the test gateway."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cbai_notebook.client.settings import Settings
from cbai_notebook.conversation import Conversation
from cbai_notebook.conversation.formats import export
from cbai_notebook.errors import UsageError
from tests.conversation.formats.node import Play, run_in_node
from tests.conversation.formats.samples import HOSTILE, HOSTILE_IDS, SETTINGS, TOOL_STEPS
from tests.conversation.turns import conversation, turn
from tests.gateway import DEFAULT_KEY, Gateway

DRIVER = Path(__file__).with_name("mini_program.cjs")


@pytest.fixture
def play(gateway: Gateway, tmp_path: Path) -> Play:
    """Return a function that exports a conversation, opens it and does the steps of a user."""

    def play(talk: Conversation, *steps: tuple[str, Any], **options: Any) -> dict[str, Any]:
        without = options.pop("without", [])
        made = export(talk, "mini-program", **{"settings": SETTINGS, **options})
        folder = made.write(tmp_path / "app", overwrite=True)
        return run_in_node(
            DRIVER,
            {
                "folder": str(folder),
                "base": gateway.base_url,
                "key": DEFAULT_KEY,
                "steps": steps,
                "without": without,
            },
        )

    return play


def poems(**values: Any) -> Conversation:
    return conversation(
        turn(
            "About spring",
            "Blossoms",
            system="Be a poet.",
            **{"params": {"temperature": 0.8, "top_p": 0.9}, **values},
        )
    )


def send(text: str) -> tuple[tuple[str, Any], ...]:
    return ("type", text), ("send", None)


def visible_messages(result: dict[str, Any]) -> list[str]:
    return [message["content"] for message in result["data"]["messages"]]


def test_it_asks_with_what_was_tried_out(play: Play, gateway: Gateway) -> None:
    gateway.always("say:It is *blue*.")
    result = play(poems(), *send("What colour is the sky?"))
    assert result["inits"] == [{"env": "my-env-1a2b3c"}]
    assert result["providers"] == ["cloudbase"]
    assert gateway.last.json == {
        "temperature": 0.8,
        "top_p": 0.9,
        "model": "hy3",
        "messages": [
            {"role": "system", "content": "Be a poet."},
            {"role": "user", "content": "What colour is the sky?"},
        ],
        "stream": True,
    }
    assert visible_messages(result) == ["What colour is the sky?", "It is *blue*."]
    assert result["data"]["inputValue"] == ""
    assert result["data"]["isLoading"] is False
    assert result["toasts"] == []


def test_the_conversation_goes_on(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    play(poems(), *send("one"), *send("two"), *send("three"))
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "Be a poet.", "one", "one", "two", "two", "three",
    ]  # fmt: skip


def test_a_text_for_a_template_is_asked_alone(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    result = play(poems(), *send("one"), *send("two"), template=("Rhyme on: ", "\nBriefly."))
    assert gateway.last.json["messages"] == [
        {"role": "system", "content": "Be a poet."},
        {"role": "user", "content": "Rhyme on: two\nBriefly."},
    ]
    assert visible_messages(result)[::2] == ["one", "two"]


def test_examples_go_ahead_of_every_prompt_and_are_not_shown(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    talk = conversation(
        turn("a", "A", system="Shout."), turn("b", "B", steps=TOOL_STEPS), turn("c", "C")
    )
    result = play(talk, *send("x"), *send("y"), examples=[0, -2])
    assert [(m["role"], m["content"]) for m in gateway.last.json["messages"]] == [
        ("system", "Shout."),
        ("user", "a"), ("assistant", "A"),
        ("user", "b"), ("assistant", "B"),
        ("user", "x"), ("assistant", "x"),
        ("user", "y"),
    ]  # fmt: skip
    assert visible_messages(result) == ["x", "x", "y", "y"]


@pytest.mark.parametrize("blank", ["", "  \n "])
def test_a_blank_prompt_sends_nothing(play: Play, gateway: Gateway, blank: str) -> None:
    result = play(poems(), *send(blank))
    assert gateway.requests == []
    assert visible_messages(result) == []


def test_a_second_tap_sends_nothing(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    result = play(
        poems(),
        ("type", "one"),
        ("tap", "sendMessage"),
        ("type", "two"),
        ("tap", "sendMessage"),
        ("tap", "retry"),
        ("settle", None),
    )
    assert len(gateway.requests) == 1
    assert result["data"]["inputValue"] == "two"


def test_both_messages_appear_at_once_and_loading_is_shown(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    first = play(poems(), *send("one"))["sets"][2]
    assert first["isLoading"] is True
    assert [(m["role"], m["content"]) for m in first["messages"]] == [
        ("user", "one"), ("assistant", ""),
    ]  # fmt: skip


def test_text_is_drawn_at_a_bounded_rate_and_alone(play: Play, gateway: Gateway) -> None:
    gateway.always("blast:20000")
    result = play(poems(), ("type", "go"), ("forgetSets", None), ("send", None))
    tokens = gateway.last.tokens_sent
    lists = [change for change in result["sets"] if "messages" in change]
    paints = [change for change in result["sets"] if "messages[1].content" in change]
    assert len(lists) == 1
    assert tokens > 1000
    assert 1 < len(paints) < tokens / 10
    assert paints[-1]["messages[1].content"] == visible_messages(result)[1]
    marks = [change["scrollTo"] for change in paints]
    assert all(mark != following for mark, following in pairwise(marks))


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        ("error:404:AI_MODEL_NOT_FOUND", ""),
        ("error:503", ""),
        ("empty", ""),
        ("say:Half an answer+midstream-error", "Half"),
    ],
)
def test_a_failure_is_told_and_leaves_the_page_usable(
    play: Play, gateway: Gateway, fault: str, kept: str
) -> None:
    gateway.script(fault, "echo")
    result = play(poems(), *send("one"))
    assert result["toasts"] == [{"title": "Failed", "icon": "error"}]
    assert result["data"]["isLoading"] is False
    assert result["data"]["messages"][1]["failed"] is True
    assert visible_messages(result)[1].startswith(kept)


def test_retry_asks_again_and_sends_what_failed_once(play: Play, gateway: Gateway) -> None:
    gateway.script("echo", "error:503", "echo")
    result = play(poems(), *send("one"), *send("two"), ("retry", None))
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "Be a poet.", "one", "one", "two",
    ]  # fmt: skip
    assert visible_messages(result) == ["one", "one", "two", "two"]
    assert not any(message["failed"] for message in result["data"]["messages"])


def test_what_failed_does_not_go_along(play: Play, gateway: Gateway) -> None:
    gateway.script("error:503", "say:Half an answer+midstream-error", "echo")
    play(poems(), *send("one"), *send("two"), *send("three"))
    assert [message["content"] for message in gateway.last.json["messages"]] == [
        "Be a poet.", "three",
    ]  # fmt: skip


def test_clearing_stops_an_answer_and_forgets(play: Play, gateway: Gateway) -> None:
    gateway.script("paced:50+english", "echo")
    result = play(
        poems(),
        ("type", "one"),
        ("tap", "sendMessage"),
        ("until", "hash"),
        ("clear", None),
        *send("two"),
        ("settle", None),
    )
    assert visible_messages(result) == ["two", "two"]
    assert result["data"]["isLoading"] is False
    assert result["toasts"] == []
    assert len(gateway.last.json["messages"]) == 2


def test_a_page_that_is_gone_is_not_drawn_on(play: Play, gateway: Gateway) -> None:
    gateway.always("paced:50+english+tokens:40")
    result = play(
        poems(),
        ("type", "one"),
        ("tap", "sendMessage"),
        ("until", "hash"),
        ("unload", None),
        ("forgetSets", None),
        ("settle", None),
    )
    assert result["sets"] == []


def test_the_history_is_bounded(play: Play, gateway: Gateway) -> None:
    gateway.always("echo")
    steps = [step for number in range(104) for step in send(f"prompt {number}")]
    result = play(poems(), *steps)
    sent = [message["content"] for message in gateway.last.json["messages"]]
    assert len(sent) == 1 + 2 * 20 + 1
    assert sent[1] == "prompt 83"
    assert len(visible_messages(result)) == 200


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_no_text_becomes_code(play: Play, gateway: Gateway, text: str) -> None:
    gateway.always("echo")
    talk = conversation(
        turn(text, text, system=text, params={"user": text, text: [{text: text}]}),
        name=text,
    )
    result = play(talk, *send("hello"), examples=[0])
    assert result["broken"] is None
    if "\ud83d" in text:
        return  # Node.js sends no lone surrogate
    body = gateway.last.json
    assert [message["content"] for message in body["messages"]] == [text, text, text, "hello"]
    assert (body["user"], body[text]) == (text, [{text: text}])


@pytest.mark.parametrize("provider", ["local", "custom"])
def test_cloudbase_stands_in_for_what_a_phone_cannot_reach(play: Play, provider: str) -> None:
    talk = poems(provider=provider, model="tiny")
    assert play(talk)["providers"] == []
    files = export(talk, "mini-program", settings=SETTINGS).files
    assert '"provider": "cloudbase"' in files["prompt.js"]
    assert '"model": "hy3"' in files["prompt.js"]
    assert f"The notebook asked {provider}" in str(files["README.md"])


@pytest.mark.parametrize(("provider", "library"), [("cloudbase", "3.15.1"), ("deepseek", "3.7.1")])
def test_the_base_library_is_new_enough(play: Play, provider: str, library: str) -> None:
    talk = poems(provider=provider)
    project = json.loads(
        export(talk, "mini-program", settings=SETTINGS).files["project.config.json"]
    )
    assert project["libVersion"] == library
    result = play(talk, without=["AI"])
    assert result["inits"] == []
    assert library in result["modals"][0]["content"]


def test_tools_stay_in_the_notebook_and_the_readme_says_so() -> None:
    files = export(
        poems(params={"tools": [{}], "temperature": 1}), "mini-program", settings=SETTINGS
    ).files
    assert '"tools"' not in files["prompt.js"]
    assert '"temperature": 1' in files["prompt.js"]
    assert "Left out, for it needs the notebook: tools." in str(files["README.md"])


def test_the_turn_that_was_answered_counts() -> None:
    talk = conversation(turn("a", "b", model="hy3"), turn("c", status="failed", model="hy9"))
    assert '"model": "hy3"' in export(talk, "mini-program", settings=SETTINGS).files["prompt.js"]


def test_an_unknown_environment_is_a_gap_to_fill() -> None:
    files = export(poems(), "mini-program", settings=Settings(api_key=DEFAULT_KEY)).files
    assert '"env": "YOUR_ENV_ID"' in files["prompt.js"]
    assert "YOUR_ENV_ID" in str(files["README.md"])


@pytest.mark.parametrize("number", [1, -2])
def test_an_example_must_be_there(number: int) -> None:
    with pytest.raises(UsageError, match="cannot be an example"):
        export(poems(), "mini-program", settings=SETTINGS, examples=[number])


def test_no_key_is_in_any_file() -> None:
    files = export(poems(), "mini-program", settings=SETTINGS).files
    assert not any(DEFAULT_KEY in str(content) for content in files.values())


def test_its_json_and_its_pages_are_there() -> None:
    files = export(poems(), "mini-program", settings=SETTINGS).files
    for path, content in files.items():
        if path.endswith(".json"):
            json.loads(content)
    app = json.loads(files["app.json"])
    for page in app["pages"]:
        assert {f"{page}.{end}" for end in ("js", "json", "wxml", "wxss")} <= set(files)
    assert app["sitemapLocation"] in files
    assert json.loads(files["project.config.json"])["compileType"] == "miniprogram"


def test_its_markup_is_well_formed_and_names_what_the_page_has() -> None:
    files = export(poems(), "mini-program", settings=SETTINGS).files
    markup, page = str(files["pages/chat/chat.wxml"]), str(files["pages/chat/chat.js"])
    spaced = markup.replace("<view ", '<view xmlns:wx="wx" ', 1)
    root = ElementTree.fromstring(spaced)
    known = {"view", "text", "scroll-view", "textarea", "button"}
    assert {element.tag for element in root.iter()} <= known
    handlers = {
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name.startswith("bind")
    }
    assert handlers == {"clear", "retry", "onInput", "sendMessage"}
    for handler in handlers:
        assert re.search(rf"^  (async )?{handler}\(", page, re.MULTILINE)
    names = set(re.findall(r"\{\{!?(\w+)", markup)) - {"item", "index", "true"}
    data = set(
        re.findall(r"^    (\w+):", page.partition("data: {")[2].partition("\n  },")[0], re.M)
    )
    assert names <= data
    classes = set(re.findall(r"\.([\w-]+)", str(files["pages/chat/chat.wxss"])))
    used = {name for value in re.findall(r'class="([^"]+)"', markup) for name in value.split()}
    assert used - {"{{item.role}}"} <= classes
