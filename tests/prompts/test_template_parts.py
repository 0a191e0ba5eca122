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


@pytest.mark.parametrize(
    ("prompt", "mistake"),
    [
        ("`{code}` {later} {txet} {f}", "txet"),
        ("{later}{qqq}", "qqq"),
        ("{f} {later}", "f"),
        ("    {code} in an indented line", None),
        ("x^{n} {{n}} {later._x}", None),
    ],
)
def test_a_name_that_is_nowhere_is_a_mistake_outside_code(prompt: str, mistake: str | None) -> None:
    partly = Template.of(prompt).expand_partly({"f": len}, {"later"})
    assert (partly.mistake and str(partly.mistake[0])) == mistake


def test_a_prompt_that_is_filled_in_at_once_has_hints_and_no_mistake() -> None:
    partly = Template.of("{txet}").expand_partly({"text": ""}, ())
    assert partly.mistake is None
    assert "{text}" in partly.hints[0]
