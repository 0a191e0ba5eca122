"""Tests whether two variants differ on the same cases, and the correction for several variants."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cbai_notebook.evaluation.intervals import Array
from cbai_notebook.evaluation.resampling import SEED, draws_for, parts_of

_MOST_EXACT = 12
"""With so many units that differ, all 4,096 ways to flip their signs are counted."""


def mid_p_mcnemar(gained: ArrayLike, lost: ArrayLike) -> Array:
    """Return the two-sided mid-p value of McNemar's test.

    It is the exact conditional test, with half the probability of the observed count: the exact
    test alone sees too few of the real differences.

    Args:
        gained: The number of pairs in which only the variant is right.
        lost: The number of pairs in which only the baseline is right.

    Returns:
        p, 0 to 1; 1 where no pair differs.

    Fagerland, Lydersen, Laake (2013), The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional, BMC Medical Research Methodology 13:91.
    """
    b, c = np.asarray(gained, int), np.asarray(lost, int)
    fewer, both = np.minimum(b, c), b + c
    at_most = special.bdtr(fewer, both, 0.5)
    exactly = at_most - np.where(fewer > 0, special.bdtr(fewer - 1, both, 0.5), 0)
    p = np.where(b == c, 1 - exactly / 2, 2 * at_most - exactly)
    return np.where(both > 0, p, 1.0)


def sign_flip_test(sums: Array) -> Array:
    """Return the two-sided mid-p value of a test that flips the signs of differences.

    If the variants are alike, each difference could as well have the other sign. The p value is the
    share of flips whose sum is farther from 0 than the observed one, and half of those as far. For
    yes/no values it is McNemar's test.

    Args:
        sums: The sum of the differences of each unit, which is a case or a group of cases, 0 where
            they are missing; shape (units, columns).

    Returns:
        p, 0 to 1; shape (columns,). Exact for up to 12 units that differ, else from random flips,
        as ``(r + 1) / (draws + 1)``.

    Fisher (1935), The Design of Experiments, section 21.
    """
    differing = (sums != 0).sum(axis=0)
    exact = differing <= _MOST_EXACT
    p = np.empty(sums.shape[1])
    for column in np.flatnonzero(exact):
        values = sums[sums[:, column] != 0, column]
        signs = 1.0 - 2.0 * ((np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1)
        farther, as_far = _beyond(signs @ values[:, None], values[:, None])
        p[column] = ((farther + as_far / 2) / len(signs))[0] if len(values) else 1.0
    if not exact.all():
        p[~exact] = _random_flips(sums[:, ~exact])
    return p


def _random_flips(sums: Array) -> Array:
    units = len(sums)
    draws = draws_for(units)
    random = np.random.default_rng(SEED)
    farther, as_far = np.zeros(sums.shape[1]), np.zeros(sums.shape[1])
    for part in parts_of(draws, units):
        rows = part.stop - part.start
        flipped = np.unpackbits(random.integers(0, 256, (rows, -(-units // 8)), np.uint8), axis=1)
        signs = 1.0 - 2.0 * flipped[:, :units]
        more, same = _beyond(signs @ sums, sums)
        farther += more
        as_far += same
    return (farther + as_far / 2 + 1) / (draws + 1)


def _beyond(flipped: Array, sums: Array) -> tuple[Array, Array]:
    """Return how many flipped sums are farther from 0 than the observed ones, and as far."""
    observed = np.abs(sums.sum(axis=0))
    rounding = 1e-9 * np.abs(sums).sum(axis=0)
    distance = np.abs(flipped)
    farther = (distance > observed + rounding).sum(axis=0)
    at_least = (distance >= observed - rounding).sum(axis=0)
    return farther.astype(float), (at_least - farther).astype(float)


def holm(p: ArrayLike) -> Array:
    """Return the p values of several tests, adjusted so that all tests together err in at most 5 %.

    Args:
        p: The p values; NaN for a test that could not be made, which does not count.

    Returns:
        Adjusted p values in the same order, 0 to 1.

    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6.
    """
    values = np.asarray(p, float)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]  # NaN is sorted to the end
    adjusted: Array = values.copy()
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
