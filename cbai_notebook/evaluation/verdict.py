"""What a comparison means, in words and never without its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cbai_notebook.evaluation.comparison import Comparison
from cbai_notebook.evaluation.intervals import ALPHA
from cbai_notebook.evaluation.number_texts import about, difference_text, p_text, size_text
from cbai_notebook.evaluation.power import cases_to_decide, smallest_visible_difference
from cbai_notebook.i18n import Words, say

Kind: TypeAlias = Literal[
    "better", "worse", "no_difference", "too_few", "no_pairs", "not_told_apart"
]

MARGIN = 0.05
"""Differences up to 5 points, or 5 % of the range of other scores, count as none."""


@dataclass(frozen=True)
class Verdict:
    """A verdict in words.

    Attributes:
        kind: ``"better"`` or ``"worse"`` than the baseline; ``"no_difference"`` that matters;
            ``"too_few"`` cases to tell; ``"no_pairs"``: no case has both values;
            ``"not_told_apart"``: the judge decides by the order of the answers.
        interval: The difference and its interval: ``"+6.0 [+1.2, +10.9]"``, in percentage points
            for shares.
        words: The verdict: ``"better (p .017)"``.
    """

    kind: Kind
    interval: str
    words: Words

    def __str__(self) -> str:
        return f"{self.interval} {self.words}"


def verdict_of(comparison: Comparison, margin: float | None = None) -> Verdict:
    """Return what a comparison means.

    A variant is better or worse if the test says so, after Holm's correction, and the interval too.

    Args:
        comparison: The comparison.
        margin: The largest difference that does not matter, in the units of the values; by default
            0.05 for shares, and 5 % of the observed range for other scores.
    """
    scale = comparison.scale
    margin = MARGIN * scale.span if margin is None else margin
    kind = _kind(comparison, margin)
    interval = difference_text(
        comparison.difference, comparison.low, comparison.high, is_share=scale.is_share
    )
    return Verdict(kind, interval, _words(kind, comparison, margin))


def _kind(comparison: Comparison, margin: float) -> Kind:
    if not comparison.n:
        return "no_pairs"
    if comparison.adjusted_p <= ALPHA and not comparison.low <= 0 <= comparison.high:
        return "better" if comparison.difference > 0 else "worse"
    return "no_difference" if _reach(comparison) <= margin else "too_few"


def _reach(comparison: Comparison) -> float:
    """Return the largest difference within the interval, without its sign."""
    return max(abs(comparison.low), abs(comparison.high))


def _words(kind: Kind, comparison: Comparison, margin: float) -> Words:
    scale = comparison.scale
    if kind == "no_pairs":
        return say("evaluation.no_pairs")
    if kind == "no_difference":
        reach = size_text(_reach(comparison), is_share=scale.is_share)
        return say("evaluation.no_difference", size=reach)
    if kind == "too_few":
        # After Holm's correction a smaller p value is needed, and so are more cases.
        alpha = ALPHA * comparison.p / comparison.adjusted_p
        visible = scale.span * smallest_visible_difference(
            comparison.n,
            comparison.mean_square / scale.span**2,
            yes_no=comparison.by_score,
            alpha=alpha,
        )
        return say(
            "evaluation.too_few",
            count=f"{comparison.n:,}",
            visible=size_text(visible, is_share=scale.is_share),
            needed=about(cases_to_decide(comparison, margin, alpha)),
        )
    return say(f"evaluation.is_{kind}", p=p_text(comparison.adjusted_p))
