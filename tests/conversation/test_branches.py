"""Branches and versions: edited prompts, switching between alternatives, and deleting them."""

from __future__ import annotations

import pytest

from cbai_notebook.conversation import Prompt, Turn, prepare
from cbai_notebook.errors import UsageError
from tests.conversation.turns import conversation, prompts, turn


@pytest.fixture
def turns() -> tuple[Turn, Turn, Turn]:
    return turn("a", "1"), turn("b", "2"), turn("c", "3")


def test_an_edited_prompt_starts_a_branch_and_the_old_one_is_kept(
    turns: tuple[Turn, Turn, Turn],
) -> None:
    talk = conversation(*turns)
    edited = turn("b, but shorter", "2'")
    talk.open(edited, branch_of=turns[1]).wait(30)
    assert prompts(talk) == ["a", "b, but shorter"]
    assert [message["content"] for message in talk] == ["a", "1", "b, but shorter", "2'"]
    assert talk.alternatives(edited) == (turns[1], edited)


def test_switching_brings_back_what_followed(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    edited = turn("B", "2'")
    talk.open(edited, branch_of=turns[1]).wait(30)
    talk.open(turn("D", "4")).wait(30)
    talk.choose(turns[1])
    assert prompts(talk) == ["a", "b", "c"]
    talk.choose(edited)
    assert prompts(talk) == ["a", "B", "D"]


def test_the_first_prompt_can_be_asked_anew(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    talk.open(turn("a", "again"), branch_of=turns[0]).wait(30)
    assert [message["content"] for message in talk] == ["a", "again"]


def test_only_what_stands_before_goes_along_with_an_alternative(
    turns: tuple[Turn, Turn, Turn],
) -> None:
    talk = conversation(*turns)
    question = Prompt("b", branch_of=turns[1])
    request = prepare(talk, question).params
    assert [message["content"] for message in request["messages"]] == ["a", "1", "b"]


def test_an_alternative_keeps_the_system_prompt_of_its_place() -> None:
    first, later = turn("a", "1", system="Be brief."), turn("b", "2", system="Rhyme.")
    talk = conversation(first, later)
    question = Prompt("a", branch_of=first)
    request = prepare(talk, question).params
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
    ]


def test_deleting_a_turn_moves_up_what_follows(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    talk.delete(turns[1])
    assert prompts(talk) == ["a", "c"]
    talk.delete(turns[0])
    talk.delete(turns[2])
    assert prompts(talk) == []
    talk.open(turn("d")).wait(30)
    assert prompts(talk) == ["d"]


def test_deleting_an_alternative_shows_the_one_before(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    edited = turn("B", "2'")
    talk.open(edited, branch_of=turns[1]).wait(30)
    talk.open(turn("D", "4")).wait(30)
    talk.delete(edited)
    assert prompts(talk) == ["a", "b", "c"]
    assert talk.alternatives(turns[1]) == (turns[1],)


def test_a_failed_alternative_is_replaced_when_it_is_asked_again(
    turns: tuple[Turn, Turn, Turn],
) -> None:
    talk = conversation(*turns)
    failed = turn("b", status="failed")
    talk.open(failed, branch_of=turns[1]).wait(30)
    again = turn("b", "2''")
    talk.open(again, branch_of=failed).wait(30)
    assert talk.alternatives(again) == (turns[1], again)


def test_a_failed_turn_in_the_middle_keeps_what_follows_when_asked_again() -> None:
    failed, after = turn("a", status="failed"), turn("b", "2")
    talk = conversation(failed, after)
    talk.open(turn("a", "1"), branch_of=failed).wait(30)
    assert prompts(talk) == ["a", "b"]


def test_a_turn_that_is_gone_cannot_be_used(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    talk.clear()
    for use in (talk.choose, talk.delete, lambda gone: talk.open(turn("d"), branch_of=gone)):
        with pytest.raises(UsageError, match="no longer in the conversation"):
            use(turns[0])


def test_beginning_again_keeps_what_was_said_as_a_branch(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    talk.reset()
    assert prompts(talk) == []
    talk.open(other := turn("d", "4")).wait(30)
    assert talk.alternatives(other) == (turns[0], other)
    talk.choose(turns[0])
    assert prompts(talk) == ["a", "b", "c"]


def test_a_new_version_stands_in_the_place_of_the_old_one_and_what_follows_is_stale(
    turns: tuple[Turn, Turn, Turn],
) -> None:
    talk = conversation(*turns)
    talk.open(again := turn("b", "2'"), replaces=turns[1]).wait(30)
    assert prompts(talk) == ["a", "b", "c"]
    assert [each.stale for each in talk.turns] == [False, False, True]
    assert talk.versions() == [
        (0, turns[0], True),
        (1, turns[1], False),
        (1, again, True),
        (2, turns[2], True),
    ]
    talk.undo()
    assert talk.turns == turns, "the new version was added last"
    talk.undo()
    assert talk.turns == turns[:2]


def test_what_follows_a_deleted_version_stays(turns: tuple[Turn, Turn, Turn]) -> None:
    talk = conversation(*turns)
    talk.open(again := turn("b", "2'"), replaces=turns[1]).wait(30)
    talk.delete(again)
    assert talk.turns == turns
