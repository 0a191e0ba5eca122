"""The answers of one variant: what each case got, and what the checks say of it."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cbai_notebook.batching.job import Batch
from cbai_notebook.batching.outcome import Outcome
from cbai_notebook.batching.results import Place
from cbai_notebook.batching.row_errors import reason_of
from cbai_notebook.errors import UsageError
from cbai_notebook.evaluation.cases import Cases
from cbai_notebook.evaluation.checks import Check, Row
from cbai_notebook.evaluation.intervals import Array
from cbai_notebook.i18n import listed, say
from cbai_notebook.text import one_line

_LONGEST_ERROR = 300


@dataclass
class Answers:
    """The answers of one variant.

    Attributes:
        name: The name of the variant, with that of its model where there are several.
        variant: The name of the variant alone.
        model: The name of the model.
        outcomes: What each case got, one for each sample; None where it was not asked.
        scores: For each check the score of each answer, NaN where there is none; shape (cases, samples).
        errors: Why an answer counts as wrong, by case and sample: it failed, or a check could not read it.
        notes: The reasons that judges gave, by judge, case and sample.
        verdicts: What judges said of the first sample, True, False or a grade, by judge and case.
    """

    name: str
    variant: str
    model: str
    outcomes: list[list[Outcome | None]]
    scores: dict[str, Array] = field(default_factory=dict)
    errors: dict[Place, str] = field(default_factory=dict)
    notes: dict[str, dict[Place, str]] = field(default_factory=dict)
    verdicts: dict[tuple[str, int], bool | int] = field(default_factory=dict)

    @classmethod
    def none_yet(cls, name: str, variant: str, model: str, cases: int, samples: int) -> Answers:
        """Return what a variant has before it was asked."""
        return cls(name, variant, model, [[None] * samples for _ in range(cases)])

    def put(self, found: Sequence[tuple[Place, Outcome]]) -> None:
        """Put some outcomes into their places."""
        for (case, sample), outcome in found:
            self.outcomes[case][sample] = outcome
            if outcome.error:
                self.errors[case, sample] = str(outcome.error)

    def end(self, batch: Batch) -> None:
        """Take those out that have failed only because the batch was stopped: they were not asked."""
        if batch.error is None:
            return
        reason = str(reason_of(batch.error))
        for (case, sample), error in list(self.errors.items()):
            if error == reason:
                self.outcomes[case][sample] = None
                del self.errors[case, sample]

    def asked(self) -> Iterator[tuple[Place, Outcome]]:
        """Yield the outcomes of the cases that were asked."""
        for case, samples in enumerate(self.outcomes):
            for sample, outcome in enumerate(samples):
                if outcome is not None:
                    yield (case, sample), outcome

    def answered(self) -> Iterator[tuple[Place, Any]]:
        """Yield the answers of the cases that have one: the text, or the value of a type."""
        for place, outcome in self.asked():
            if not outcome.error:
                yield place, answer_of(outcome)

    def empty_scores(self) -> Array:
        """Return scores that are all missing; shape (cases, samples)."""
        return np.full((len(self.outcomes), len(self.outcomes[0])), np.nan)

    def wrong_where_failed(self) -> Array:
        """Return scores that are 0 where an answer failed, and missing elsewhere."""
        scores = self.empty_scores()
        for place, outcome in self.asked():
            if outcome.error:
                scores[place] = 0.0
        return scores

    def run_check(self, check: Check, cases: Cases) -> Exception | None:
        """Let a check look at every answer.

        Returns:
            The error of the check, if every answer raised one.

        Raises:
            UsageError: The check returned something else than a score.
        """
        scores = self.scores[check.name] = self.wrong_where_failed()
        if check.column:
            for case, row in enumerate(cases.rows):
                if row[check.column] is None:
                    scores[case] = np.nan
        raised: list[Exception] = []
        count = 0
        for place, answer in self.answered():
            count += 1
            try:
                said = check(answer, cases.rows[place[0]])
            # The function is the user's and may raise anything, as where an answer is no JSON.
            except Exception as error:  # noqa: BLE001
                raised.append(error)
                problem = f"{check.name}: {type(error).__name__}: {error}"
                self.errors.setdefault(place, one_line(problem, _LONGEST_ERROR))
                scores[place] = 0.0
            else:
                scores[place] = _score(said, check.name)
        return raised[0] if raised and len(raised) == count else None


def answer_of(outcome: Outcome) -> Any:
    """Return the value of an answer with a type, or its text."""
    if outcome.value is not None or outcome.answer is None:
        return outcome.value
    return outcome.answer.text


def find_variant(answers: Sequence[Answers], name: str) -> Answers:
    """Return the answers of a variant; of several models, those of the first.

    Args:
        answers: Those of all variants.
        name: The name of a variant, with or without that of its model.

    Raises:
        UsageError: There is no such variant.
    """
    for each in answers:
        if name in (each.name, each.variant):
            return each
    names = listed(each.name for each in answers)
    raise UsageError(say("evaluate.no_variant", name=repr(name), names=names))


def _score(said: object, name: str) -> float:
    """Return what a check said as a number; NaN for None.

    Raises:
        UsageError: It is none.
    """
    if said is None:
        return np.nan
    if isinstance(said, (bool, np.bool_, numbers.Real)):
        value = float(said)
        if not np.isinf(value):
            return value
    raise UsageError(say("evaluate.no_score", name=name, value=one_line(repr(said), 60)))


def check_of(given: Check | Callable[[Any, Row], Any]) -> Check:
    """Return a check with a name.

    Raises:
        UsageError: It cannot be called.
    """
    if isinstance(given, Check):
        return given
    if not callable(given):
        raise UsageError(say("evaluate.no_check", kind=type(given).__name__))
    name = getattr(given, "__name__", "check")
    return Check("check" if name == "<lambda>" else name, given)
