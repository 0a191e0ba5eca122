"""JSON as real servers send it."""

from __future__ import annotations

import pytest

from cbai_notebook.client import chat_wire
from cbai_notebook.errors import InvalidResponseError


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\udfff\ud800"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\\ud800 \ud800"', r"\ud800 " + "\ufffd"),
        (b'"\xff"', "\ufffd"),
    ],
)
def test_half_a_character_is_replaced_and_costs_no_answer(body: bytes, text: str) -> None:
    assert chat_wire.load(body) == text


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidResponseError):
        chat_wire.load(b"<html>")
