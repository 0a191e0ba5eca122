"""The independent units of an evaluation: its cases, or groups of cases that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cbai_notebook.evaluation.intervals import Array


def case_means(values: ArrayLike) -> Array:
    """Return the mean of the samples of each case.

    The case is the unit: several answers to one case tell less than answers to as many cases.

    Args:
        values: Finite numbers or booleans, NaN or None where missing; shape (cases,) or
            (cases, samples).

    Returns:
        Shape (cases,); NaN where all samples are missing.
    """
    array = np.asarray(values, float)
    samples = array[:, None] if array.ndim == 1 else array
    present = ~np.isnan(samples)
    with np.errstate(invalid="ignore"):
        means: Array = np.where(present, samples, 0).sum(axis=1) / present.sum(axis=1)
    return means


@dataclass(frozen=True)
class Scale:
    """What the values of a check can be.

    Attributes:
        low: The smallest value.
        span: The largest value less the smallest.
        is_share: Whether values are shares of 0 to 1, whose differences are percentage points.
    """

    low: float
    span: float
    is_share: bool

    @classmethod
    def of(cls, values: Mapping[str, Array]) -> Scale:
        """Return 0 to 1 if all values are within, else the range that was observed."""
        every = np.concatenate([*values.values(), np.empty(0)])
        every = every[~np.isnan(every)]
        if not len(every) or (every.min() >= 0 and every.max() <= 1):
            return SHARES
        low = float(every.min())
        return cls(low, float(every.max()) - low or 1.0, is_share=False)


SHARES = Scale(0.0, 1.0, is_share=True)


@dataclass(frozen=True)
class Units:
    """Values of several columns, summed in each unit.

    Attributes:
        sums: The sums; shape (units, columns).
        sizes: The numbers of values, which are 0 where all are missing; the same shape.
        grouped: Whether a unit is a group, and not a case.
    """

    sums: Array
    sizes: Array
    grouped: bool

    @classmethod
    def of(cls, values: Array, groups: Iterable[object] | None) -> Units:
        """Return the units of values.

        Args:
            values: One value for each case, NaN where missing; shape (cases, columns).
            groups: The label of each case's group; a case whose label is missing (None, NaN) is a
                group of its own. None if all cases are independent.
        """
        present = ~np.isnan(values)
        known = np.where(present, values, 0.0)
        if groups is None:
            return cls(known, present.astype(float), grouped=False)
        numbers = _numbered(groups)
        units = max(numbers, default=-1) + 1
        sums, sizes = np.zeros((units, values.shape[1])), np.zeros((units, values.shape[1]))
        np.add.at(sums, numbers, known)
        np.add.at(sizes, numbers, present)
        return cls(sums, sizes, grouped=True)

    @property
    def n(self) -> Array:
        """The number of values of each column."""
        return np.asarray(self.sizes.sum(axis=0))

    @property
    def count(self) -> Array:
        """The number of units of each column that have a value."""
        return np.asarray((self.sizes > 0).sum(axis=0), float)

    @property
    def means(self) -> Array:
        """The mean of each column, NaN where there is no value."""
        with np.errstate(invalid="ignore"):
            means: Array = self.sums.sum(axis=0) / self.n
        return means

    def differing(self) -> Array:
        """Return how many units of each column have another mean than most of its units."""
        found = np.zeros(self.sums.shape[1])
        for column, (sums, sizes) in enumerate(zip(self.sums.T, self.sizes.T, strict=True)):
            means = sums[sizes > 0] / sizes[sizes > 0]
            _, counts = np.unique(means.round(9), return_counts=True)
            found[column] = len(means) - counts.max(initial=0)
        return found


def _numbered(groups: Iterable[object]) -> list[int]:
    """Return the number of each case's group, in the order in which the groups come."""
    known: dict[object, int] = {}
    return [
        known.setdefault(object() if is_missing(label) else label, len(known)) for label in groups
    ]


def is_missing(label: object) -> bool:
    """Return whether a label is None or NaN."""
    return label is None or (isinstance(label, float) and label != label)
