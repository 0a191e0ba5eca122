"""A panel in an app: a visitor sees and reaches only their own conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.conversation import Prompt, conversations, keep_history, names, prepare
from cbai_notebook.conversation import ask as ask_prompt
from cbai_notebook.conversation.store import Store
from cbai_notebook.errors import UsageError
from cbai_notebook.session import is_app
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import Gateway
from tests.notebook.panel.panels import converse, eventually, shown

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture(params=["SERVER_SOFTWARE", "VOILA_PREHEAT"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Serve the process to a visitor; yield the author's history, in which there is a secret plan."""
    file = tmp_path / "history.sqlite"
    host = open_registry(file, "plans.ipynb")
    host.current().open(turn("The secret plan", "Noted.")).wait(30)
    host.get("support").open(turn("What visitors asked before", "This.")).wait(30)
    values = {"SERVER_SOFTWARE": "voila/0.5.13", "VOILA_PREHEAT": "True"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(request.param, values[request.param])
        keep_history(file)
        yield file
        keep_history(None)


def from_page(panel: cbai.ChatPanel, part: int, **message: Any) -> None:
    """Receive a message of the page: from the bar (0) or from the message box (-1)."""
    widget = panel.widget.children[part]
    widget._handle_custom_msg(message, [])


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SERVER_SOFTWARE": "voila/0.5.13"}, True),
        ({"VOILA_PREHEAT": "True"}, True),
        ({"SERVER_SOFTWARE": "Apache/2.4"}, False),
        ({"VOILA_APP_PORT": "8866"}, False),
        ({}, False),
    ],
)
def test_an_app_is_recognised(variables: dict[str, str], expected: bool) -> None:
    assert is_app(variables) is expected


def test_a_visitor_is_offered_only_what_is_theirs(app: Path) -> None:
    cbai.chat("of the author's code")
    panel = cbai.ChatPanel()
    bar = panel.widget.children[0]
    try:
        assert panel.messages == []
        assert bar.conversations == []
        first = panel.conversation
        panel.new_conversation()
        second = panel.conversation
        eventually(lambda: bar.conversations == [second.name, first.name])
        from_page(panel, 0, type="pick", name=first.name)
        assert panel.conversation is first
    finally:
        panel.close()


@pytest.mark.parametrize("name", ["plans.ipynb", "support", "of the author's code", "new"])
def test_a_visitor_picks_no_other_conversation(app: Path, name: str) -> None:
    cbai.chat("of the author's code").append({"role": "user", "content": "hidden"})
    panel = cbai.ChatPanel("mine")
    try:
        from_page(panel, 0, type="pick", name=name)
        assert panel.conversation.name == "mine"
    finally:
        panel.close()


def test_what_a_visitor_asks_is_in_memory_only(app: Path, gateway: Gateway) -> None:
    gateway.always("say:Hello.")
    panel = cbai.ChatPanel("support")
    try:
        converse(panel, "I am ill")
        assert prompts(panel.conversation) == ["I am ill"]
        assert [m["content"] for m in gateway.last.json["messages"]] == ["I am ill"]
        assert "plans.ipynb" not in names()
        found = {message["content"] for message in cbai.history()}
        assert "I am ill" in found
        assert not found & {"The secret plan", "What visitors asked before"}
        assert cbai.chat("support") is panel.conversation
    finally:
        panel.close()
        panel.conversation.forget()
    host = open_registry(app)
    assert host.names() == ("plans.ipynb", "support")
    assert prompts(host.get("support")) == ["What visitors asked before"]


def test_a_shared_conversation_is_the_stored_one(app: Path, gateway: Gateway) -> None:
    gateway.always("say:Hello.")
    panel = cbai.ChatPanel("support", shared=True)
    try:
        assert prompts(panel.conversation) == ["What visitors asked before"]
        assert panel.widget.children[0].conversations == []
        converse(panel, "And what I ask")
        eventually(lambda: "And what I ask" in shown(panel.widget))
        from_page(panel, 0, type="new")
        assert panel.conversation.name != "support"
        converse(panel, "Only for me")
        from_page(panel, 0, type="pick", name="plans.ipynb")
        assert prompts(panel.conversation) == ["Only for me"]
        from_page(panel, 0, type="pick", name="support")
        assert len(panel.conversation.turns) == 2
    finally:
        panel.close()
    host = open_registry(app)
    assert host.names() == ("plans.ipynb", "support")
    assert prompts(host.get("support")) == ["What visitors asked before", "And what I ask"]


def test_a_visitor_gets_no_answer_of_the_authors_from_the_history(
    app: Path, gateway: Gateway
) -> None:
    def ask(conversation: cbai.Conversation, prompt: str) -> str:
        asked = Prompt(prompt, cached=True)
        return asyncio.run(ask_prompt(prepare(conversation, asked))).text

    gateway.always("say:For the author.")
    shared = cbai.ChatPanel("support", shared=True).conversation
    author = conversations(shared=True).get("plans.ipynb")
    shared.reset()
    author.reset()
    ask(author, "Who is it?")
    ask(cbai.chat("of the author's code"), "Who is it?")
    gateway.always("say:For the visitor.")
    assert ask(shared, "Who is it?") == "For the visitor."
    assert ask(cbai.chat("visitor"), "Who is it?") == "For the visitor."
    shared.reset()
    sent = len(gateway.requests)
    assert ask(shared, "Who is it?") == "For the visitor."
    assert len(gateway.requests) == sent, "its own answers are still found"


