"""``cbai.compare``: one prompt asked in several ways, and what becomes of the answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pandas
import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import AuthenticationError, SecretRefusedError, ServerError, UsageError
from tests.gateway import Gateway, Scenario

NAME = "grid"


def versions() -> list[str]:
    """Return the texts of all versions of the conversation's last turn, oldest first."""
    conversation = cbai.chat(NAME)
    return [turn.text for turn in conversation.alternatives(conversation.turns[-1])]


def asked(gateway: Gateway) -> list[dict[str, Any]]:
    return [request.json for request in gateway.requests]


# The table


def test_every_combination_is_one_row(gateway: Gateway) -> None:
    found = cbai.compare("Hi", models=["say:A", "say:B"], temperatures=[0, 1], samples=2)
    assert list(found.columns) == [
        "model", "temperature", "sample", "text", "reasoning", "finish_reason", "first_token_s",
        "duration_s", "prompt_tokens", "completion_tokens", "error", "chosen",
    ]  # fmt: skip
    assert found.index.tolist() == list(range(1, 9))
    assert found.index.name == "answer"
    assert found["model"].tolist() == ["say:A", "say:B"] * 4
    assert found["temperature"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found["sample"].tolist() == [1, 1, 2, 2] * 2
    assert found["text"].tolist() == ["A", "B"] * 4
    assert found["error"].isna().all()
    assert (found["duration_s"] >= found["first_token_s"]).all()
    assert found["completion_tokens"].tolist() == [1] * 8
    assert found["chosen"].tolist() == [True, *[False] * 7]
    assert len(gateway.requests) == 8


def test_systems_and_other_parameters_are_columns_of_their_own(gateway: Gateway) -> None:
    found = cbai.compare(
        "Hi",
        systems={"poet": "You are a poet.", "clerk": "You are a clerk."},
        vary={"top_p": [0.5, 0.9], "stop": [["a"], ["b", "c"]]},
        max_tokens=5,
    )
    assert list(found.columns)[:6] == ["model", "system", "temperature", "top_p", "stop", "sample"]
    assert len(found) == 8
    assert found["system"].tolist() == ["poet"] * 4 + ["clerk"] * 4
    assert found["top_p"].tolist() == [0.5, 0.5, 0.9, 0.9] * 2
    assert found["stop"].tolist() == [["a"], ["b", "c"]] * 4
    sent = asked(gateway)
    assert {each["max_tokens"] for each in sent} == {5}
    assert {each["messages"][0]["content"] for each in sent} == {
        "You are a poet.",
        "You are a clerk.",
    }
    assert {each["top_p"] for each in sent} == {0.5, 0.9}


def test_a_model_that_is_named_twice_is_asked_once(gateway: Gateway) -> None:
    assert len(cbai.compare("Hi", models=["say:A", "say:A"])) == 1


def test_thinking_and_the_end_of_an_answer_have_columns(gateway: Gateway) -> None:
    found = cbai.compare("Hi", models=["reason+say:A", "say:B+finish:length"])
    assert found["reasoning"].notna().tolist() == [True, False]
    assert found["finish_reason"].tolist() == ["stop", "length"]


def test_the_shown_table_has_the_answers_and_no_empty_columns(gateway: Gateway) -> None:
    words = "A <b>slogan</b> for tea that is longer than the fifty characters of pandas."
    gateway.always(Scenario(text=f"{words}\n\n" + "more " * 200))
    found = cbai.compare("Hi", models=["a", "b"], vary={"stop": [["<i>"], None]})
    shown = found._repr_html_()
    assert shown is not None
    assert words.replace("<", "&lt;").replace(">", "&gt;") + " more more" in shown
    assert "&lt;i&gt;" in shown
    assert "more " * 100 not in shown
    assert shown.startswith('<div class="mathjax_ignore tex2jax_ignore">')
    headings = [name for name in found.columns if f"<th>{name}</th>" in shown]
    assert headings == [name for name in found.columns if found[name].notna().any()]
    assert {"error", "reasoning", "temperature"}.isdisjoint(headings)
    assert "longer than the fifty" in found[found["sample"] == 1][["text"]]._repr_html_()
    # What has no answers by their numbers is shown by pandas.
    by_model = found.set_index("model")
    assert by_model._repr_html_() == pandas.DataFrame(by_model)._repr_html_()
    assert found.groupby("model")["sample"].sum().tolist() == [2, 2]


def test_servers_with_names_are_compared(gateway: Gateway) -> None:
    here = {"base_url": f"{gateway.base_url}/ai/cloudbase", "api_key": gateway.key}
    cbai.configure(servers={"mine": here})
    try:
        found = cbai.compare("Hi", models=["cloudbase/say:A", "mine/say:B"])
    finally:
        cbai.configure(servers={"mine": None})
    assert found["text"].tolist() == ["A", "B"]


# Failures


def test_an_answer_that_fails_says_why_and_the_others_go_on(gateway: Gateway) -> None:
    found = cbai.compare("Hi", models=["error:400", "say:B", "cut:3"], conversation=NAME)
    assert found["chosen"].tolist() == [False, True, False]
    assert found["text"].tolist()[1] == "B"
    assert found["text"].tolist()[2], "what had arrived is kept"
    assert "A parameter was refused" in found["error"].tolist()[0]
    assert found["error"].tolist()[2]


def test_it_fails_only_if_every_answer_does(gateway: Gateway) -> None:
    with pytest.raises(ServerError, match="All 2 answers failed: The server failed"):
        cbai.compare("Hi", models=["error:500", "error:500+say:x"])
    gateway.always("error:401")
    with pytest.raises(AuthenticationError):
        cbai.compare("Hi", models=["hy3"])


def test_twelve_answers_at_a_limit_of_five_wait_and_finish(gateway: Gateway) -> None:
    gateway.concurrency = 5
    gateway.always("paced:100x10")
    found = cbai.compare("Hi", models=["a", "b", "c"], temperatures=[0, 1], samples=2)
    assert found["error"].isna().all()
    assert len(found) == 12


def test_more_than_24_answers_need_a_yes(gateway: Gateway) -> None:
    cbai.configure(prices={"say:A": (1.0, 2.0)})
    try:
        with pytest.raises(UsageError, match=r"asks for 25 answers, about [\d,]+ tokens") as error:
            cbai.compare("Hi", models=["say:A"], samples=25, max_tokens=10)
    finally:
        cbai.configure(prices=None)
    assert "They cost about" in str(error.value)
    assert "Add yes=True" in str(error.value)
    assert gateway.requests == []
    assert len(cbai.compare("Hi", models=["say:A"], samples=25, yes=True)) == 25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "samples=… needs a whole number from 1 on, not 0"),
        ({"vary": {"temperature": [1]}}, "temperature cannot be varied by that name"),
        ({"systems": {"a": 3}}, "systems=… needs a list of texts"),
        ({"models": ["say:A", "no such/x"]}, "no such"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_sent(
    gateway: Gateway, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        cbai.compare("Hi", **arguments)
    assert gateway.requests == []


def test_a_prompt_with_a_secret_is_not_sent(gateway: Gateway) -> None:
    with pytest.raises(SecretRefusedError):
        cbai.compare(f"My key is {gateway.key}", models=["say:A", "say:B"])
    assert gateway.requests == []


# The conversation


def test_without_a_conversation_nothing_is_remembered(gateway: Gateway) -> None:
    before = len(cbai.chat().turns)
    cbai.compare("Hi", models=["say:A", "say:B"])
    assert len(cbai.chat().turns) == before


def test_the_answers_are_versions_of_one_turn(gateway: Gateway) -> None:
    cbai.compare("One", models=["say:A", "say:B", "say:C"], conversation=NAME)
    conversation = cbai.chat(NAME)
    assert len(conversation.turns) == 1
    assert versions() == ["A", "B", "C"]
    assert conversation.turns[0].text == "A"
    conversation.choose(conversation.alternatives(conversation.turns[0])[2])
    cbai.compare("Two", models=["say:D", "say:E"], conversation=NAME)
    for request in asked(gateway)[-2:]:
        assert [each["content"] for each in request["messages"]] == ["One", "C", "Two"]
    assert [turn.text for turn in conversation.turns] == ["C", "D"]


def test_each_version_keeps_its_own_system_prompt(gateway: Gateway) -> None:
    systems = ["Be a poet.", "Be a clerk."]
    cbai.compare("One", models=["say:A", "say:B"], systems=systems, conversation=NAME)
    conversation = cbai.chat(NAME)
    found = [turn.system for turn in conversation.alternatives(conversation.turns[0])]
    assert found == ["Be a poet.", "Be a poet.", "Be a clerk.", "Be a clerk."]
    conversation.choose(conversation.alternatives(conversation.turns[0])[3])
    assert conversation.system == "Be a clerk."


def test_the_versions_stand_in_the_order_of_the_rows_whatever_is_ready_first(
    gateway: Gateway,
) -> None:
    async def slow_for_the_first(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        system = messages[0]["content"]
        if system == "Refuse.":
            raise ValueError
        await asyncio.sleep({"Be a poet.": 0.2, "Be a clerk.": 0.1}.get(system, 0))
        return messages

    cbai.configure(before_send=slow_for_the_first)
    try:
        systems = ["Be a poet.", "Refuse.", "Be a clerk.", "Be a cook."]
        cbai.compare("One", models=["say:A"], systems=systems, conversation=NAME)
    finally:
        cbai.configure(before_send=None)
    conversation = cbai.chat(NAME)
    found = [turn.system for turn in conversation.alternatives(conversation.turns[0])]
    assert found == ["Be a poet.", "Be a clerk.", "Be a cook."]


def test_versions_are_read_back_from_the_file(gateway: Gateway) -> None:
    cbai.compare("One", models=["error:400", "say:B", "say:C"], conversation=NAME)
    found = cbai.history(versions=True)
    answers = [each["content"] for each in found if each["role"] == "assistant"]
    assert sorted(answers) == ["", "B", "C"]


def test_a_grid_is_replayed_with_each_of_its_samples(gateway: Gateway) -> None:
    def ask(conversation: str | None, *, cached: bool) -> Any:
        return cbai.compare(
            "Hi", models=["hy3"], samples=3, cached=cached, conversation=conversation
        )

    gateway.script("say:A", "say:B", "say:C")
    first = ask(NAME, cached=True)
    assert sorted(first["text"]) == ["A", "B", "C"]
    again = ask("another", cached=True)
    assert len(gateway.requests) == 3, "nothing was sent again"
    assert again["text"].tolist() == first["text"].tolist()
    assert ask(None, cached=True)["text"].tolist() == first["text"].tolist()
    gateway.always(Scenario(text="D"))
    assert ask(None, cached=False)["text"].tolist() == ["D"] * 3
