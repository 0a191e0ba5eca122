"""Several prompts on the same cases: the table, the frame, what is wrong, and what is not sent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import cbai_notebook as cbai
from cbai_notebook.errors import UsageError
from tests.evaluation.evaluations import LONG, SHORT, cases, evaluate, play, stored_beside


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> Iterator[None]:
    with stored_beside(tmp_path / "history.sqlite"):
        yield


# The table


def test_the_better_prompt_is_named_with_its_interval() -> None:
    play(knows=30)
    ev = evaluate(cases(40), name="intent")
    assert str(ev).splitlines()[0].startswith("intent · 40 cases · 80 requests")
    assert str(ev).splitlines()[1:] == [
        "       equals          vs short",
        "short  75 % [60–86]    –",
        "long   100 % [91–100]  +25.0 [+14.0, +40.2] better (p < .001)",
    ]
    assert ev.verdicts["long"].kind == "better"
    assert ev.difference("short", "long").verdict.kind == "worse"


def test_too_few_cases_are_called_too_few() -> None:
    play(knows=4)
    ev = evaluate(cases(5))
    assert ev.verdicts["long"].kind == "too_few"
    assert "too few cases to tell: with 5, even" in str(ev)


def test_html_has_the_same_table_and_a_plot_and_escapes_names() -> None:
    play(knows=3)
    ev = evaluate(cases(4), {"<b>": SHORT, "long": LONG})
    html = ev._repr_html_()
    assert "<svg" in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "script" not in html


def test_a_table_is_in_the_language_of_its_reader() -> None:
    play(knows=3)
    ev = evaluate(cases(4))
    assert "too few" in str(ev)
    cbai.configure(language="zh")
    try:
        assert "4 个用例" in str(ev)
        assert "用例太少" in str(ev)
        assert "对比 short" in ev._repr_html_()
    finally:
        cbai.configure(language=None)


def test_a_second_run_is_free() -> None:
    model = play(knows=3)
    first = evaluate(cases(4))
    second = evaluate(cases(4))
    assert len(model.requests) == 8
    assert (second.counts.requests, second.counts.known, second.counts.tokens) == (0, 8, 0)
    assert second.estimates == first.estimates


def test_each_variant_is_asked_of_each_model() -> None:
    cbai.demo("intent-0", pace=0, model="one")
    cbai.demo("other", pace=0, model="two")
    ev = evaluate(cases(1), models=["demo/one", "demo/two"], baseline="long")
    assert ev.variants == ("short · one", "short · two", "long · one", "long · two")
    assert ev.baseline == "long · one"
    assert {name: each.value for name, each in ev.estimates["equals"].items()} == {
        "short · one": 1, "short · two": 0, "long · one": 1, "long · two": 0,
    }  # fmt: skip


def test_samples_are_averaged_within_their_case() -> None:
    said = iter(["intent-0", "no", "intent-0", "no"])
    cbai.demo(lambda messages: next(said), pace=0)
    ev = evaluate([{"text": "case 0", "expected": "intent-0"}], {"short": SHORT}, samples=4)
    found = ev.estimates["equals"]["short"]
    assert (found.value, found.n) == (0.5, 1)
    assert [row["sample"] for row in ev.frame] == [0, 1, 2, 3]


def test_groups_are_what_is_independent() -> None:
    play(knows=0)
    rows = [{**row, "user": at % 2} for at, row in enumerate(cases(20))]
    alone, grouped = evaluate(rows), evaluate(rows, groups="user")
    assert grouped.estimates["equals"]["long"].low < alone.estimates["equals"]["long"].low


# Checks


def test_several_checks_have_a_column_each() -> None:
    play(knows=2)
    ev = evaluate(
        cases(4),
        checks=[
            cbai.check.equals("expected"),
            cbai.check.matches("^intent"),
            cbai.check.matches("1$"),
            lambda answer, row: len(answer) / 10,
        ],
    )
    assert ev.checks == ("equals", "matches", "matches 2", "check")
    assert ev.frame[0] == {
        "text": "case 0", "expected": "intent-0", "variant": "short", "model": "demo",
        "answer": "intent-0", "error": None, "known": False,
        "equals": True, "matches": True, "matches 2": False, "check": 0.8,
    }  # fmt: skip


def test_a_case_without_an_expected_value_lowers_n() -> None:
    play(knows=2)
    rows = [*cases(3), {"text": "case 3", "expected": None}]
    ev = evaluate(rows)
    assert ev.estimates["equals"]["long"].n == 3
    assert "of 3 cases" in str(ev)


def test_an_answer_that_a_check_cannot_read_is_wrong_and_counted() -> None:
    cbai.demo({"case 1": "2 apples", "": "apples"}, pace=0)

    def first_word_is_a_number(answer: str, row: dict[str, Any]) -> bool:
        return int(answer.split()[0]) > 0

    ev = evaluate(cases(3), {"short": SHORT}, checks=first_word_is_a_number)
    assert ev.estimates["first_word_is_a_number"]["short"].value == pytest.approx(1 / 3)
    assert ev.errors("short") == 2
    assert "errors" in str(ev).splitlines()[1]
    assert "invalid literal for int()" in str(ev)


def test_a_check_that_always_fails_is_an_error() -> None:
    play(knows=2)
    with pytest.raises(UsageError, match=r"failed for every answer: KeyError: 'label'"):
        evaluate(cases(3), checks=lambda answer, row: row["label"] == answer)
    with pytest.raises(UsageError, match="returned 'yes'"):
        evaluate(cases(3), checks=lambda answer, row: "yes")


# Errors


def test_an_answer_that_failed_is_wrong_and_shown() -> None:
    filtered = cbai.DemoAnswer("", finish="content_filter")
    cbai.demo({"case 1": filtered, "": lambda messages: "intent-0"}, pace=0)
    rows = [{"text": f"case {at}", "expected": "intent-0"} for at in range(3)]
    ev = evaluate(rows, {"short": SHORT})
    assert ev.estimates["equals"]["short"].value == pytest.approx(2 / 3)
    assert ev.errors("short") == 1
    (failure,) = ev.failures()
    assert failure["text"] == "case 1"
    assert failure["error"] in str(ev)


def test_what_was_not_asked_is_missing_and_not_wrong() -> None:
    play(knows=40)
    with pytest.warns(UserWarning, match="token"):
        ev = evaluate(cases(40), max_total_tokens=100, max_tokens=10)
    assert ev.reason.startswith("short: Stopped")
    assert 0 < ev.estimates["equals"]["short"].n < 40
    assert ev.estimates["equals"]["short"].value == 1
    assert ev.errors("short") == 0
    assert math.isnan(ev.estimates["equals"]["long"].value)
    assert ev.reason in str(ev)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": []}, "no cases"),
        ({"variants": {}}, "prompts by name"),
        ({"variants": {"short": "Intent"}}, "same"),
        ({"checks": []}, "Give a check"),
        ({"checks": [3]}, "function of an answer"),
        ({"checks": cbai.check.equals("label")}, "no column 'label'"),
        ({"groups": "user"}, "no column 'user'"),
        ({"baseline": "longer"}, "no variant 'longer'"),
        ({"models": []}, "no model"),
        ({"data": [{"text": None, "expected": "a"}]}, "missing"),
        ({"sample": 3}, "samples"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(options: dict[str, Any], message: str) -> None:
    model = play(knows=2)
    with pytest.raises(UsageError, match=message):
        evaluate(**{"data": cases(2), **options})
    assert model.requests == []


# The frame


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_the_frame_is_of_the_type_of_the_cases(make: Any) -> None:
    play(knows=2)
    ev = evaluate(make(cases(3)))
    assert isinstance(ev.frame, make)
    assert list(ev.frame["variant"]) == ["short"] * 3 + ["long"] * 3
    assert list(ev.failures()["text"]) == ["case 2"]
    assert list(ev.failures("long", "equals")["text"]) == []


def test_a_column_of_the_cases_keeps_its_name() -> None:
    play(knows=2)
    ev = evaluate([{**row, "answer": "mine", "_answer": 1} for row in cases(2)])
    assert (ev.frame[0]["answer"], ev.frame[0]["answer_"]) == ("mine", "intent-0")


def test_answers_with_a_type_are_checked_by_their_fields() -> None:
    cbai.demo({"case 0": '{"intent": "intent-0"}', "": "no JSON"}, pace=0)
    ev = evaluate(
        cases(2),
        {"short": SHORT},
        response_type=dict[str, str],
        checks=cbai.check.equals("expected", field="intent"),
    )
    assert ev.frame[0]["answer"] == {"intent": "intent-0"}
    assert [row["equals"] for row in ev.frame] == [True, False]
    assert ev.errors("short") == 1