def choose(panel: cbai.ChatPanel, model: str, system: str = "") -> None:
    from_page(panel, 0, type="options", model=model, system=system, temperature=None)


@pytest.mark.parametrize(
    "model",
    ["local:/etc/passwd", " local:/etc/passwd", "local/../secret.gguf", "agent/hidden", "other"],
)
def test_a_visitor_has_only_the_models_that_are_offered(app: Path, model: str) -> None:
    panel = cbai.ChatPanel("mine", model="local:/models/own.gguf")
    bar = panel.widget.children[0]
    try:
        bar.models = [model]  # as a page can set it
        choose(panel, model, "Obey.")
        eventually(lambda: "Choose one of the models" in shown(panel.widget))
        assert panel.options.model == "local:/models/own.gguf"
        assert panel.options.system is None
        for allowed in ("deepseek/deepseek-v4-pro", "local:/models/own.gguf", ""):
            choose(panel, allowed)
            assert panel.options.model == allowed
    finally:
        panel.close()


def test_in_a_notebook_any_model_can_be_chosen() -> None:
    panel = cbai.ChatPanel("mine")
    try:
        panel.widget  # noqa: B018
        choose(panel, "local:/models/own.gguf")
        assert panel.options.model == "local:/models/own.gguf"
    finally:
        panel.close()


def test_choices_come_one_by_one_and_keep_the_others() -> None:
    panel = cbai.ChatPanel("mine")
    try:
        panel.widget  # noqa: B018
        from_page(panel, 0, type="options", system="Be brief.")
        from_page(panel, 0, type="options", temperature=0.3)
        from_page(panel, 0, type="options", model="moonshot/echo")
        options = panel.options
        assert (options.system, options.temperature, options.model) == (
            "Be brief.",
            0.3,
            "moonshot/echo",
        )
        from_page(panel, 0, type="options", temperature=None)
        assert panel.options == replace(options, temperature=None)
    finally:
        panel.close()


def test_a_new_conversation_beside_a_shared_one_has_another_name(app: Path) -> None:
    panel = cbai.ChatPanel("chat", shared=True)
    try:
        panel.new_conversation()
        assert panel.conversation.name != "chat"
        assert len(panel.choices) == 2
    finally:
        panel.close()


def test_a_shared_conversation_needs_a_name_and_a_history(app: Path) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        cbai.ChatPanel(shared=True)
    keep_history("off")
    with pytest.raises(UsageError, match="history is off"):
        cbai.ChatPanel("support", shared=True)


def test_in_a_notebook_shared_changes_nothing(tmp_path: Path) -> None:
    keep_history(tmp_path / "history.sqlite")
    try:
        assert cbai.ChatPanel(shared=True).conversation is cbai.chat()
        panel = cbai.ChatPanel("support", shared=True)
        assert panel.conversation is cbai.chat("support")
        panel.conversation.open(turn("a", "1")).wait(30)
        assert "support" in [
            each.name for each in Store(tmp_path / "history.sqlite").conversations()
        ]
    finally:
        keep_history(None)


def test_a_page_cannot_have_a_file_of_the_machine_read(tmp_path: Path, gateway: Gateway) -> None:
    file = tmp_path / "private.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    panel = cbai.ChatPanel("pictures")
    try:
        message = {"type": "send", "id": "1", "text": "What is it?", "images": [str(file)]}
        from_page(panel, -1, **message)
        eventually(lambda: "pasted or dropped" in shown(panel.widget))
        assert not gateway.requests
        assert panel.messages == []
    finally:
        panel.close()


def test_a_visitor_renames_and_deletes_only_what_is_theirs(app: Path) -> None:
    cbai.chat("of the author's code").append({"role": "user", "content": "hidden"})
    hidden = len(cbai.chat("of the author's code").turns)
    panel = cbai.ChatPanel("support", shared=True)
    try:
        for name in ("plans.ipynb", "of the author's code"):
            from_page(panel, 0, type="delete", name=name)
            from_page(panel, 0, type="rename", name=name, to="taken")
        from_page(panel, 0, type="delete", name="support")
        eventually(lambda: "Visitors share this conversation" in shown(panel.widget))
        from_page(panel, 0, type="new")
        own = panel.conversation
        from_page(panel, 0, type="rename", name=own.name, to="my own")
        assert own.name == "my own"
        from_page(panel, 0, type="delete", name="my own")
        assert panel.conversation.name == "support"
    finally:
        panel.close()
    assert len(cbai.chat("of the author's code").turns) == hidden
    host = open_registry(app)
    assert host.names() == ("plans.ipynb", "support")
    assert prompts(host.get("support")) == ["What visitors asked before"]
