"""Which of two answers a judge prefers, asked in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cbai_notebook.evaluation.comparison import Comparison, Estimate, compare_differences, estimate
from cbai_notebook.evaluation.intervals import Array
from cbai_notebook.evaluation.number_texts import NO_VALUE, estimate_text, percent_text
from cbai_notebook.evaluation.verdict import Verdict, verdict_of
from cbai_notebook.i18n import Words, say

MOST_FLIPPED = 0.3
"""Above this share of flipped cases the judge decides by the order of the answers."""


class BothOrders(NamedTuple):
    """What a judge said of a variant and a baseline, in both orders; shape (cases,) each.

    1 is "the first answer is better", -1 "the second", 0 "neither"; NaN or None where the judge
    failed.

    Attributes:
        variant_first: With the variant's answer first.
        baseline_first: With the baseline's answer first.
    """

    variant_first: ArrayLike
    baseline_first: ArrayLike


@dataclass(frozen=True)
class Preference:
    """How often a judge prefers a variant to the baseline.

    Attributes:
        comparison: Won less lost cases, as a share of all: its interval and test.
        share: The share of cases that the variant wins among those that are decided.
        flipped: The share of cases in which the two orders disagree. They are ties.
        wins: The number of cases in which both orders prefer the variant.
        losses: The number of cases in which both orders prefer the baseline.
        ties: The number of the other cases.
    """

    comparison: Comparison
    share: Estimate
    flipped: Estimate
    wins: int
    losses: int
    ties: int

    @property
    def verdict(self) -> Verdict:
        """The verdict in words, with the interval of won less lost cases."""
        found = verdict_of(self.comparison)
        if self.flipped.value > MOST_FLIPPED:
            return Verdict("not_told_apart", found.interval, say("evaluation.not_told_apart"))
        return found

    @property
    def words(self) -> Words:
        """The counts as a text: ``"54 % [46–62] of 143, 57 ties (28 % flipped)"``."""
        share, flipped = self.share, self.flipped
        return say(
            "evaluation.preferred",
            share=estimate_text(share.value, share.low, share.high, is_share=True),
            decided=f"{share.n:,}",
            ties=f"{self.ties:,}",
            flipped=percent_text(flipped.value) if flipped.n else NO_VALUE,
        )


def outcomes(judged: BothOrders) -> tuple[Array, Array]:
    """Return the outcome of each case, and whether its orders disagree.

    Returns:
        1 if both orders prefer the variant, -1 if both prefer the baseline, else 0; and 1 if the
        orders disagree, else 0. Both are NaN where the judge failed in one order; shape (cases,).
    """
    one = np.asarray(judged.variant_first, float)
    other = -np.asarray(judged.baseline_first, float)
    missing = np.isnan(one) | np.isnan(other)
    agree = one == other
    outcome: Array = np.where(missing, np.nan, np.where(agree, one, 0.0))
    flipped: Array = np.where(missing, np.nan, ~agree)
    return outcome, flipped


def preferences(
    judged: Mapping[str, BothOrders], *, groups: Iterable[object] | None = None
) -> dict[str, Preference]:
    """Return how often a judge prefers each variant to the baseline.

    Args:
        judged: What the judge said of each variant.
        groups: The label of each case's group, such as its user; None if cases are independent.
    """
    labels = None if groups is None else list(groups)
    found = {name: outcomes(each) for name, each in judged.items()}
    won = {name: np.where(each == 0, np.nan, (each + 1) / 2) for name, (each, _) in found.items()}
    compared = compare_differences({name: each for name, (each, _) in found.items()}, groups=labels)
    shares = estimate(won, groups=labels)
    flips = estimate({name: each for name, (_, each) in found.items()}, groups=labels)
    return {
        name: Preference(
            comparison,
            shares[name],
            flips[name],
            wins=comparison.better,
            losses=comparison.worse,
            ties=comparison.n - comparison.better - comparison.worse,
        )
        for name, comparison in compared.items()
    }
