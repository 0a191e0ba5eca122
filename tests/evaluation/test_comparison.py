"""Estimates and comparisons: the unit, missing values, samples, groups and scales."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.evaluation.comparison import Comparison, Estimate, compare, estimate

NAN = math.nan


def yes_no(right: int, wrong: int) -> list[int]:
    return [1] * right + [0] * wrong


def pairs(gained: int, lost: int, same: int) -> tuple[list[int], list[int]]:
    """Return the yes/no values of a variant and a baseline."""
    return yes_no(gained, lost) + [1] * same, yes_no(0, gained) + yes_no(lost, 0) + [1] * same


def compared(variant: Any, baseline: Any, groups: list[object] | None = None) -> Comparison:
    return compare({"new": variant, "old": baseline}, "old", groups=groups)["new"]


def test_a_share_has_wilsons_interval() -> None:
    found = estimate({"short": yes_no(81, 182)})["short"]
    assert found.n == 263
    assert found.is_share
    assert (found.value, found.low, found.high) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)


def test_pairs_of_yes_and_no_have_mcnemars_test_and_tangos_interval() -> None:
    found = compared(*pairs(6, 16, 139))
    assert (found.n, found.better, found.worse) == (161, 6, 16)
    assert found.p == found.adjusted_p == pytest.approx(0.034690, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert found.difference == pytest.approx(-10 / 161)
    assert found.mean_square == pytest.approx(22 / 161)


def test_a_missing_value_lowers_n_and_changes_nothing_else() -> None:
    variant, baseline = pairs(6, 16, 139)
    missing = compared([*variant, NAN, 1, None], [*baseline, 1, NAN, 0])
    assert missing == compared(variant, baseline)
    assert estimate({"a": [*variant, NAN, None]}) == estimate({"a": variant})


def test_each_pair_of_variants_has_an_n_of_its_own() -> None:
    found = compare({"a": [1, 0, NAN], "b": [1, 1, 1], "c": [1, NAN, NAN]}, "b")
    assert {name: each.n for name, each in found.items()} == {"a": 2, "c": 1}


def test_nothing_but_missing_values_is_no_number() -> None:
    found = estimate({"a": [NAN, NAN]})["a"]
    assert found.n == 0
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    nothing = compared([NAN, 1], [1, NAN])
    assert nothing.n == 0
    assert all(math.isnan(each) for each in (nothing.difference, nothing.low, nothing.p))
    assert estimate({}) == {}
    assert compare({"old": []}, "old") == {}


def test_a_test_that_could_not_be_made_does_not_count_as_one_of_several() -> None:
    variant, baseline = pairs(6, 16, 139)
    values = {"old": baseline, "new": variant, "failed": [NAN] * 161}
    assert compare(values, "old")["new"] == compared(variant, baseline)


def test_several_variants_are_adjusted_together() -> None:
    variant, baseline = pairs(6, 16, 139)
    found = compare({"old": baseline, "a": variant, "b": variant, "c": baseline}, "old")
    assert found["a"].p == pytest.approx(0.034690, abs=5e-7)
    assert found["a"].adjusted_p == pytest.approx(3 * 0.034690, abs=5e-6)
    assert found["c"].adjusted_p == 1


def test_samples_are_averaged_within_their_case() -> None:
    random = np.random.default_rng(3)
    samples, baseline = random.integers(0, 2, (60, 3)), random.integers(0, 2, (60, 3))
    means = samples.mean(axis=1)
    assert estimate({"a": samples}) == estimate({"a": means})
    assert compared(samples, baseline) == compared(means, baseline.mean(axis=1))
    assert estimate({"a": samples})["a"].n == 60


def test_a_missing_sample_leaves_the_others_of_its_case() -> None:
    values = np.random.default_rng(3).random((40, 3))
    values[0] = [0.2, NAN, 0.4]
    values[1] = NAN
    found = estimate({"a": values})["a"]
    assert found.n == 39
    assert found.value == pytest.approx((0.3 + values[2:].mean(axis=1).sum()) / 39)


def test_copies_of_the_samples_make_nothing_surer() -> None:
    random = np.random.default_rng(3)
    a, b = random.integers(0, 2, (60, 1)), random.integers(0, 2, (60, 1))
    assert compared(np.repeat(a, 9, axis=1), np.repeat(b, 9, axis=1)) == compared(a, b)


def test_copies_of_the_cases_make_nothing_surer_in_groups() -> None:
    random = np.random.default_rng(3)
    a, b = random.random(60), random.random(60)
    groups = list(range(60))
    once, copied = compared(a, b, groups), compared([*a, *a], [*b, *b], groups * 2)
    assert copied.n == 120
    for name in ("difference", "low", "high", "p"):
        assert asdict(copied)[name] == pytest.approx(asdict(once)[name])
    surer = compared([*a, *a], [*b, *b])
    assert surer.high - surer.low < 0.8 * (copied.high - copied.low)


def test_a_group_of_one_case_each_is_no_group() -> None:
    random = np.random.default_rng(3)
    a, b = random.random(60), random.random(60)
    assert compared(a, b, [None] * 60) == compared(a, b, [NAN] * 60) == compared(a, b)
    assert compared(a, b, [f"user {number}" for number in range(60)]) == compared(a, b)


def test_yes_and_no_values_in_groups_are_flipped_by_group() -> None:
    # Eight users who each gain on all of their ten cases are eight facts, and not eighty.
    variant, baseline = [1] * 80, [0] * 80
    users = [case // 10 for case in range(80)]
    assert compared(variant, baseline, users).p == pytest.approx(1 / 2**8)
    assert compared(variant, baseline).p < 1e-20


def test_values_outside_0_to_1_are_scores_on_the_range_that_was_seen() -> None:
    random = np.random.default_rng(3)
    old, new = random.integers(1, 6, 80), random.integers(1, 6, 80)
    on_five, on_one = compared(new, old), compared((new - 1) / 4, (old - 1) / 4)
    assert not on_five.scale.is_share
    assert (on_five.scale.low, on_five.scale.span) == (1, 4)
    assert on_one.scale.is_share
    assert (on_five.low, on_five.high) == pytest.approx((4 * on_one.low, 4 * on_one.high))
    assert on_five.p == on_one.p
    found, share = estimate({"a": new})["a"], estimate({"a": (new - 1) / 4})["a"]
    assert (found.value, found.low) == pytest.approx((1 + 4 * share.value, 1 + 4 * share.low))


@pytest.mark.parametrize("same", [0.0, 0.5, 1.0, 3.0])
def test_values_that_are_all_the_same_do_not_pretend_to_know_all(same: float) -> None:
    found = compared([same] * 60, [same] * 60)
    assert (found.difference, found.p) == (0, 1)
    assert found.low < -0.05
    assert found.high > 0.05


def test_a_share_of_which_hardly_any_case_differs_has_a_score_interval() -> None:
    samples = np.ones((100, 3))
    samples[:2, 0] = 0
    found = estimate({"a": samples})["a"]
    assert found.value == pytest.approx(298 / 300)
    assert found.low < 0.97  # the lowest resample of a bootstrap
    few = compared(samples, np.ones((100, 3)))
    assert few.by_score
    assert few.low < -0.03
    assert few.high > 0


scores = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0, NAN])
rows = st.lists(st.tuples(scores, scores, st.integers(0, 8)), min_size=1, max_size=60)


@settings(max_examples=40)
@given(rows, st.booleans())
def test_swapping_variant_and_baseline_mirrors_the_comparison(
    cases: list[tuple[float, float, int]], in_groups: bool
) -> None:
    new, old, groups = (list(each) for each in zip(*cases, strict=True))
    labels = groups if in_groups else None
    found, mirrored = compared(new, old, labels), compared(old, new, labels)
    numbers = (found.difference, found.low, found.high, found.p, found.better)
    assert numbers == pytest.approx(
        (-mirrored.difference, -mirrored.high, -mirrored.low, mirrored.p, mirrored.worse),
        abs=1e-9,
        nan_ok=True,
    )


@settings(max_examples=40)
@given(rows, st.booleans())
def test_a_mean_lies_within_its_interval(
    cases: list[tuple[float, float, int]], in_groups: bool
) -> None:
    new, old, groups = (list(each) for each in zip(*cases, strict=True))
    labels = groups if in_groups else None
    found = compared(new, old, labels)
    alone: Estimate = estimate({"new": new}, groups=labels)["new"]
    if found.n:
        assert -1 <= found.low <= found.difference + 1e-9
        assert found.difference - 1e-9 <= found.high <= 1
        assert 0 < found.p <= found.adjusted_p <= 1
    if alone.n:
        assert 0 <= alone.low <= alone.value + 1e-9
        assert alone.value - 1e-9 <= alone.high <= 1


def test_without_its_packages_the_folder_says_what_to_install() -> None:
    code = "import sys; sys.modules['scipy'] = None; import cbai_notebook.evaluation.comparison"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "MissingDependencyError" in done.stderr
    assert "python -m pip install numpy scipy" in done.stderr
