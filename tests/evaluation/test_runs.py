"""Stored runs: what broke since the last one, and what a build server is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cbai_notebook as cbai
from cbai_notebook.batching.answer_store import current_answers
from cbai_notebook.errors import RegressionError, UsageError
from cbai_notebook.evaluation.evaluation import Evaluation
from tests.evaluation.evaluations import LONG, SHORT, Row, cases, evaluate, play, stored_beside


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> Iterator[None]:
    with stored_beside(tmp_path / "history.sqlite"):
        yield


def intent(rows: list[Row], knows: int, prompt: str = SHORT, **options: Any) -> Evaluation:
    """Run the evaluation "intent" with a prompt that is right in the first cases."""
    play(knows)
    return evaluate(rows, {"short": prompt}, name="intent", **options)


OTHER = "The intent of: {text}"
"""Another prompt, whose answers are not stored."""


def test_a_case_that_broke_is_found() -> None:
    intent(cases(6), knows=5)
    ev = intent(cases(6), knows=4, prompt=OTHER)
    assert ev.flips() == [
        {
            "text": "case 4", "expected": "intent-4", "variant": "short", "change": "broke",
            "was": 1.0, "now": 0.0, "answer": "unknown",
        }
    ]  # fmt: skip
    assert "1 case broke, 0 mended" in str(ev)


def test_a_first_run_has_no_flips() -> None:
    ev = intent(cases(6), knows=5)
    assert ev.flips() == []
    assert "broke" not in str(ev)


def test_running_it_again_does_not_hide_what_broke() -> None:
    intent(cases(6), knows=5)
    for _ in range(3):
        ev = intent(cases(6), knows=4, prompt=OTHER)
        assert [row["text"] for row in ev.flips()] == ["case 4"]
    assert len({row["number"] for row in cbai.evaluations("intent")}) == 2


def test_cases_match_by_content_whatever_their_order() -> None:
    rows = [*cases(6), {"text": "case 1", "expected": "intent-1"}]
    intent(rows, knows=5)
    changed = [{"text": "case 50", "expected": "?"}, *reversed(rows)]
    assert [row["text"] for row in intent(changed, knows=4, prompt=OTHER).flips()] == ["case 4"]


def test_cases_match_by_a_column() -> None:
    rows = [{**row, "number": at} for at, row in enumerate(cases(6))]
    intent(rows, knows=5, id="number")
    edited = [{**row, "note": "new"} for row in rows]
    assert intent(edited, knows=4, prompt=OTHER).flips() == []
    ev = intent(edited, knows=4, prompt=OTHER, id="number")
    assert [row["number"] for row in ev.flips()] == [4]


def test_two_variants_can_be_compared_case_by_case() -> None:
    play(knows=5)
    ev = evaluate(pd.DataFrame(cases(6)), {"short": SHORT, "long": LONG})
    found = ev.flips("long", than="short")
    assert isinstance(found, pd.DataFrame)
    assert list(found["change"]) == ["mended"]
    assert len(ev.flips()) == 0


# A build server


def test_a_variant_that_is_worse_than_before_is_an_error() -> None:
    intent(cases(50), knows=50)
    ev = intent(cases(50), knows=45, prompt=OTHER)
    with pytest.raises(RegressionError, match=r"−10\.0 \[−21\.4, −.*5 cases got worse"):
        ev.assert_not_worse("short", by=0.02)
    assert ev.assert_not_worse("short", by=0.1).comparison.worse == 5


def test_an_unchanged_variant_is_not_worse() -> None:
    intent(cases(6), knows=5)
    found = intent(cases(6), knows=5, prompt=OTHER).assert_not_worse("short")
    assert found.comparison.difference == 0


def test_a_variant_is_compared_with_another_one() -> None:
    play(knows=2)
    ev = evaluate(cases(4))
    assert ev.assert_not_worse("long", than="short").comparison.difference == 0.5
    with pytest.raises(AssertionError):
        ev.assert_not_worse("short", than="long", by=0.4)


def test_without_an_earlier_run_nothing_passes_unseen() -> None:
    with pytest.raises(UsageError, match="No earlier run of 'short'"):
        intent(cases(6), knows=5).assert_not_worse("short")


# What is stored


def test_runs_are_flat_dicts_for_a_data_frame() -> None:
    intent(cases(6), knows=3)
    intent(cases(6), knows=6, prompt=OTHER)
    evaluate(cases(2), name="other")
    found = pd.DataFrame(cbai.evaluations("intent"))
    assert list(found["value"]) == [0.5, 1.0]
    assert list(found["n"]) == [6, 6]
    assert set(found["model"]) == {"demo"}
    assert {row["name"] for row in cbai.evaluations()} == {"intent", "other"}


def test_what_has_no_name_or_was_stopped_is_not_stored() -> None:
    play(knows=5)
    evaluate(cases(6))
    with pytest.warns(UserWarning, match="token"):
        intent(cases(6), knows=5, prompt=OTHER, max_total_tokens=20)
    assert cbai.evaluations() == []


def test_no_text_of_a_case_is_stored_with_a_run() -> None:
    intent(cases(6), knows=5)
    store = current_answers()
    with store.database.reading() as connection:
        for table in ("evaluations", "evaluation_scores"):
            for row in connection.execute(f"SELECT * FROM {table}"):
                assert not any("case" in str(value) for value in tuple(row))


def test_runs_go_with_all_that_is_stored() -> None:
    intent(cases(6), knows=5)
    current_answers().delete()
    assert cbai.evaluations() == []
