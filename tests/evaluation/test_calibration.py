"""How often the statistics err: counted exactly where possible, else by simulation with a seed.

The goals: a test sees a difference in 4 to 6 % of evaluations without one, and an interval holds
the true value in 93 to 97 %.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from cbai_notebook.evaluation.comparison import Comparison, compare_differences, estimate
from cbai_notebook.evaluation.intervals import tango_interval, wilson_interval
from cbai_notebook.evaluation.paired_tests import holm, mid_p_mcnemar, sign_flip_test

TRIALS = 1000  # in each of two parts, since all resamples of a part are in memory at once


def false_alarms(found: dict[str, Comparison]) -> float:
    """Return in how many trials both the test and the interval see a difference."""
    seen = [each.p <= 0.05 and not each.low <= 0 <= each.high for each in found.values()]
    return float(np.mean(seen))


def coverage(found: dict[str, Comparison], truth: float = 0.0) -> float:
    return float(np.mean([each.low <= truth <= each.high for each in found.values()]))


def trials(draw: Callable[[tuple[int, int]], np.ndarray], cases: int) -> dict[str, np.ndarray]:
    """Return differences of many trials."""
    return {str(trial): column for trial, column in enumerate(draw((cases, TRIALS)).T)}


# Yes/no values, counted exactly. With 30 cases and fewer than 9 that differ, mid-p is below 4 %:
# too few results are possible.
@pytest.mark.parametrize("differing", [0.3, 0.5])
@pytest.mark.parametrize("cases", [30, 100, 300])
def test_yes_and_no_values_of_alike_variants(cases: int, differing: float) -> None:
    pairs = [(b, total - b) for total in range(cases + 1) for b in range(total + 1)]
    gained, lost = np.array(pairs).T
    chance = stats.binom.pmf(gained + lost, cases, differing)
    chance *= stats.binom.pmf(gained, gained + lost, 0.5)
    low, high = tango_interval(gained, lost, np.full(len(pairs), cases))
    refused = mid_p_mcnemar(gained, lost) <= 0.05
    without_0 = (low > 0) | (high < 0)
    assert 0.04 <= chance[refused].sum() <= 0.06
    assert 0.93 <= chance[~without_0].sum() <= 0.97
    assert not (refused & ~without_0).any(), "a verdict never contradicts its interval"


@pytest.mark.parametrize("cases", [30, 100, 300])
@pytest.mark.parametrize(("gain", "loss"), [(0.10, 0.05), (0.20, 0.10), (0.25, 0.15)])
def test_the_interval_of_a_difference_of_yes_and_no_values(
    cases: int, gain: float, loss: float
) -> None:
    gained, lost = np.array(
        [(b, c) for b in range(cases + 1) for c in range(cases + 1 - b) if b + c <= 0.7 * cases]
    ).T
    chance = stats.multinomial.pmf(
        np.stack([gained, lost, cases - gained - lost], axis=1),
        cases,
        [gain, loss, 1 - gain - loss],
    )
    low, high = tango_interval(gained, lost, np.full(len(gained), cases))
    assert 0.93 <= chance[(low <= gain - loss) & (gain - loss <= high)].sum() <= 0.97


@pytest.mark.parametrize("cases", [30, 100, 300])
def test_the_interval_of_a_share(cases: int) -> None:
    # For one share the coverage goes up and down with it, since counts are whole: the mean counts,
    # as in Brown, Cai, DasGupta (2001), Interval estimation for a binomial proportion,
    # Statistical Science 16.
    right = np.arange(cases + 1)
    low, high = wilson_interval(right / cases, np.full(cases + 1, cases))
    truths = np.linspace(0.05, 0.95, 91)
    covered = [
        stats.binom.pmf(right, cases, truth)[(low <= truth) & (truth <= high)].sum()
        for truth in truths
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.005)
    assert np.min(covered) > 0.92


def judged(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return differences of a judge's scores of two alike variants, whose scores hang together."""
    ease = random.beta(4, 1.5, shape)
    one, other = (np.clip(ease + random.normal(0, 0.15, shape), 0, 1) for _ in range(2))
    return one - other


def sampled(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return differences of the means of three yes/no samples of two alike variants."""
    ease = random.beta(2, 1, shape)
    return (random.binomial(3, ease) - random.binomial(3, ease)) / 3


@pytest.mark.parametrize("draw", [judged, sampled])
@pytest.mark.parametrize("cases", [30, 100, 300])
def test_graded_values_of_alike_variants(
    cases: int, draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
) -> None:
    random = np.random.default_rng(cases)
    found = [
        compare_differences(trials(lambda shape: draw(random, shape), cases)) for _ in range(2)
    ]
    assert 0.04 <= np.mean([false_alarms(part) for part in found]) <= 0.06
    assert 0.93 <= np.mean([coverage(part) for part in found]) <= 0.97


@pytest.mark.parametrize("cases", [30, 100, 300])
def test_the_interval_of_a_graded_mean(cases: int) -> None:
    random = np.random.default_rng(cases)
    scores = trials(lambda shape: random.beta(4, 1.5, shape), cases)
    found = estimate(scores).values()
    assert 0.93 <= np.mean([each.low <= 4 / 5.5 <= each.high for each in found]) <= 0.97


@pytest.mark.parametrize("users", [30, 100])
def test_groups_of_cases_that_hang_together(users: int) -> None:
    # Five cases of each user, who likes one variant or the other: taken as independent, every fifth
    # evaluation is a false alarm.
    random = np.random.default_rng(users)
    groups = np.repeat(np.arange(users), 5)

    def draw(shape: tuple[int, int]) -> np.ndarray:
        taste = np.repeat(random.normal(0, 0.1, (users, shape[1])), 5, axis=0)
        return taste + random.normal(0, 0.15, shape)

    differences = trials(draw, 5 * users)
    found = compare_differences(differences, groups=groups)
    assert 0.04 <= false_alarms(found) <= 0.06
    assert 0.93 <= coverage(found) <= 0.97
    assert np.mean(sign_flip_test(np.column_stack(list(differences.values()))) <= 0.05) > 0.15


def test_many_alike_variants_give_a_false_alarm_in_at_most_five_percent() -> None:
    # Five variants share the cases and the baseline, so their tests hang together.
    random = np.random.default_rng(2)
    cases, variants = 60, 5
    base = np.repeat(random.normal(size=(cases, TRIALS)), variants, axis=1)
    differences = random.normal(size=base.shape) - base
    p = sign_flip_test(differences).reshape(TRIALS, variants)
    assert (p <= 0.05).any(axis=1).mean() > 0.1
    assert 0.03 <= np.mean([(holm(each) <= 0.05).any() for each in p]) <= 0.06
