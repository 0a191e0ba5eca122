"""An answer says how it ended, and what was changed in its prompt."""

from __future__ import annotations

from typing import Any

import pytest

from cbai_notebook.client.answer import Answer
from cbai_notebook.client.endings import Ending, ending_of
from cbai_notebook.client.model import Model
from tests.client.conftest import MESSAGES, MakeModel
from tests.gateway import Gateway
from tests.gateway.payloads import streamed


async def both(model: Model, messages: list[dict[str, Any]], spec: str) -> list[Answer]:
    """Return the answer as a whole and as a stream."""
    stream = await model.stream_text(model=spec, messages=messages)
    return [await model.generate_text(model=spec, messages=messages), await stream.finish()]


@pytest.mark.parametrize(
    ("reason", "ending", "told"),
    [
        ("length", Ending.CUT, "max_tokens=…"),
        ("MAX_TOKENS", Ending.CUT, "max_tokens=…"),
        ("content_filter", Ending.FILTERED, "other words"),
        ("SAFETY", Ending.FILTERED, "other words"),
        ("PROHIBITED_CONTENT", Ending.FILTERED, "other words"),
        ("stop", None, ""),
        ("completed", None, ""),
    ],
)
async def test_a_finish_reason_is_explained(
    model: Model, reason: str, ending: Ending | None, told: str
) -> None:
    for answer in await both(model, MESSAGES, f"say:Hello+finish:{reason}"):
        assert answer.ending is ending
        assert told in answer.note
        assert bool(answer.note) is bool(told)


async def test_a_refusal_is_named(model: Model, gateway: Gateway) -> None:
    gateway.always(streamed({"refusal": "I cannot "}, {"refusal": "do it."}))
    answer = await (await model.stream_text(model="m", messages=MESSAGES)).finish()
    assert (answer.text, answer.refusal) == ("", "I cannot do it.")
    assert str(answer) == answer.refusal
    assert answer.ending is Ending.REFUSED
    assert "refusal" in answer.note


def test_an_empty_answer_without_thinking_was_cut() -> None:
    assert ending_of("length", text="", reasoning="") is Ending.CUT
    assert ending_of("length", text=" ", reasoning="Hm.") is Ending.ONLY_THINKING
    assert ending_of(None, text="", reasoning="") is None


def test_a_detail_behind_a_finish_reason_does_not_hide_it() -> None:
    filtered = ending_of("content_filter: PROHIBITED_CONTENT", text="", reasoning="")
    assert filtered is Ending.FILTERED


@pytest.mark.parametrize(
    "content",
    ["x\ud800y", [{"type": "text", "text": "x\udfffy"}]],
    ids=["text", "part"],
)
async def test_half_a_character_is_sent_as_the_replacement_character(
    make_model: MakeModel, gateway: Gateway, content: Any
) -> None:
    model = make_model("cloudbase")
    for answer in await both(model, [{"role": "user", "content": content}], "echo"):
        assert "half of a character" in answer.note
    sent = gateway.last.json["messages"][0]["content"]
    assert sent == (
        "x\ufffdy" if isinstance(content, str) else [{"type": "text", "text": "x\ufffdy"}]
    )


async def test_two_halves_are_one_character(model: Model, gateway: Gateway) -> None:
    messages = [{"role": "user", "content": "\ud83d\ude00"}]
    for answer in await both(model, messages, "echo"):
        assert (answer.text, answer.note) == ("😀", "")
