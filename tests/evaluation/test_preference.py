"""Which answer a judge prefers, asked in both orders."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbai_notebook.evaluation.preference import BothOrders, Preference, preferences

NAN = math.nan
FIRST, SECOND, NEITHER = 1, -1, 0


def preferred(
    variant_first: list[float], baseline_first: list[float], groups: list[object] | None = None
) -> Preference:
    return preferences({"new": BothOrders(variant_first, baseline_first)}, groups=groups)["new"]


def of_counts(wins: int, losses: int, flipped: int, neither: int = 0) -> Preference:
    return preferred(
        [FIRST] * wins + [SECOND] * losses + [FIRST] * flipped + [NEITHER] * neither,
        [SECOND] * wins + [FIRST] * losses + [FIRST] * flipped + [NEITHER] * neither,
    )


@pytest.mark.parametrize("always", [FIRST, SECOND])
def test_a_judge_that_always_says_the_same_gives_ties_only(always: int) -> None:
    found = preferred([always] * 50, [always] * 50)
    assert (found.wins, found.losses, found.ties) == (0, 0, 50)
    assert found.flipped.value == 1
    assert found.verdict.kind == "not_told_apart"
    assert str(found.verdict) == "0.0 [−7.1, +7.1] the judge does not tell them apart"
    assert found.words == "– of 0, 50 ties (100 % flipped)"


def test_a_preference_is_a_share_of_the_decided_cases() -> None:
    found = of_counts(77, 66, 56, 1)
    assert (found.wins, found.losses, found.ties) == (77, 66, 57)
    assert found.share.n == 143
    assert found.words == "54 % [46–62] of 143, 57 ties (28 % flipped)"
    assert found.words.in_language("zh") == "143 个中占 54 % [46–62]，57 个平局（28 % 随顺序改变）"
    assert found.verdict.kind == "too_few"


def test_a_clear_preference_is_better_or_worse() -> None:
    assert str(of_counts(60, 30, 10).verdict) == "+30.0 [+11.6, +46.3] better (p .002)"
    assert of_counts(30, 60, 10).verdict.kind == "worse"


def test_above_30_percent_of_flips_the_judge_does_not_tell_them_apart() -> None:
    assert of_counts(60, 10, 30).verdict.kind == "better"
    assert of_counts(59, 10, 31).verdict.kind == "not_told_apart"
    assert "评判模型" in of_counts(59, 10, 31).verdict.words.in_language("zh")


def test_a_tie_in_one_order_alone_is_a_flip() -> None:
    found = preferred([FIRST, NEITHER], [NEITHER, FIRST])
    assert (found.ties, found.flipped.value) == (2, 1)


def test_where_the_judge_failed_in_one_order_there_is_no_outcome() -> None:
    found = preferred([FIRST, NAN, FIRST], [SECOND, FIRST, NAN])
    assert (found.comparison.n, found.wins, found.ties) == (1, 1, 0)
    nothing = preferred([NAN], [FIRST])
    assert nothing.verdict.kind == "no_pairs"
    assert nothing.words == "– of 0, 0 ties (– flipped)"


def test_several_variants_are_adjusted_together() -> None:
    judged = BothOrders([FIRST] * 30 + [SECOND] * 15, [SECOND] * 30 + [FIRST] * 15)
    found = preferences({"a": judged, "b": judged})
    assert found["a"].comparison.adjusted_p == pytest.approx(2 * found["a"].comparison.p)


def test_outcomes_in_groups_are_flipped_by_group() -> None:
    users = [case // 10 for case in range(60)]
    found = preferred([FIRST] * 60, [SECOND] * 60, list(users))
    assert found.comparison.p == pytest.approx(1 / 2**6)


said = st.sampled_from([FIRST, SECOND, NEITHER, NAN])


@settings(max_examples=40)
@given(st.lists(st.tuples(said, said), min_size=1, max_size=40))
def test_swapping_the_two_answers_swaps_wins_and_losses(cases: list[tuple[float, float]]) -> None:
    first, second = (list(each) for each in zip(*cases, strict=True))
    found, swapped = preferred(first, second), preferred(second, first)
    assert (found.wins, found.losses) == (swapped.losses, swapped.wins)
    assert found.ties == swapped.ties
    assert found.flipped == swapped.flipped or not found.comparison.n
    assert found.wins + found.losses == found.share.n
    assert found.wins + found.losses + found.ties == found.comparison.n


def test_a_judge_at_random_is_rarely_sure() -> None:
    random = np.random.default_rng(7)
    judged = {str(n): BothOrders(*random.choice([1, -1], size=(2, 100))) for n in range(200)}
    kinds = [each.verdict.kind for each in preferences(judged).values()]
    assert set(kinds) == {"not_told_apart"}
