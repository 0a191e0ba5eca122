"""A panel with an agent: it works as with a model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cbai_notebook as cbai
from cbai_notebook.conversation.formats import export
from tests.gateway import Gateway, Scenario
from tests.notebook.panel.panels import converse, eventually, shown


@pytest.fixture
def agent_panel(configured: None) -> Iterator[cbai.ChatPanel]:
    made = cbai.ChatPanel("with-an-agent", model="agent/bot-poet")
    yield made
    made.close()
    made.conversation.reset()


def test_a_panel_talks_to_an_agent(agent_panel: cbai.ChatPanel, gateway: Gateway) -> None:
    gateway.script(Scenario(text="One."), Scenario(text="Two."), Scenario(text="Another two."))
    converse(agent_panel, "First")
    converse(agent_panel, "Second")
    assert gateway.last.json["history"] == [
        {"role": "user", "content": "First"},
        {"role": "assistant", "content": "One."},
    ]
    assert agent_panel.regenerate()
    eventually(lambda: not agent_panel.isLoading)
    assert "/bot-poet/send-message" in gateway.last.path
    assert [message["content"] for message in agent_panel.messages][-1] == "Another two."
    turn = agent_panel.conversation.turns[-1]
    assert (turn.provider, turn.model, turn.record_id) == ("agent", "bot-poet", "record-000003")
    eventually(lambda: "agent/bot-poet" in shown(agent_panel.widget))


@pytest.mark.usefixtures("agent_panel")
def test_what_an_agent_found_stands_under_its_answer(gateway: Gateway) -> None:
    reader = cbai.ChatPanel("readers", agent="bot-reader", params={"search": True})
    widget = reader.widget
    converse(reader, "Hi")
    eventually(lambda: "诗集" in shown(widget))
    assert '<a href="https://example.com/li-bai"' in shown(widget)
    (sent,) = (each for each in gateway.requests if each.path.endswith("send-message"))
    assert sent.json["searchEnable"] is True
    reader.close()
    again = cbai.ChatPanel("readers")
    eventually(lambda: "诗集" in shown(again.widget))
    again.close()


def test_a_failure_is_a_notice_and_the_panel_stays_usable(
    agent_panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    gateway.script("error:404:BOT_NOT_FOUND", Scenario(text="Here."))
    converse(agent_panel, "Hi")
    eventually(lambda: "no agent" in shown(agent_panel.widget))
    converse(agent_panel, "Hi")
    assert agent_panel.messages[-1]["content"] == "Here."


def test_an_export_names_a_model_where_there_is_no_agent(
    agent_panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    converse(agent_panel, "Hi")
    (script,) = export(agent_panel.conversation, "curl").files.values()
    text = script if isinstance(script, str) else script.decode()
    assert "/ai/cloudbase/chat/completions" in text
    assert "This asked agent" in text


def test_suggested_questions_go_with_the_conversation_they_belong_to(
    agent_panel: cbai.ChatPanel, gateway: Gateway
) -> None:
    composer = agent_panel.widget.children[2]
    converse(agent_panel, "Hi")
    eventually(lambda: composer.suggestions)
    agent_panel.new_conversation()
    eventually(lambda: not composer.suggestions)


def test_an_agent_greets_and_offers_its_first_questions(configured: None, gateway: Gateway) -> None:
    panel = cbai.ChatPanel("greeted", agent="bot-poet")
    eventually(lambda: "你好" in shown(panel.widget))
    assert ">Who are you?</button>" in shown(panel.widget)
    assert "What shall we talk about?" not in shown(panel.widget)
    panel.close()
