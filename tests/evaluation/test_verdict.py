"""Verdicts in words, and the numbers of cases in them."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.evaluation.comparison import Comparison, compare, compare_differences
from cbai_notebook.evaluation.number_texts import about, estimate_text, p_text, size_text
from cbai_notebook.evaluation.paired_tests import mid_p_mcnemar
from cbai_notebook.evaluation.power import needed_cases, smallest_visible_difference
from cbai_notebook.evaluation.verdict import verdict_of
from tests.evaluation.test_comparison import NAN, compared, pairs


def of_pairs(gained: int, lost: int, same: int) -> Comparison:
    return compared(*pairs(gained, lost, same))


def test_better_and_worse_are_said_with_interval_and_p() -> None:
    assert str(verdict_of(of_pairs(22, 8, 170))) == "+7.0 [+1.7, +12.7] better (p .011)"
    assert str(verdict_of(of_pairs(8, 22, 170))) == "−7.0 [−12.7, −1.7] worse (p .011)"
    assert verdict_of(of_pairs(8, 22, 170)).words.in_language("zh") == "更差（p .011）"
    assert str(verdict_of(of_pairs(60, 5, 135))).endswith("better (p < .001)")


def test_no_difference_names_the_largest_that_there_can_be() -> None:
    found = verdict_of(of_pairs(20, 20, 960))
    assert found.kind == "no_difference"
    assert str(found) == "0.0 [−1.3, +1.3] no difference above ±1.3 points"
    assert found.words.in_language("zh") == "没有超过 ±1.3 个百分点的差异"
    assert (
        str(verdict_of(of_pairs(2, 0, 300))) == "+0.7 [−0.6, +2.4] no difference above ±2.4 points"
    )


def test_too_few_says_what_may_be_chance_and_how_many_are_needed() -> None:
    found = verdict_of(of_pairs(13, 5, 182))
    assert found.kind == "too_few"
    assert str(found) == (
        "+4.0 [−0.2, +8.7] too few cases to tell: with 200, even a difference of 6 points may be "
        "chance; about 440 are needed"
    )
    assert found.words.in_language("zh") == (
        "用例太少，无法判断：只有 200 个用例时，即使 6 个百分点的差异也可能是偶然，约需 440 个"
    )


def test_too_few_contradicts_no_large_difference() -> None:
    found = verdict_of(of_pairs(0, 2, 0))
    assert str(found.interval).startswith("−100.0")
    assert (
        "with 2, even a difference of 100 points may be chance; about 3 are needed" in found.words
    )


def test_a_margin_decides_what_counts_as_no_difference() -> None:
    comparison = of_pairs(13, 5, 182)
    assert verdict_of(comparison, margin=0.09).kind == "no_difference"
    assert verdict_of(of_pairs(20, 20, 960), margin=0.01).kind == "too_few"
    assert "about ∞ are needed" in verdict_of(of_pairs(20, 20, 960), margin=0).words


def test_without_pairs_there_is_nothing_to_compare() -> None:
    found = verdict_of(compared([NAN], [1]))
    assert (found.kind, found.interval) == ("no_pairs", "–")
    assert str(found) == "– nothing to compare: no case has both values"


def test_other_scores_are_no_points() -> None:
    random = np.random.default_rng(3)
    old = random.integers(1, 6, 200).astype(float)
    new = np.clip(old + random.integers(-1, 3, 200), 1, 5)
    assert re.match(r"\+0\.30 \[\+0\.17, \+0\.4\d\] better", str(verdict_of(compared(new, old))))
    unsure = verdict_of(compared(old[:20], random.permutation(old[:20])))
    assert "points" not in str(unsure)
    assert "with 20, even a difference of" in unsure.words


def test_one_case_is_too_few() -> None:
    assert "to tell: with 1, even" in verdict_of(compared([1], [0])).words


def test_no_verdict_against_the_correction_for_several_variants() -> None:
    variant, baseline = pairs(22, 8, 170)
    alone = compared(variant, baseline)
    values = {"old": baseline, "new": variant} | {str(n): baseline for n in range(6)}
    among = compare(values, "old")["new"]
    assert (alone.low, alone.p) == (among.low, among.p)
    assert verdict_of(alone).kind == "better"
    assert verdict_of(among).kind == "too_few"
    assert "about 380 are needed" in verdict_of(among).words


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1, 1) | st.sampled_from([-1.0, 0.0, 1.0]), max_size=40),
    st.floats(0.01, 0.2),
)
def test_words_agree_with_the_interval(differences: list[float], margin: float) -> None:
    comparison = compare_differences({"new": np.array(differences)})["new"]
    found = verdict_of(comparison, margin)
    low, high = comparison.low, comparison.high
    if found.kind == "better":
        assert low > 0
    elif found.kind == "worse":
        assert high < 0
    elif found.kind == "no_difference":
        assert -margin <= low <= high <= margin
    elif found.kind == "too_few":
        assert not (-margin <= low <= high <= margin)
        needed = int(found.words.values["needed"].replace(",", ""))
        assert needed > comparison.n
    else:
        assert comparison.n == 0


# Power ------------------------------------------------------------------------------------------


def test_the_needed_number_of_cases_is_as_published() -> None:
    # Connor (1987), Biometrics 43, in the example of powerandsamplesize.com: 22.8, so 23 pairs.
    assert np.ceil(needed_cases(0.40, 0.50, yes_no=True)) == 23
    assert np.ceil(needed_cases(0.10, 0.30, yes_no=True)) == 234


@given(st.integers(5, 5000), st.floats(0, 1), st.booleans())
def test_the_smallest_visible_difference_needs_just_so_many_cases(
    cases: int, square: float, yes_no: bool
) -> None:
    visible = smallest_visible_difference(cases, square, yes_no=yes_no)
    assert 0 <= visible <= 1
    if 1e-6 < visible < 1:
        needed = needed_cases(visible * (1 + 1e-9), square, yes_no=yes_no)
        assert needed <= cases * (1 + 1e-6)
        assert needed_cases(visible * 0.999, square, yes_no=yes_no) > cases * (1 - 1e-6)


@pytest.mark.parametrize(("cases", "differing"), [(100, 0.2), (400, 0.1)])
def test_the_test_sees_the_smallest_visible_difference_in_80_percent(
    cases: int, differing: float
) -> None:
    true = smallest_visible_difference(cases, differing, yes_no=True)
    random = np.random.default_rng(cases)
    chances = [(differing + true) / 2, (differing - true) / 2, 1 - differing]
    gained, lost, _ = random.multinomial(cases, chances, size=4000).T
    assert 0.77 <= np.mean(mid_p_mcnemar(gained, lost) <= 0.05) <= 0.83


# Numbers ----------------------------------------------------------------------------------------


def test_numbers_are_short() -> None:
    assert estimate_text(0.784, 0.716, 0.834, is_share=True) == "78 % [72–83]"
    assert estimate_text(3.418, 3.1, 3.74, is_share=False) == "3.42 [3.10–3.74]"
    assert estimate_text(1240, 1180, 1300, is_share=False) == "1240 [1180–1300]"
    assert estimate_text(NAN, NAN, NAN, is_share=True) == "–"
    assert [p_text(p) for p in (0.0004, 0.017, 0.0499, 0.23, 0.999)] == [
        "< .001", ".017", ".050", ".23", "1.00",
    ]  # fmt: skip
    assert [about(count) for count in (73, 461.2, 470, 12_345)] == ["73", "470", "470", "13,000"]
    assert size_text(0.25, is_share=False) == "0.25"


@given(st.floats(0.0001, 1))
def test_a_size_is_never_rounded_down(size: float) -> None:
    points = float(size_text(size, is_share=True).split()[0])
    assert 100 * size <= points + 1e-6
    assert points <= 110 * size


def test_a_size_is_said_in_the_number_that_fits() -> None:
    assert size_text(0.01, is_share=True) == "1 point"
    assert size_text(0.04, is_share=True) == "4 points"
    assert size_text(0.04, is_share=True).in_language("zh") == "4 个百分点"


def test_all_counts_of_small_evaluations_have_a_verdict() -> None:
    for counts in product(range(4), repeat=3):
        if sum(counts):
            assert str(verdict_of(of_pairs(*counts))).startswith(("+", "−", "0"))
