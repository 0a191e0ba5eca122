"""Estimate the mean of each variant on the same cases, and compare variants with a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cbai_notebook.evaluation.intervals import (
    Array,
    Bounds,
    Flags,
    bootstrap_interval,
    tango_interval,
    wilson_interval,
)
from cbai_notebook.evaluation.paired_tests import holm, mid_p_mcnemar, sign_flip_test
from cbai_notebook.evaluation.units import SHARES, Scale, Units, case_means

_FEWEST_DIFFERING = 10
"""With fewer units that differ, resamples hold too little of what could be: where about 3 of 30
cases differ a bootstrap covers 88 %, and where none differs it has no width."""


@dataclass(frozen=True)
class Estimate:
    """The mean of a variant over the cases, with its interval of 95 %.

    Attributes:
        value: The mean, in the units of the values: a share is 0 to 1. NaN without any value.
        low: The lower end of the interval.
        high: The upper end of the interval.
        n: The number of cases with a value.
        is_share: Whether values are shares of 0 to 1.
    """

    value: float
    low: float
    high: float
    n: int
    is_share: bool


@dataclass(frozen=True)
class Comparison:
    """The difference of a variant and a baseline on the cases where both have a value.

    Attributes:
        difference: The mean of the variant less that of the baseline, in the units of the values:
            0.06 are 6 percentage points where they are shares. NaN without any pair.
        low: The lower end of its interval of 95 %.
        high: The upper end of its interval.
        n: The number of pairs: cases where both have a value.
        better: In how many pairs the variant is better.
        worse: In how many pairs the variant is worse.
        p: The p value of this comparison alone, 0 to 1.
        adjusted_p: The p value that allows for all comparisons with the baseline (Holm).
        mean_square: The mean of the squared differences, from which the needed number of cases
            follows; for yes/no values the share of pairs that differ. In groups: as much larger as
            the groups make the difference less sure.
        by_score: Whether the interval is a score interval, and not a bootstrap.
        scale: What the values can be.
    """

    difference: float
    low: float
    high: float
    n: int
    better: int
    worse: int
    p: float
    adjusted_p: float
    mean_square: float
    by_score: bool
    scale: Scale


def estimate(
    values: Mapping[str, ArrayLike], *, groups: Iterable[object] | None = None
) -> dict[str, Estimate]:
    """Return the mean of each variant with its interval.

    Yes/no values of independent cases have Wilson's score interval, others a bootstrap over the
    units. Where hardly any unit differs from the others, there is nothing to resample: then it is
    Wilson's too.

    Args:
        values: The values of each variant on the same cases: finite numbers or booleans, NaN or
            None where missing; shape (cases,) or (cases, samples).
        groups: The label of each case's group, such as its user; None if cases are independent.
    """
    means = {name: case_means(each) for name, each in values.items()}
    scale = Scale.of(means)
    scaled = (_columns(means) - scale.low) / scale.span
    units = Units.of(scaled, groups)
    by_score = _by_score(units, _has_only(scaled, (0, 1)))
    low, high = _intervals(units, by_score, wilson_interval(units.means, units.count))
    mean, low, high = (scale.low + scale.span * each for each in (units.means, low, high))
    found = zip(means, mean, low, high, units.n, strict=True)
    return {
        name: Estimate(float(value), float(start), float(end), int(n), scale.is_share)
        for name, value, start, end, n in found
    }


def compare(
    values: Mapping[str, ArrayLike], baseline: str, *, groups: Iterable[object] | None = None
) -> dict[str, Comparison]:
    """Compare each variant with the baseline.

    Args:
        values: The values of each variant on the same cases: finite numbers or booleans, NaN or
            None where missing; shape (cases,) or (cases, samples). An error of a variant is a wrong
            answer and not a missing value: pass 0 for it.
        baseline: The name of the variant to compare with.
        groups: The label of each case's group, such as its user; None if cases are independent.

    Returns:
        A comparison for each other variant.

    Raises:
        KeyError: There is no such variant.
    """
    means = {name: case_means(each) for name, each in values.items()}
    base = means[baseline]
    differences = {name: each - base for name, each in means.items() if name != baseline}
    return compare_differences(differences, scale=Scale.of(means), groups=groups)


def compare_differences(
    differences: Mapping[str, Array],
    *,
    scale: Scale = SHARES,
    groups: Iterable[object] | None = None,
) -> dict[str, Comparison]:
    """Test each column of differences against 0.

    Differences of yes/no values of independent cases are tested by McNemar's mid-p test and have
    Tango's score interval; others are tested by flipping signs and have a bootstrap over the units.
    Tango's interval serves any number of cases: it agrees with the test, and covers 94 to 97 %
    where a bootstrap of 50 pairs with few differences covers 92 %.

    Args:
        differences: The difference of each case, NaN where there is no pair; shape (cases,) each.
        scale: What the values can be whose differences they are.
        groups: The label of each case's group; None if cases are independent.
    """
    scaled = _columns(differences) / scale.span
    units = Units.of(scaled, groups)
    is_yes_no = _has_only(scaled, (-1, 0, 1))
    by_score = _by_score(units, is_yes_no)
    low, high = _intervals(units, by_score, _tango(units))
    p = _p_values(units, is_yes_no)
    adjusted = holm(p)
    mean, n = units.means, units.n
    with np.errstate(invalid="ignore"):
        square = (units.sums**2).sum(axis=0) / n
    better, worse = (scaled > 0).sum(axis=0), (scaled < 0).sum(axis=0)
    return {
        name: Comparison(
            difference=float(mean[column] * scale.span),
            low=float(low[column] * scale.span),
            high=float(high[column] * scale.span),
            n=int(n[column]),
            better=int(better[column]),
            worse=int(worse[column]),
            p=float(p[column]),
            adjusted_p=float(adjusted[column]),
            mean_square=float(square[column] * scale.span**2),
            by_score=bool(by_score[column]),
            scale=scale,
        )
        for column, name in enumerate(differences)
    }


def _columns(values: Mapping[str, Array]) -> Array:
    return np.column_stack(list(values.values())) if values else np.empty((0, 0))


def _has_only(values: Array, allowed: tuple[int, ...]) -> Flags:
    """Return whether all values of a column are of those that are allowed, or missing."""
    return np.asarray((np.isnan(values) | np.isin(values, allowed)).all(axis=0))


def _by_score(units: Units, is_yes_no: Flags) -> Flags:
    """Return whether the interval of a column is a score interval."""
    few: Flags = units.differing() < _FEWEST_DIFFERING
    return few if units.grouped else is_yes_no | few


def _intervals(units: Units, by_score: Flags, score: Bounds) -> Bounds:
    low, high = score
    others = ~by_score
    if others.any():
        low[others], high[others] = bootstrap_interval(
            units.sums[:, others], units.sizes[:, others]
        )
    return low, high


def _tango(units: Units) -> Bounds:
    """Return Tango's interval; a unit counts once, and its mean difference as a part of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = units.sums * units.count / units.n
    gained, lost = (np.maximum(each, 0).sum(axis=0) for each in (shares, -shares))
    return tango_interval(gained, lost, units.count)


def _p_values(units: Units, is_yes_no: Flags) -> Array:
    p = np.empty(len(is_yes_no))
    exact = np.zeros_like(is_yes_no) if units.grouped else is_yes_no
    signs = np.sign(units.sums[:, exact])
    p[exact] = mid_p_mcnemar((signs > 0).sum(axis=0), (signs < 0).sum(axis=0))
    p[~exact] = sign_flip_test(units.sums[:, ~exact])
    return np.where(units.n > 0, p, np.nan)
