"""A history in memory follows the rules of one on disk, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook.conversation import Turn, chat, conversations, keep_history
from cbai_notebook.conversation.history import history, summaries, usage
from cbai_notebook.conversation.records import Records
from tests.conversation.store.conftest import Ask
from tests.conversation.store.registry import open_registry
from tests.conversation.turns import prompts, turn
from tests.gateway import Gateway

SECRET = "a-very-secret-value-4711"


def delete_all() -> None:
    registry = conversations()
    for each in registry.in_use():
        registry.delete(each)


@pytest.fixture(params=["on disk", "in memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Keep the history in a new file, or in memory, where other tests may have left something."""
    keep_history(tmp_path / "history.sqlite" if request.param == "on disk" else "off")
    delete_all()
    yield request.node.name
    delete_all()
    keep_history(None)


def contents(found: Records, name: str) -> list[str]:
    return [each["content"] for each in found if each["conversation"].startswith(name)]


def test_all_questions_have_the_same_answers(place: str) -> None:
    one, two = chat(f"{place} 1"), chat(f"{place} 2")
    one.open(turn("Who was 李白?", "A poet. 诗人", total_tokens=7, cached_tokens=2)).wait(30)
    two.open(turn("And Du Fu?", "Also a poet.", total_tokens=5)).wait(30)
    one.open(turn("Who was 李白?", "A drinker.", total_tokens=1), replaces=one.turns[0]).wait(30)
    two.open(turn("broken", status="failed", error="no")).wait(30)
    for filters, wanted in (
        ({}, ["Who was 李白?", "A drinker.", "And Du Fu?", "Also a poet.", "broken", ""]),
        ({"versions": True, "search": "诗"}, ["A poet. 诗人"]),
        ({"search": "poet"}, ["Also a poet."]),
        ({"search": "李白", "role": "user"}, ["Who was 李白?"]),
        ({"status": "failed"}, ["broken", ""]),
        ({"conversation": one.name, "role": "assistant"}, ["A drinker."]),
        ({"model": "cloudbase/hy3", "limit": 2}, ["broken", ""]),
        ({"model": "another"}, []),
    ):
        assert sorted(contents(history(**filters), place)) == sorted(wanted), filters  # type: ignore[arg-type]
    (used,) = usage(conversation=one.name)
    assert (used["requests"], used["total_tokens"], used["cached_tokens"]) == (2, 8, 2)
    assert {each.name: each.turns for each in summaries() if each.turns} == {
        one.name: 1,
        two.name: 2,
    }


def test_what_is_deleted_and_what_is_renamed_is_so_everywhere(place: str) -> None:
    talk = chat(f"{place} 1")
    talk.extend([turn("a", "1"), turn("b", "2")])
    talk.delete(talk.turns[0])
    registry = conversations()
    registry.rename(talk, f"{place} new")
    fork = registry.fork(talk, None, None)
    found = [(each["conversation"], each["content"]) for each in history(role="user")]
    assert found == [(talk.name, "b"), (fork.name, "b")]
    assert {each.forked_from for each in summaries() if each.turns} == {None, talk.name}
    registry.delete(fork)
    registry.delete(talk)
    assert history() == []


def test_secrets_are_masked_in_the_history_and_stay_in_the_conversation(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", SECRET)
    talk = chat(f"{place} 1")
    talk.open(turn(f"My token is {SECRET}", "I see.", request="one")).wait(30)
    assert SECRET in talk.messages[0]["content"]
    assert SECRET not in str(history())
    assert talk.answered("one") is talk.turns[0]
    other = chat(f"{place} 2").answered("one")
    assert other is not None
    assert SECRET not in other.prompt


def test_an_answer_that_streams_is_found_when_it_has_ended(
    place: str, ask_prompt: Ask, gateway: Gateway
) -> None:
    talk = chat(f"{place} 1")
    gateway.script("say:a sextant")
    ask_prompt(talk, "What helps?")
    assert contents(history(search="sextant"), place) == ["a sextant"]
    ask_prompt(talk, "not kept", remember=False)
    assert contents(history(role="user"), place) == ["What helps?"]


def test_turns_of_one_conversation_can_be_added_to_another(place: str) -> None:
    one, two = chat(f"{place} 1"), chat(f"{place} 2")
    one.extend([turn("a", "1"), turn("b", "2")])
    two.extend(one.turns)
    two.delete(two.turns[0])
    assert (prompts(one), prompts(two)) == (["a", "b"], ["b"])
    assert contents(history(conversation=one.name), place) == ["a", "1", "b", "2"]


def test_the_first_conversation_in_memory_is_the_default_one() -> None:
    registry = open_registry(None, "work/poems.ipynb")
    talk = registry.current()
    assert talk.name == "default"
    assert registry.get("default") is talk
    other = open_registry(None)
    named = other.get("default")
    assert other.current() is named


def test_registries_in_memory_share_nothing() -> None:
    one, two = open_registry(None), open_registry(None)
    one.get("talk").open(turn("a", "1")).wait(30)
    assert prompts(two.get("talk")) == []


def test_sorting_much_text_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def large(number: int) -> Turn:
        return turn(f"prompt {number}", "word " * 2000)

    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    talk: Any = open_registry(None).get("talk")
    talk.extend(map(large, range(300)))
    talk.forget()
    assert list(tmp_path.iterdir()) == []
