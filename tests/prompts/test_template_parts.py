"""A template is read once, filled in many times, and can leave places open."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from cbai_notebook.prompts.template import Slot, Template, expand

FRAME = pd.DataFrame({"x": [1, 2]})


@pytest.mark.parametrize(
    "prompt",
    ["no braces", "{a} and {b}", "{{a}} {a}", r"\frac{a}{b} {typo}", "See {frame} here", "{a:.2f} {aa}"],
)  # fmt: skip
def test_a_template_fills_in_what_a_prompt_does(prompt: str) -> None:
    values: dict[str, Any] = {"a": "A", "b": {"k": 1}, "frame": FRAME}
    template = Template.of(prompt)
    for namespace in (values, {**values, "a": "other"}):
        assert template.expand(namespace) == expand(prompt, namespace)


def test_a_template_leaves_the_places_of_names_open() -> None:
    partly = Template.of("{topic}: {text} {{text}} {text.size}!").expand_partly(
        {"topic": "tea", "text": ""}, {"text"}
    )
    assert [str(one.reference) if isinstance(one, Slot) else one for one in partly.pieces] == [
        "", "tea", ": ", "text", " {{text}} ", "text.size", "!",
    ]  # fmt: skip
    assert partly.used == ("topic",)
    assert "{{text}}" in partly.hints[0]


def test_an_open_place_tells_which_line_ends_a_table_needs_there() -> None:
    (_, inside, _) = Template.of("See {t} here").expand_partly({}, {"t"}).pieces
    (_, alone, _) = Template.of("See\n{t}\n\nhere").expand_partly({}, {"t"}).pieces
    assert isinstance(inside, Slot)
    assert isinstance(alone, Slot)
    assert (inside.before, inside.after) == ("\n\n", "\n\n")
    assert (alone.before, alone.after) == ("", "")


def test_a_likely_typo_is_told_apart_from_braces_in_code() -> None:
    partly = Template.of("{txet} and `{code}` and {f}").expand_partly({"text": "", "f": len}, ())
    assert [str(reference) for reference, _ in partly.mistakes] == ["txet", "f"]
    assert "".join(map(str, partly.pieces)) == "{txet} and `{code}` and {f}"
