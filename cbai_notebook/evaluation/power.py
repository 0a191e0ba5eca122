"""How small a difference so many cases can see, and how many cases a difference needs.

"See" means: the test finds it in 80 % of all evaluations.
"""

from __future__ import annotations

import math

from scipy import special

from cbai_notebook.evaluation.comparison import Comparison
from cbai_notebook.evaluation.intervals import ALPHA, Z

_POWER = 0.8
_HALVINGS = 50


def needed_cases(
    difference: float, mean_square: float, *, yes_no: bool, alpha: float = ALPHA
) -> float:
    """Return how many cases the test needs to see a difference.

    Args:
        difference: The true difference, 0 to 1, without its sign.
        mean_square: The mean of the squared differences of the cases; for yes/no values the share
            of cases that differ.
        yes_no: Whether the difference of a case is -1, 0 or 1. Then at least as many cases differ
            as the difference says.
        alpha: The share of false alarms of the test.

    Returns:
        The number of cases; infinite for no difference.

    Connor (1987), Sample size for testing differences in proportions for the paired-sample design,
    Biometrics 43. With the mean square for the share of discordant pairs it holds for graded values
    too.
    """
    if not difference:
        return math.inf
    square = max(mean_square, difference if yes_no else difference**2)
    by_test = special.ndtri(1 - alpha / 2) * math.sqrt(square)
    by_power = special.ndtri(_POWER) * math.sqrt(max(square - difference**2, 0))
    ratio = float(by_test + by_power) / difference
    return ratio * ratio  # infinite for the smallest differences, where `**` would be an error


def smallest_visible_difference(
    cases: int, mean_square: float, *, yes_no: bool, alpha: float = ALPHA
) -> float:
    """Return the smallest difference that so many cases can see, 0 to 1.

    The arguments are those of :func:`needed_cases`.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        visible = needed_cases(middle, mean_square, yes_no=yes_no, alpha=alpha) <= cases
        low, high = (low, middle) if visible else (middle, high)
    return high


def cases_to_decide(comparison: Comparison, margin: float, alpha: float = ALPHA) -> float:
    """Return about how many cases decide whether there is a difference, if the observed is true.

    With so many cases the test sees the observed difference, or the interval stays within the
    margin, whichever takes fewer.

    Args:
        comparison: The comparison.
        margin: The largest difference that does not matter, in the units of the values.
        alpha: The share of false alarms of the test.

    Returns:
        The number of cases, more than the comparison has.
    """
    span = comparison.scale.span
    difference, within = abs(comparison.difference) / span, margin / span
    square, yes_no = comparison.mean_square / span**2, comparison.by_score
    needed = needed_cases(difference, square, yes_no=yes_no, alpha=alpha)
    if difference < within:
        # The half width of the interval has to fit between the difference and the margin. Where no
        # case differs, the score interval still reaches Z² / (n + Z²).
        variance = max(square - difference**2, 0)
        to_exclude = max(variance * (Z / (within - difference)) ** 2, Z**2 * (1 / within - 1))
        needed = min(needed, to_exclude)
    return max(needed, comparison.n + 1)
