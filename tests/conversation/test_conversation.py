"""A conversation: flat records, the context of a prompt, and retries without duplicates."""

from __future__ import annotations

import pandas as pd
import pytest

from cbai_notebook.conversation import RECORD_KEYS, ContextLimits, chat, names
from cbai_notebook.errors import UsageError
from tests.conversation.turns import conversation, turn


def test_messages_are_flat_dicts_that_pandas_takes_as_they_are() -> None:
    frame = pd.DataFrame(conversation(turn("你好", "Hello", total_tokens=3)).messages)
    assert list(frame.columns) == list(RECORD_KEYS)
    assert list(frame["role"]) == ["user", "assistant"]
    assert list(frame["content"]) == ["你好", "Hello"]
    assert frame["created_at"].dt.tz is not None


def test_it_reads_like_a_list() -> None:
    talk = conversation(turn("a", "b"), turn("c", "d"))
    assert len(talk) == 4
    assert [message["content"] for message in talk] == ["a", "b", "c", "d"]
    assert talk[-1]["content"] == "d"
    assert [message["content"] for message in talk[:2]] == ["a", "b"]


def test_changing_the_list_changes_nothing_in_the_conversation() -> None:
    talk = conversation(turn("a", "b"))
    talk.messages.copy().clear()
    talk.messages[0]["content"] = "changed"
    assert talk[0]["content"] == "a"


def test_past_turns_go_along_in_order() -> None:
    context = conversation(turn("a", "b"), turn("c", "d")).context("e", None, ContextLimits())
    assert [message["content"] for message in context.messages] == ["a", "b", "c", "d"]
    assert [message["role"] for message in context.messages] == ["user", "assistant"] * 2
    assert context.dropped_turns == 0


@pytest.mark.parametrize("limits", [ContextLimits(turns=1), ContextLimits(chars=5)])
def test_the_oldest_turns_are_left_out_and_counted(limits: ContextLimits) -> None:
    context = conversation(turn("aa", "bb"), turn("cc", "dd")).context("e", None, limits)
    assert [message["content"] for message in context.messages] == ["cc", "dd"]
    assert context.dropped_turns == 1


def test_a_turn_without_an_answer_does_not_go_along() -> None:
    talk = conversation(turn("a", "b"), turn("lost", status="failed"))
    assert [
        message["content"] for message in talk.context("e", None, ContextLimits()).messages
    ] == [
        "a",
        "b",
    ]


def test_a_partial_answer_goes_along() -> None:
    talk = conversation(turn("a", "half an ans", status="cancelled"))
    assert talk.context("e", None, ContextLimits()).messages[-1]["content"] == "half an ans"


def test_asking_again_after_a_failure_keeps_the_users_message_once() -> None:
    talk = conversation(turn("a", status="failed"), turn("a", status="failed"), turn("a", "b"))
    assert [(message["role"], message["content"]) for message in talk] == [
        ("user", "a"),
        ("assistant", "b"),
    ]


def test_another_prompt_after_a_failure_keeps_both_and_roles_alternate() -> None:
    talk = conversation(turn("a", status="failed", error="no such model"), turn("b", "c"))
    assert [message["role"] for message in talk] == ["user", "assistant"] * 2
    assert talk[1]["error"] == "no such model"


def test_the_system_prompt_stays_until_it_is_changed_or_removed() -> None:
    talk = conversation(turn("a", "b", system="Be brief."), turn("c", "d"))
    assert talk.system == "Be brief."
    assert talk.context("e", None, ContextLimits()).messages[0] == {
        "role": "system",
        "content": "Be brief.",
    }
    assert talk.context("e", "Rhyme.", ContextLimits()).messages[0]["content"] == "Rhyme."
    assert talk.context("e", "", ContextLimits()).messages[0]["role"] == "user"
    assert [message["role"] for message in talk][:3] == ["system", "user", "assistant"]


def test_reset_forgets_everything() -> None:
    talk = conversation(turn("a", "b", system="Be brief."))
    talk.reset()
    assert talk.messages == []
    assert talk.system is None


def test_a_name_gives_the_same_conversation_every_time() -> None:
    assert chat("poems") is chat(" poems ")
    assert chat() is chat("default")
    assert "poems" in names()


def test_a_blank_name_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a name"):
        chat("  ")


def test_images_of_the_past_go_along_as_far_as_they_fit() -> None:
    old, new = (turn(name, "ok", images=(f"https://x/{name}.png",)) for name in ("old", "new"))
    limits = ContextLimits(image_chars=len(new.images[0]))
    first, _, second, _ = conversation(old, new).context("and?", None, limits).messages
    assert first["content"] == "old"
    assert second["content"][1]["image_url"]["url"] == "https://x/new.png"


def test_an_answer_goes_along_without_what_its_tools_gave_where_that_is_too_long() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    steps = (
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x" * 100},
    )
    talk = conversation(turn("read it", "It says x.", steps=steps))
    for chars, roles in (
        (50, ["user", "assistant"]),
        (500, ["user", "assistant", "tool", "assistant"]),
    ):
        context = talk.context("and?", None, ContextLimits(chars=chars))
        assert [message["role"] for message in context.messages] == roles
        assert context.dropped_turns == 0
