"""What the words of an error mean."""

from __future__ import annotations

import pytest

from cbai_notebook.client.error_words import is_too_long, meaning


@pytest.mark.parametrize(
    "message",
    [
        "Your prompt is too long.",
        "The input (with images) is far too long",
        "prompt: it's much too long",
        "messages[0].content is too long",
    ],
)
def test_words_between_a_prompt_and_its_length_are_skipped(message: str) -> None:
    assert is_too_long(400, "", message)


@pytest.mark.parametrize(
    "message", ["The request took too long.", "The prompt is short; it is not."]
)
def test_other_words_are_not_about_the_length(message: str) -> None:
    assert not is_too_long(400, "", message)


@pytest.mark.parametrize(
    "message",
    ["The model 'x/y-1' does not exist", "model: x not found", "Model gpt-9 (beta) was not found"],
)
def test_a_model_that_is_named_may_not_exist(message: str) -> None:
    assert meaning(400, message) == "AI_MODEL_NOT_FOUND"


@pytest.mark.parametrize(
    "message", ["prompt" + "." * 3_000, "model" + "(" * 3_000, "input a.b(c) " * 300]
)
def test_words_that_were_made_to_be_slow(message: str) -> None:
    assert not is_too_long(400, "", message)
    assert meaning(400, message) is None
