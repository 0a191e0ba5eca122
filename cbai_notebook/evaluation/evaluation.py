"""The result of an evaluation: its table, its plot, and the questions that it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.result import ColumnKind, ResultColumn, build
from cbai_notebook.batching.results import Place
from cbai_notebook.batching.rows import rows_of
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import RegressionError, UsageError
from cbai_notebook.evaluation.agreement import Agreement, cohens_kappa
from cbai_notebook.evaluation.answers import Answers, answer_of, find_variant
from cbai_notebook.evaluation.best import BestVariant, ShippedPrompt
from cbai_notebook.evaluation.cases import Cases
from cbai_notebook.evaluation.comparison import Comparison, Estimate, compare, estimate
from cbai_notebook.evaluation.intervals import Array
from cbai_notebook.evaluation.plot import plot_axes
from cbai_notebook.evaluation.preference import BothOrders, Preference, preferences
from cbai_notebook.evaluation.report import Counts, Report, plot_rows
from cbai_notebook.evaluation.runs import (
    Earlier,
    StoredEvaluation,
    StoredScores,
    current_time,
    find_earlier,
    keep,
)
from cbai_notebook.evaluation.units import case_means
from cbai_notebook.evaluation.verdict import Verdict, verdict_of
from cbai_notebook.i18n import Words, listed, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT = 0.5
"""A score from here on counts as right, where a case is told to be right or wrong."""


@dataclass(frozen=True)
class Difference:
    """The difference of two variants.

    Attributes:
        comparison: Its numbers: difference, interval, p value, number of cases.
        verdict: What they mean.
    """

    comparison: Comparison
    verdict: Verdict

    def __str__(self) -> str:
        return str(self.verdict)

    def __repr__(self) -> str:
        return f"<Difference: {self.verdict}>"


@dataclass(frozen=True)
class _FrameRow:
    """One answer in the frame."""

    answers: Answers
    place: Place


class Evaluation:
    """What variants have answered, and which of them is better.

    At the end of a cell it shows itself as a table and a plot.

    Args:
        name: Its name.
        cases: The cases.
        answers: The answers of each variant, with the scores of all checks.
        baseline: The name of the variant that the others are compared with.
        prompts: What an app needs of each variant.
        checks: The names of the checks; the first one decides.
        groups: The label of each case's group; None if cases are independent.
        counts: What it has used.
        judged: What a judge said of each variant and the baseline, in both orders.
        judges: The number of judges.
        notes: What is to be said about judges.
        reason: Why it stopped; ``""`` if it did not.
        keys: What the cases are known by in earlier runs.

    Attributes:
        name: Its name.
        baseline: The name of the variant that the others are compared with.
        checks: The names of the checks; the first one decides.
        counts: What it has used: ``requests``, ``known``, ``tokens``.
        notes: Sentences about judges: verdicts that are missing, a judge of the judged model's family.
        reason: Why it stopped; ``""`` if it did not.
    """

    def __init__(
        self,
        name: str,
        cases: Cases,
        answers: Sequence[Answers],
        baseline: str,
        *,
        prompts: Mapping[str, ShippedPrompt],
        checks: Sequence[str],
        groups: Iterable[object] | None = None,
        counts: Counts,
        judged: Mapping[str, BothOrders] | None = None,
        judges: int = 0,
        notes: Sequence[str] = (),
        reason: str = "",
        keys: Sequence[bytes] = (),
    ) -> None:
        self.name = name
        self.baseline = baseline
        self.checks = tuple(checks)
        self.counts = counts
        self.reason = reason
        self.notes = tuple(notes)
        self._cases = cases
        self._answers = answers
        self._judged = judged or {}
        self._judges = judges
        self._keys = keys
        self._prompts = prompts
        self._earlier: Mapping[str, Earlier] = {}
        self._groups = None if groups is None else list(groups)

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the variants."""
        return tuple(each.name for each in self._answers)

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self._cases)

    # Numbers

    @cached_property
    def estimates(self) -> dict[str, dict[str, Estimate]]:
        """For each check the mean of each variant with its interval."""
        return {check: estimate(self._scores(check), groups=self._groups) for check in self.checks}

    @cached_property
    def comparisons(self) -> dict[str, Comparison]:
        """The difference of each variant and the baseline, by the first check."""
        return compare(self._scores(self.checks[0]), self.baseline, groups=self._groups)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What the difference of each variant and the baseline means, by the first check."""
        return {name: verdict_of(each) for name, each in self.comparisons.items()}

    @cached_property
    def preferences(self) -> dict[str, Preference]:
        """How often the judge of ``prefer`` prefers each variant to the baseline."""
        return preferences(self._judged, groups=self._groups)

    def agreement(self, human: str, check: str = "", variant: str = "") -> Agreement:
        """Return how well a judge agrees with a person, as Cohen's κ with its interval.

        Args:
            human: The column with the person's verdict on the variant's answer: True or False, or the
                grade where the judge gives grades; a case without one is left out.
            check: The judge; by default the first one.
            variant: The variant whose answers the person has seen; by default the baseline.

        Raises:
            UsageError: There is no such column, judge or variant.
        """
        answers = self._of(variant or self.baseline)
        if not answers.notes:
            raise UsageError(say("evaluate.no_judge"))
        name = self._check(check or next(iter(answers.notes)))
        if name not in answers.notes:
            raise UsageError(
                say("evaluate.no_such_check", name=repr(name), names=listed(answers.notes))
            )
        said = [answers.verdicts.get((name, case)) for case in range(len(self))]
        return cohens_kappa(said, self._cases.column(human, "human"))

    def errors(self, variant: str) -> int:
        """Return how many answers of a variant count as wrong because they failed or cannot be read."""
        return len(self._of(variant).errors)

    def best(self, check: str = "") -> BestVariant:
        """Return the variant with the highest mean, to ship it: ``ev.best().export("mini-program")``.

        Another variant may be as good: `verdicts` and `difference` say whether they can be told apart.

        Args:
            check: The check; by default the first one.

        Raises:
            UsageError: There is no such check, or no variant has a score.
        """
        name = self._check(check)
        found = {variant: each for variant, each in self.estimates[name].items() if each.n}
        if not found:
            raise UsageError(say("evaluate.no_scores", check=name))
        best = max(found, key=lambda variant: found[variant].value)
        return BestVariant(best, name, found[best], self._prompts[best])

    def difference(self, variant: str, than: str = "", check: str = "") -> Difference:
        """Compare two variants.

        Args:
            variant: The variant.
            than: The other one; by default the baseline.
            check: The check; by default the first one.

        Returns:
            The first less the second: it is positive where the first one is better.

        Raises:
            UsageError: There is no such variant or check.
        """
        one, other = self._of(variant).name, self._of(than or self.baseline).name
        if one == other:
            raise UsageError(say("evaluate.same_variant", name=repr(one)))
        scores = self._scores(self._check(check))
        pair = {one: scores[one], other: scores[other]}
        found = compare(pair, other, groups=self._groups)[one]
        return Difference(found, verdict_of(found))

    # Other runs

    def store(self) -> None:
        """Compare this run with the earlier ones of its name, and store it.

        Raises:
            HistoryError: The stored runs cannot be used.
        """
        run = StoredEvaluation(0, self.name, current_time(), self._keys, self._results())
        self._earlier = find_earlier(run)
        keep(run)

    def _results(self) -> list[StoredScores]:
        return [
            StoredScores(
                answers.name,
                answers.model,
                check,
                found.value,
                found.low,
                found.high,
                found.n,
                len(answers.errors),
                case_means(answers.scores[check]),
            )
            for check in self.checks
            for answers in self._answers
            for found in (self.estimates[check][answers.name],)
        ]

    def flips(self, variant: str = "", than: str = "", check: str = "") -> Any:
        """Return the cases that were right and are wrong, or the other way round.

        Args:
            variant: The variant; by default all of them.
            than: Another variant of this evaluation to compare with; by default the last run of the same
                name in which the variant had other scores.
            check: The check; by default the first one.

        Returns:
            The cases, as the type of the input, with ``variant``, ``change`` (``"broke"`` or
            ``"mended"``), ``was`` and ``now`` (the scores) and ``answer`` (that of now).

        Raises:
            UsageError: There is no such variant or check.
        """
        name = self._check(check)
        answers = [self._of(variant)] if variant else self._answers
        found = [
            (each, case, was, is_now)
            for each in answers
            for case, (was, is_now) in enumerate(
                zip(self._before(each, than, name), case_means(each.scores[name]), strict=True)
            )
            if _flipped(was, is_now)
        ]
        values: dict[str, tuple[ColumnKind, list[Any]]] = {
            "variant": (ColumnKind.TEXT, [each.name for each, *_ in found]),
            "change": (
                ColumnKind.TEXT,
                ["broke" if is_now < was else "mended" for *_, was, is_now in found],
            ),
            "was": (ColumnKind.NUMBER, [float(was) for *_, was, _ in found]),
            "now": (ColumnKind.NUMBER, [float(is_now) for *_, is_now in found]),
            "answer": _answer_column([each.outcomes[case][0] for each, case, *_ in found]),
        }
        return self._build([case for _, case, *_ in found], values)

    def assert_not_worse(
        self, variant: str, than: str = "", *, by: float = 0.0, check: str = ""
    ) -> Difference:
        """Raise an error if a variant is worse than it was, for a notebook that a build server runs.

        Args:
            variant: The variant.
            than: Another variant of this evaluation to compare with; by default the last run of the same
                name in which the variant had other scores.
            by: How much worse the mean may be, in the units of the scores: 0.02 are 2 percentage points.
            check: The check; by default the first one.

        Returns:
            The difference of now and before.

        Raises:
            RegressionError: The mean is lower by more than that. The message has the interval.
            UsageError: There is no such variant or check, or no earlier run to compare with.
        """
        name, answers = self._check(check), self._of(variant)
        before = self._before(answers, than, name)
        if np.isnan(before).all():
            raise UsageError(say("evaluate.no_earlier", name=repr(answers.name)))
        pair = {"now": answers.scores[name], "before": before}
        found = compare(pair, "before", groups=self._groups)["now"]
        difference = Difference(found, verdict_of(found))
        if found.difference < -by - 1e-9:
            raise RegressionError(
                say(
                    "evaluate.is_worse",
                    name=repr(answers.name),
                    check=name,
                    difference=difference.verdict,
                    n=found.worse,
                    broke=f"{found.worse:,}",
                )
            )
        return difference

    def _before(self, answers: Answers, than: str, check: str) -> Array:
        """Return the scores to compare those of a variant with; shape (cases,)."""
        if than:
            return case_means(self._of(than).scores[check])
        earlier = self._earlier.get(answers.name)
        if earlier is None:
            return np.full(len(self), np.nan)
        return earlier.scores[check]

    def _changes(self) -> list[Words]:
        """Return for each variant how many cases an earlier run had otherwise."""
        found = []
        check = self.checks[0]
        for answers in self._answers:
            if answers.name not in self._earlier:
                continue
            scores = case_means(answers.scores[check])
            pairs = list(zip(self._before(answers, "", check), scores, strict=True))
            broke = sum(_flipped(was, now) and now < was for was, now in pairs)
            mended = sum(_flipped(was, now) and now > was for was, now in pairs)
            if broke or mended:
                ended = in_zone(self._earlier[answers.name].ended)
                found.append(
                    say(
                        "evaluate.since",
                        name=answers.name,
                        when=f"{ended:%Y-%m-%d %H:%M}",
                        broke=say("evaluate.broke", n=broke, count=f"{broke:,}"),
                        mended=f"{mended:,}",
                    )
                )
        return found

    def _of(self, variant: str) -> Answers:
        return find_variant(self._answers, variant)

    def _check(self, name: str) -> str:
        """Return the name of a check; by default the first one.

        Raises:
            UsageError: There is no such check.
        """
        if name and name not in self.checks:
            names = listed(self.checks)
            raise UsageError(say("evaluate.no_such_check", name=repr(name), names=names))
        return name or self.checks[0]

    def _scores(self, check: str) -> dict[str, Array]:
        return {each.name: each.scores[check] for each in self._answers}

    # Answers

    @cached_property
    def frame(self) -> Any:
        """All answers, one row for each, as the type of the cases.

        Behind the columns of the case are ``variant``, ``model``, ``sample`` (where there are several),
        ``answer``, ``error``, ``known`` and one column for each check. Where the cases have such a column,
        the new one has an underscore behind its name.
        """
        return self._frame_of(self._rows())

    def failures(self, variant: str = "", check: str = "") -> Any:
        """Return the answers that are wrong, as rows of `frame`.

        Args:
            variant: The variant; by default all of them.
            check: The check; by default an answer is wrong where one of them says so.

        Raises:
            UsageError: There is no such variant or check.
        """
        answers = [self._of(variant)] if variant else self._answers
        checks = [self._check(check)] if check else self.checks
        return self._frame_of(
            row
            for row in self._rows(answers)
            if any(row.answers.scores[name][row.place] < RIGHT for name in checks)
        )

    def _rows(self, answers: Sequence[Answers] | None = None) -> list[_FrameRow]:
        every = self._answers if answers is None else answers
        return [_FrameRow(each, place) for each in every for place, _ in each.asked()]

    def _frame_of(self, found: Iterable[_FrameRow]) -> Any:
        rows = list(found)
        values: dict[str, tuple[ColumnKind, list[Any]]] = {
            "variant": (ColumnKind.TEXT, [row.answers.name for row in rows]),
            "model": (ColumnKind.TEXT, [row.answers.model for row in rows]),
            "sample": (ColumnKind.INTEGER, [row.place[1] for row in rows]),
        }
        outcomes = [row.answers.outcomes[row.place[0]][row.place[1]] for row in rows]
        values["answer"] = _answer_column(outcomes)
        values["error"] = (
            ColumnKind.TEXT,
            [row.answers.errors.get(row.place) for row in rows],
        )
        values["known"] = (ColumnKind.FLAG, [one is not None and one.known for one in outcomes])
        rows_notes = self._answers[0].notes
        for check in self.checks:
            scores = [float(row.answers.scores[check][row.place]) for row in rows]
            values[check] = _column(scores)
            if check in rows_notes:
                said = [row.answers.notes[check].get(row.place) for row in rows]
                values[f"{check} reason"] = (ColumnKind.TEXT, said)
        if all(len(each.outcomes[0]) == 1 for each in self._answers):
            del values["sample"]
        return self._build([row.place[0] for row in rows], values)

    def _build(
        self, cases: Sequence[int], values: Mapping[str, tuple[ColumnKind, list[Any]]]
    ) -> Any:
        """Return cases with new columns, as the type of the input."""
        columns = {self._cases.free_name(name): found for name, found in values.items()}
        return build(
            rows_of(self._cases.take(cases)),
            [ResultColumn(name, kind, lambda _: None) for name, (kind, _) in columns.items()],
            {name: found for name, (_, found) in columns.items()},
        )

    # What it shows

    def plot(self, check: str = "", axes: Axes | None = None) -> Axes:
        """Plot the means and their intervals with matplotlib.

        Args:
            check: The check; by default the first one.
            axes: Where to plot; a new figure by default.

        Raises:
            UsageError: There is no such check.
            MissingDependencyError: matplotlib is not installed.
        """
        name = self._check(check)
        found = self.estimates[name]
        is_share = all(each.is_share for each in found.values())
        rows = plot_rows(found, self.baseline)
        return plot_axes(rows, title=name, is_share=is_share, axes=axes)

    def _report(self) -> Report:
        return Report(
            self.name,
            len(self._cases),
            self.counts,
            self.baseline,
            self.estimates,
            self.verdicts,
            {each.name: list(each.errors.values()) for each in self._answers},
            self.preferences,
            self._judges,
            [*self.notes, *self._changes()],
            self.reason,
        )

    def __repr__(self) -> str:
        return self._report().text

    def _repr_html_(self) -> str:
        return self._report().html


def _flipped(was: float, now: float) -> bool:
    """Return whether a case was right and is wrong, or the other way round; missing scores are neither."""
    return was == was and now == now and (was >= RIGHT) != (now >= RIGHT)


def _answer_column(outcomes: Sequence[Outcome | None]) -> tuple[ColumnKind, list[Any]]:
    """Return the kind and the values of a column of answers; those that failed are missing."""
    answers = [None if one is None or one.error else answer_of(one) for one in outcomes]
    is_text = all(one is None or isinstance(one, str) for one in answers)
    return ColumnKind.TEXT if is_text else ColumnKind.NESTED, answers


def _column(scores: list[float]) -> tuple[ColumnKind, list[Any]]:
    """Return the kind and the values of a column of scores: yes and no where all are 0 or 1."""
    present = {score for score in scores if score == score}
    if present <= {0.0, 1.0}:
        return ColumnKind.FLAG, [bool(score) if score == score else None for score in scores]
    return ColumnKind.NUMBER, [score if score == score else None for score in scores]
