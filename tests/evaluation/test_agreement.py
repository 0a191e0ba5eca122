"""Cohen's κ against published values, and how often its interval holds the true value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbai_notebook.evaluation.agreement import cohens_kappa

Table = list[list[float]]


def rated(table: Table) -> tuple[list[int], list[int]]:
    """Return the labels of two raters from the counts: rows are labels of the first."""
    cells = [
        (row, column)
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for _ in range(int(count))
    ]
    return [row for row, _ in cells], [column for _, column in cells]


# Cohen (1960), Educational and Psychological Measurement 20: the diagnoses of 200 patients.
# Fleiss (1981), Statistical Methods for Rates and Proportions, Table 13.1; statsmodels: 0.6765.
# Bonett, R package statpsych, ci.kappa(.05, 31, 12, 4, 58).
@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[88, 10, 2], [14, 40, 6], [18, 10, 12]], 0.4915),
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.6765),
        ([[31, 12], [4, 58]], 0.6757),
    ],
)
def test_kappa_is_as_published(table: Table, kappa: float) -> None:
    found = cohens_kappa(*rated(table))
    assert found.n == np.sum(table)
    assert found.kappa == pytest.approx(kappa, abs=5e-5)
    assert found.low < found.kappa < found.high


def test_the_interval_of_kappa_is_as_wide_as_cohens() -> None:
    # Cohen gives 0.384 to 0.599; Wilson's is a little farther from full agreement.
    found = cohens_kappa(*rated([[88, 10, 2], [14, 40, 6], [18, 10, 12]]))
    assert found.high - found.low == pytest.approx(0.599 - 0.384, abs=0.003)
    assert (found.low, found.high) == pytest.approx((0.384, 0.599), abs=0.015)


def test_labels_may_be_anything_and_missing_ones_are_left_out() -> None:
    human = ["yes", "no", "no", None, "yes", True, 1.5]
    judge = ["yes", "no", "yes", "yes", math.nan, True, 1.5]
    found = cohens_kappa(human, judge)
    assert (found.n, found.agreed) == (5, 0.8)
    assert found.words == "κ 0.74 [0.18, 0.95], 80 % agree (5 cases)"


def test_full_agreement_is_not_sure_to_be_full() -> None:
    found = cohens_kappa([0, 1] * 15, [0, 1] * 15)
    assert (found.kappa, found.high) == pytest.approx((1, 1))
    assert 0.7 < found.low < 0.8


def test_one_label_alone_tells_nothing() -> None:
    found = cohens_kappa(["yes"] * 8, ["yes"] * 8)
    assert math.isnan(found.kappa)
    assert (found.agreed, found.n) == (1, 8)
    assert found.words == "κ needs two labels: all 8 cases have the same"
    assert "8 个用例" in found.words.in_language("zh")


def test_no_rated_case_is_said() -> None:
    found = cohens_kappa([None], ["yes"])
    assert (found.n, math.isnan(found.kappa)) == (0, True)
    assert found.words == "no case has both labels"


def test_raters_of_different_cases_are_an_error() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        cohens_kappa(["yes"], ["yes", "no"])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_raters_may_be_swapped(cases: list[tuple[int, int]]) -> None:
    first, second = zip(*cases, strict=True)
    found, swapped = cohens_kappa(first, second), cohens_kappa(second, first)
    assert found.n == len(cases)
    if math.isnan(found.kappa):
        assert found.agreed == 1
    else:
        assert found.kappa == pytest.approx(swapped.kappa)
        assert -1 - 1e-9 <= found.kappa <= found.agreed + 1e-9
        assert found.low <= found.kappa + 1e-9
        assert found.kappa <= found.high + 1e-9


@pytest.mark.parametrize(
    "chances",
    [
        [[0.40, 0.10], [0.10, 0.40]],
        [[0.75, 0.05], [0.08, 0.12]],
        [[0.80, 0.03], [0.02, 0.15]],
        [[0.30, 0.05, 0.02], [0.05, 0.25, 0.05], [0.03, 0.05, 0.20]],
    ],
    ids=["balanced", "skewed", "near-full", "three-labels"],
)
@pytest.mark.parametrize("cases", [30, 100])
def test_the_interval_of_kappa_holds_the_true_one(cases: int, chances: Table) -> None:
    truths = np.array(chances)
    by_chance = (truths.sum(axis=0) * truths.sum(axis=1)).sum()
    true = (np.trace(truths) - by_chance) / (1 - by_chance)
    random = np.random.default_rng(cases)
    labels = len(chances)
    drawn = random.choice(labels**2, p=truths.ravel(), size=(600, cases))
    found = [cohens_kappa((each // labels).tolist(), (each % labels).tolist()) for each in drawn]
    assert 0.93 <= np.mean([each.low <= true <= each.high for each in found]) <= 0.97
