"""``cbai.evaluate``: several prompts, and models, on the same cases."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.batching.batch import BatchWarning
from cbai_notebook.batching.job import CONCURRENCY, Batch, BatchOptions
from cbai_notebook.batching.reporters import Reporter, reporter_for
from cbai_notebook.batching.row_errors import nothing_sent
from cbai_notebook.batching.runs import COMPLETE, EVALUATION, INTERRUPTED, STOPPED
from cbai_notebook.bridge import run, stopped_in_one_line
from cbai_notebook.client.budget import Spending
from cbai_notebook.errors import BudgetError, ConfigurationError, MissingDependencyError, UsageError
from cbai_notebook.evaluation.answers import Answers, check_of, find_variant
from cbai_notebook.evaluation.best import ShippedPrompt
from cbai_notebook.evaluation.cases import Cases
from cbai_notebook.evaluation.checks import Check, Judge, Prefer
from cbai_notebook.evaluation.evaluation import Evaluation
from cbai_notebook.evaluation.judging import GradingJudge, PairJudge
from cbai_notebook.evaluation.preference import BothOrders
from cbai_notebook.evaluation.report import Counts
from cbai_notebook.evaluation.total_progress import TotalProgress
from cbai_notebook.i18n import Words, say

if TYPE_CHECKING:
    from cbai_notebook.client.demo.script import DemoModel
    from cbai_notebook.client.model import Model

_COLUMNS = ("variant", "model", "sample", "answer", "error", "known")
"""The new columns of the frame, which no check can have the name of."""


@stopped_in_one_line
def evaluate(
    cases: Any,
    variants: Mapping[str, Any],
    *,
    models: str | Model | DemoModel | Sequence[str | Model | DemoModel] | None = None,
    checks: Any = (),
    prefer: Prefer | None = None,
    samples: int = 1,
    groups: str = "",
    id: str = "",
    name: str = "",
    baseline: str = "",
    response_type: Any = None,
    system: str | None = None,
    concurrency: int = CONCURRENCY,
    max_total_tokens: int | None = None,
    max_cost: float | None = None,
    progress: bool | Reporter | None = None,
    allow_secrets: bool = False,
    think: bool | None = None,
    variables: Mapping[str, Any] | None = None,
    **params: Any,
) -> Evaluation:
    """Ask several prompts for every case, check the answers, and say which prompt is better.

    ::

        ev = cbai.evaluate(
            cases,
            {"short": "Intent of: {text}", "long": LONG_PROMPT},
            checks=[cbai.check.equals("expected")],
        )
        ev                              # a table with verdicts in words, and a plot
        ev.failures("long")

    Run it again to go on: answers that are stored cost nothing, as for `batch`. An error and an answer
    that cannot be read count as wrong, and are counted in a column of their own. The case is the unit:
    samples are averaged within it.

    Args:
        cases: The cases: a DataFrame of pandas or polars, a pyarrow Table, a list of dicts, an iterable
            of dicts, or the path of a ``.parquet`` or ``.csv`` file.
        variants: The prompts by name: templates, functions or prompts of files, as `batch` takes them.
        models: The models, as `batch` takes them; each variant is asked of each. Without any, that of the prompt's file or the
            one that is configured.
        checks: Checks out of ``cbai.check``, or functions ``(answer, row)`` that return True or False,
            or a grade from 0 to 1. The verdict is about the first one. `check.judge` asks a model. With ``response_type`` a function
            gets the parsed answer as plain dicts, lists, text and numbers, else its text.
        prefer: ``cbai.check.prefer(…)`` asks a model which of two answers is better.
        samples: How many answers each case gets from each variant.
        groups: The column that says which cases belong together, such as those of one user.
        id: The column that cases are known by in an earlier run; by default all of their content.
        name: The name of the evaluation. With one its runs are stored, and each is compared with the
            run before: see `Evaluation.flips` and `evaluations`.
        baseline: The variant that the others are compared with; by default the first one.
        response_type: The type of the answers.
        system: The system prompt, a template too.
        concurrency: The most requests at once; fewer where the server refuses more.
        max_total_tokens: The most tokens that all of it may use, judges included.
        max_cost: The most money that all of it may cost; needs ``cbai.configure(prices=…)``.
        progress: False shows nothing.
        allow_secrets: Whether the prompts may hold the values of secrets.
        think: Whether the model is to think.
        variables: The variables for the templates; in a notebook those of the notebook.
        **params: Other parameters of the requests, such as ``temperature``.

    Returns:
        The evaluation. Where it stopped, as when the budget is used up, it has the answers so far.

    Raises:
        UsageError: Something is wrong with the cases, a variant or a check; nothing was sent.
        HistoryError: Answers cannot be stored; nothing was sent.
        KeyboardInterrupt: It was interrupted. The answers so far are stored: run it again.
    """
    options = BatchOptions.of(
        {
            "response_type": response_type,
            "system": system,
            "samples": samples,
            "concurrency": concurrency,
            "max_total_tokens": max_total_tokens,
            "max_cost": max_cost,
            "allow_secrets": allow_secrets,
            "think": think,
            "variables": variables,
            "missing": "raise",
            **params,
        }
    )
    found = Cases(cases)
    tests = _tests(checks, found)
    if id:
        found.column(id, "id")
    keys = found.keys(id)
    labels = found.column(groups, "groups") if groups else None
    title = name or str(say("evaluate.without_a_name"))
    spending, total = Spending(), TotalProgress(reporter_for(progress), title)
    options = replace(options, progress=total)
    contestants = _contestants(found, variants, _models(models), options, spending)
    base = _baseline(baseline, [each.answers for each in contestants])
    answers = [each.answers for each in contestants]
    judges = _Judges.of(tests, prefer, found, options, spending)
    total.expect(len(found) * samples * len(contestants))
    status, reason = INTERRUPTED, ""
    hints = [hint for each in contestants for hint in each.batch.hints]
    try:
        reason = run(_ask(contestants))
        _run_checks(tests, answers, found)
        judges.begin(answers)
        if not reason:
            reason = run(judges.run(answers, base, total))
        status = STOPPED if reason else COMPLETE
    except ConfigurationError as error:
        from cbai_notebook.client.model_choice import with_offline_model

        status = STOPPED
        if total.sent or isinstance(error, (UsageError, MissingDependencyError)):
            raise
        problem = nothing_sent(error)
        if contestants[0].batch.prepared.settings.configured:
            raise problem from None
        raise with_offline_model(problem, "models=['local']") from None
    finally:
        counts = total.close(status, reason, list(dict.fromkeys(hints)))
    if reason and progress is False:
        warnings.warn(reason, BatchWarning, stacklevel=2)
    evaluation = Evaluation(
        title,
        found,
        answers,
        base.name,
        prompts={each.answers.name: ShippedPrompt.of(each.batch) for each in contestants},
        checks=[test.name for test in tests],
        groups=labels,
        judged=judges.judged,
        judges=judges.count,
        notes=judges.notes,
        counts=Counts(counts.sent, counts.known, spending.tokens),
        reason=reason,
        keys=keys,
    )
    if name and not reason:
        evaluation.store()
    return evaluation


@dataclass(frozen=True)
class _Contestant:
    """A variant with one model: its answers, and the batch that gets them."""

    answers: Answers
    batch: Batch


def _contestants(
    cases: Cases,
    variants: Any,
    models: Sequence[str | Model | DemoModel | None],
    options: BatchOptions,
    spending: Spending,
) -> list[_Contestant]:
    """Return each variant with each model; all is checked, and nothing is sent.

    Raises:
        UsageError: There is no variant, or one of them is none.
    """
    if not isinstance(variants, Mapping) or not variants:
        raise UsageError(say("evaluate.no_variants", example="{'short': 'Intent of: {text}'}"))
    prefix = _free_prefix(cases)
    found = []
    for variant, prompt in variants.items():
        for model in models:
            answers = Answers.none_yet(str(variant), str(variant), "", len(cases), options.samples)
            batch = Batch(
                cases.rows,
                prompt,
                replace(options, model=model, prefix=prefix, name=str(variant)),
                spending=spending,
                kind=EVALUATION,
                listener=answers.put,
            )
            answers.model = batch.model
            if len(models) > 1:
                answers.name = f"{variant} · {batch.model}"
            found.append(_Contestant(answers, batch))
    return found


def _free_prefix(cases: Cases) -> str:
    """Return what no column begins with: the new columns of a batch are not used, and need free names."""
    prefix = "_"
    while any(column.startswith(prefix) for column in cases.columns):
        prefix += "_"
    return prefix


def _models(given: Any) -> list[Any]:
    from cbai_notebook.client.model_choice import one_or_several

    found = one_or_several(given)
    if not found:
        raise UsageError(say("evaluate.no_models"))
    return found


def _baseline(given: str, answers: Sequence[Answers]) -> Answers:
    """Return the baseline; by default the first variant.

    Raises:
        UsageError: There is no such variant.
    """
    return find_variant(answers, given) if given else answers[0]


def _tests(checks: Any, cases: Cases) -> list[Check | Judge]:
    """Return the checks, each with a name of its own.

    Raises:
        UsageError: There are none, or one needs a column that the cases do not have.
    """
    every = list(checks) if isinstance(checks, Iterable) else [checks]
    if not every:
        raise UsageError(say("evaluate.no_checks", example='cbai.check.equals("expected")'))
    found: list[Check | Judge] = []
    taken = set(_COLUMNS)
    for given in every:
        check = given if isinstance(given, Judge) else check_of(given)
        if isinstance(check, Check) and check.column:
            cases.column(check.column, check.name)
        name, number = check.name, 1
        while name in taken:
            number += 1
            name = f"{check.name} {number}"
        taken.add(name)
        found.append(replace(check, name=name))
    return found


async def _ask(contestants: Sequence[_Contestant]) -> str:
    """Run the batches one after the other; return why one of them stopped, ``""`` if none did."""
    reason = ""
    stopped: set[str] = set()
    for each in contestants:
        if each.batch.model in stopped:
            continue
        await each.batch.run()
        each.answers.end(each.batch)
        if each.batch.error is not None:
            reason = reason or _of(each.answers.name, each.batch.reason)
            stopped.add(each.batch.model)
            if isinstance(each.batch.error, BudgetError):
                break
    return reason


def _of(name: str, reason: str) -> str:
    """Return why a variant or a judge has stopped, with its name; ``""`` if it has not."""
    return say("evaluate.stopped", name=name, reason=reason) if reason else ""


def _run_checks(tests: Sequence[Check | Judge], every: Sequence[Answers], cases: Cases) -> None:
    """Let all checks but the judges look at all answers.

    Raises:
        UsageError: A check raised an error for every answer.
    """
    for test in tests:
        if isinstance(test, Judge):
            continue
        raised = [answers.run_check(test, cases) for answers in every]
        if (error := raised[0]) is not None and all(raised):
            problem = f"{type(error).__name__}: {error}"
            raise UsageError(say("evaluate.check_fails", name=test.name, error=problem)) from error


class _Judges:
    """The judges of an evaluation.

    Args:
        grading: Those that look at each answer alone.
        pairs: The one that compares two answers.

    Attributes:
        judged: What the last one said of each variant.
        notes: What is to be said about judges.
    """

    def __init__(self, grading: Sequence[GradingJudge], pairs: PairJudge | None) -> None:
        self._grading = grading
        self._pairs = pairs
        self.judged: dict[str, BothOrders] = {}
        self.notes: list[Words] = []

    @classmethod
    def of(
        cls,
        tests: Sequence[Check | Judge],
        prefer: Prefer | None,
        cases: Cases,
        options: BatchOptions,
        spending: Spending,
    ) -> _Judges:
        """Return the judges; their questions are checked, and nothing is sent.

        Raises:
            UsageError: A question names something that is not there, or ``prefer`` is no judge.
        """
        # The rest of the options is about the models that answer.
        options = BatchOptions(
            concurrency=options.concurrency,
            max_total_tokens=options.max_total_tokens,
            max_cost=options.max_cost,
            progress=options.progress,
            allow_secrets=options.allow_secrets,
            variables=options.variables,
            missing="send",
            prefix=_free_prefix(cases),
        )
        grading = [
            GradingJudge.of(each, cases, options, spending)
            for each in tests
            if isinstance(each, Judge)
        ]
        if prefer is None:
            return cls(grading, None)
        if not isinstance(prefer, Prefer):
            raise UsageError(say("evaluate.no_preference", example="cbai.check.prefer(…)"))
        return cls(grading, PairJudge.of(prefer, cases, options, spending))

    @property
    def count(self) -> int:
        """The number of judges."""
        return len(self._grading) + (self._pairs is not None)

    def begin(self, every: Sequence[Answers]) -> None:
        """Let answers that failed be wrong for each judge, and all others have no score yet."""
        for judge in self._grading:
            judge.begin(every)

    async def run(self, every: Sequence[Answers], baseline: Answers, total: TotalProgress) -> str:
        """Ask all judges; return why one of them stopped, ``""`` if none did."""
        reason = ""
        for judge in self._grading:
            self.notes += judge.requests.kinship(every)
            failures, why = await judge.run(every, total)
            self.notes += failures
            reason = reason or _of(judge.judge.name, why)
        if self._pairs is not None:
            self.notes += self._pairs.requests.kinship(every)
            others = [each for each in every if each is not baseline]
            self.judged, failures, why = await self._pairs.run(baseline, others, total)
            self.notes += failures
            reason = reason or _of(self._pairs.requests.name, why)
        self.notes = list(dict.fromkeys(self.notes))
        return reason
