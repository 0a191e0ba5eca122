"""Intervals against published values and the published formulas of other programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbai_notebook.evaluation.intervals import bootstrap_interval, tango_interval, wilson_interval

counts = st.integers(0, 200)


# Newcombe (1998), Two-sided confidence intervals for the single proportion: comparison of seven
# methods, Statistics in Medicine 17, Table I, method 3 (score without continuity correction).
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_as_published(right: int, n: int, low: float, high: float) -> None:
    assert np.round(wilson_interval(right / n, n), 4) == pytest.approx([low, high], abs=1e-9)


@settings(max_examples=50)
@given(counts, st.integers(1, 200))
def test_wilson_is_that_of_scipy(right: int, n: int) -> None:
    right = min(right, n)
    theirs = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert wilson_interval(right / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


# The first is the airway study of Bentur et al. (2009), the second the therapy study of Cavo et al.
# (2012), with the limits of Fagerland, Lydersen, Laake (2014), Recommended tests and confidence
# intervals for paired binomial proportions, Statistics in Medicine 33, and of their R package
# contingencytables.
@pytest.mark.parametrize(
    ("gained", "lost", "n", "low", "high"),
    [(1, 7, 21, -0.517, -0.026), (6, 16, 161, -0.1240, -0.0054)],
)
def test_tango_is_as_published(gained: int, lost: int, n: int, low: float, high: float) -> None:
    digits = len(str(high).partition(".")[2])
    found = np.round(tango_interval(gained, lost, n), digits)
    assert found == pytest.approx([low, high], abs=1e-9)


@settings(max_examples=50)
@given(counts, counts, counts)
def test_tango_holds_what_its_score_test_does_not_refuse(gained: int, lost: int, same: int) -> None:
    n = gained + lost + same
    low, high = (float(bound) for bound in tango_interval(gained, lost, n))
    if not n:
        assert np.isnan([low, high]).all()
        return
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    if gained + lost:
        # At 0 the score test is McNemar's.
        z = (gained - lost) / np.sqrt(gained + lost)
        assert (low > 0) == (z > 1.959964)
        assert (high < 0) == (z < -1.959964)
    else:
        assert (low, high) == pytest.approx((-(1.959964**2) / (n + 1.959964**2), -low))


@settings(max_examples=50)
@given(counts, counts, counts)
def test_tango_is_the_mirror_of_the_other_direction(gained: int, lost: int, same: int) -> None:
    n = gained + lost + same + 1
    low, high = tango_interval(gained, lost, n)
    other_low, other_high = tango_interval(lost, gained, n)
    assert (low, high) == pytest.approx((-other_high, -other_low), abs=1e-9)


def test_the_bootstrap_is_that_of_scipy_at_the_expanded_level() -> None:
    random = np.random.default_rng(4)
    for n in (30, 200):
        values = random.beta(4, 1.5, n)
        tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
        theirs = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=20_000,
            confidence_level=1 - 2 * tail,
            method="percentile",
            rng=random,
        ).confidence_interval
        low, high = bootstrap_interval(values[:, None], np.ones((n, 1)))
        error = 0.05 * (theirs.high - theirs.low)
        assert low[0] == pytest.approx(theirs.low, abs=error)
        assert high[0] == pytest.approx(theirs.high, abs=error)


def test_the_bootstrap_of_symmetric_values_is_as_wide_as_the_interval_of_students_t() -> None:
    values = np.linspace(-1, 1, 30)
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    low, high = bootstrap_interval(values[:, None], np.ones((30, 1)))
    assert (low[0], high[0]) == pytest.approx(theirs, rel=0.05)


def test_the_bootstrap_gives_the_same_interval_each_time() -> None:
    values = np.random.default_rng(1).random((40, 2))
    first, second = (np.array(bootstrap_interval(values, np.ones((40, 2)))) for _ in range(2))
    assert (first == second).all()


def test_a_missing_value_changes_the_interval_of_its_column_only() -> None:
    values = np.random.default_rng(1).random((40, 2))
    sizes = np.ones((40, 2))
    sizes[:5, 1] = values[:5, 1] = 0
    low, high = bootstrap_interval(values, sizes)
    alone_low, alone_high = bootstrap_interval(values[:, :1], sizes[:, :1])
    assert (low[0], high[0]) == (alone_low[0], alone_high[0])
    present = values[5:, 1:]
    near_low, near_high = bootstrap_interval(present, np.ones((35, 1)))
    assert (low[1], high[1]) == pytest.approx((near_low[0], near_high[0]), abs=0.02)
