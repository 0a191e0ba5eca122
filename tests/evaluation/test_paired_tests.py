"""Tests of paired differences against published values and exact counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbai_notebook.evaluation.paired_tests import holm, mid_p_mcnemar, sign_flip_test

# Darwin's differences of the heights of 15 pairs of plants, in eighths of an inch.
# Fisher (1935), The Design of Experiments, section 21.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def column(values: Sequence[float]) -> np.ndarray:
    return np.array(values, float)[:, None]


# The airway study: Fagerland, Lydersen, Laake (2013), BMC Medical Research Methodology 13:91,
# Table 1 (the exact p is 0.0703). The therapy study: their R package contingencytables, chapter 8.
@pytest.mark.parametrize(("gained", "lost", "p"), [(1, 7, 0.0391), (6, 16, 0.034690)])
def test_mcnemars_mid_p_is_as_published(gained: int, lost: int, p: float) -> None:
    assert float(mid_p_mcnemar(gained, lost)) == pytest.approx(p, abs=5e-5)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_mid_p_is_the_exact_p_less_half_of_the_observed_count(b: int, c: int) -> None:
    found = float(mid_p_mcnemar(b, c))
    assert found == float(mid_p_mcnemar(c, b))
    if b + c == 0:
        assert found == 1
        return
    exact, observed = stats.binomtest(b, b + c).pvalue, stats.binom.pmf(b, b + c, 0.5)
    assert found == pytest.approx(exact - observed / (2 if b == c else 1), abs=1e-9)


def test_flipping_the_signs_of_darwins_plants_counts_as_fisher_did() -> None:
    # Of 32,768 ways to choose the signs, 835 have a larger sum and 28 the same.
    ways = np.array(list(product([1, -1], repeat=15))) @ DARWIN
    assert ((ways > 314).sum(), (ways == 314).sum()) == (835, 28)
    published = 2 * (835 + 28 / 2) / 2**15
    assert sign_flip_test(column(DARWIN))[0] == pytest.approx(published, abs=0.006)


def test_few_differences_are_flipped_in_all_ways() -> None:
    ways = np.array(list(product([1, -1], repeat=12))) @ DARWIN[:12]
    observed = abs(sum(DARWIN[:12]))
    expected = ((abs(ways) > observed).sum() + (abs(ways) == observed).sum() / 2) / 2**12
    assert sign_flip_test(column(DARWIN[:12]))[0] == expected
    assert sign_flip_test(column([*DARWIN[:12], *[0] * 500]))[0] == expected


@settings(max_examples=40)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=9))
def test_flipping_signs_is_scipys_permutation_test_with_mid_p(values: list[int]) -> None:
    theirs = stats.permutation_test(
        (np.array(values, float),),
        lambda sample, axis: np.sum(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
    ).pvalue
    ways = np.array(list(product([1, -1], repeat=len(values)))) @ values
    as_far = np.mean(np.abs(ways) == abs(sum(values)))
    found = sign_flip_test(column(values))[0]
    if any(values):
        assert found == pytest.approx(min(theirs, 1) - as_far / 2, abs=1e-9)
    else:
        assert found == 1


@pytest.mark.parametrize(("gained", "lost"), [(3, 1), (7, 2), (30, 14), (61, 60)])
def test_flipping_signs_of_yes_and_no_is_mcnemars_test(gained: int, lost: int) -> None:
    found = sign_flip_test(column([*[1] * gained, *[-1] * lost, *[0] * 40]))[0]
    assert found == pytest.approx(float(mid_p_mcnemar(gained, lost)), abs=0.012)


def test_random_flips_never_give_a_p_of_0() -> None:
    # (r + 1) / (draws + 1): Phipson, Smyth (2010), Permutation p-values should never be zero.
    assert sign_flip_test(np.ones((1000, 1)))[0] == 1 / 5000


# The example in the manual of pingouin.multicomp, and values of statsmodels 0.15 (multipletests).
@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm_is_as_published(p: list[float], adjusted: list[float]) -> None:
    assert holm(p) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=8))
def test_holm_keeps_the_order_and_leaves_out_tests_that_were_not_made(p: list[float]) -> None:
    found = holm(p)
    made = [each for each in p if each == each]
    assert found[~np.isnan(p)].tolist() == holm(made).tolist()
    assert np.isnan(found[np.isnan(p)]).all()
    for before, after in zip(made, holm(made), strict=True):
        assert before <= after <= min(1, before * len(made)) or after == max(holm(made))
    assert (np.diff(holm(made)[np.argsort(made)]) >= 0).all()
