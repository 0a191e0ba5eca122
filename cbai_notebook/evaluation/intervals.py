"""Confidence intervals of 95 %: of a share, of the difference of two paired shares, and of a mean.

All functions take many columns at once: a column is one variant, or one comparison of two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cbai_notebook.evaluation.resampling import resampled_means

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Bounds: TypeAlias = tuple[Array, Array]
"""The lower and the upper ends of intervals."""

ALPHA = 0.05
"""The share of intervals that miss the true value, and of tests that see a difference where there
is none."""

Z = float(special.ndtri(1 - ALPHA / 2))
"""The quantile of the normal distribution for two-sided intervals: 1.96."""

_LEAST_VARIANCE = 1e-100
"""Where no pair differs, the variance at a difference of 0 is 0. The score there is 0, not NaN."""

_HALVINGS = 50  # an error below 1e-14


def wilson_interval(share: ArrayLike, n: ArrayLike) -> Bounds:
    """Return the score interval of a share.

    Args:
        share: The observed share, 0 to 1. It may be the mean of any values between 0 and 1: their
            variance is at most that of yes/no values, so the interval is then never too narrow.
        n: The number of independent values.

    Returns:
        The bounds, 0 to 1; NaN where `n` is 0.

    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    share, n = np.asarray(share, float), np.asarray(n, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 + Z**2 / n
        middle = (share + Z**2 / (2 * n)) / shrink
        half = Z / shrink * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def tango_interval(gained: ArrayLike, lost: ArrayLike, n: ArrayLike) -> Bounds:
    """Return the score interval of the difference of two paired shares.

    Args:
        gained: The number of pairs in which only the variant is right.
        lost: The number of pairs in which only the baseline is right. Both may be sums of parts of
            pairs, as with graded values; the interval is then too wide, never too narrow.
        n: The number of pairs.

    Returns:
        The bounds of ``(gained - lost) / n``, -1 to 1; NaN where `n` is 0.

    Tango (1998), Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design, Statistics in Medicine 17.
    """
    b, c, n = (np.asarray(each, float) for each in (gained, lost, n))

    def score(difference: Array) -> Array:
        # The share of pairs that are lost if `difference` is true: Tango's maximum likelihood
        # estimate, the larger root of a quadratic equation.
        linear = -b - c + (2 * n - b + c) * difference
        constant = -c * difference * (1 - difference)
        root = np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0))
        lost_share = (root - linear) / (4 * n)
        variance = n * (2 * lost_share + difference * (1 - difference))
        found: Array = (b - c - n * difference) / np.sqrt(np.maximum(variance, _LEAST_VARIANCE))
        return found

    with np.errstate(divide="ignore", invalid="ignore"):
        low, _ = _around_crossing(score, Z, n)
        _, high = _around_crossing(score, -Z, n)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def _around_crossing(falling: Callable[[Array], Array], level: float, like: Array) -> Bounds:
    """Return two near values, within -1 to 1, between which a falling function crosses a level."""
    low, high = np.full_like(like, -1.0), np.full_like(like, 1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = falling(middle) > level
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low, high


def bootstrap_interval(sums: Array, sizes: Array) -> Bounds:
    """Return the expanded percentile interval of a mean, by resampling units.

    A percentile interval is too narrow for few units. This one goes by the quantiles of Student's
    distribution, so that it is as wide as the t interval where the data are symmetric. Measured
    with 30 units it covers 93 to 96 %, the plain one 92 to 95 %, BCa 90 to 95 %.

    Args:
        sums: The sum of the values of each unit, which is a case or a group of cases; shape
            (units, columns).
        sizes: The number of values of each unit; the same shape.

    Returns:
        The bounds, in the units of the values; shape (columns,).

    Hesterberg (2015), What teachers should know about the bootstrap, The American Statistician 69.
    """
    means = resampled_means(sums, sizes)
    units = (sizes > 0).sum(axis=0)
    inside = np.maximum(units, 2)
    tails = special.ndtr(np.sqrt(inside / (inside - 1)) * special.stdtrit(inside - 1, ALPHA / 2))
    low, high = np.empty(len(units)), np.empty(len(units))
    for tail in np.unique(tails):  # one, unless values are missing
        chosen = tails == tail
        low[chosen], high[chosen] = np.quantile(means[:, chosen], [tail, 1 - tail], axis=0)
    return low, high
