"""What a batch would send: counts, an estimate, and its first requests, without sending any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbai_notebook.batching.outcome import StoredAnswer
from cbai_notebook.batching.plan import Plan, Sink, Unit
from cbai_notebook.batching.progress_line import short_number
from cbai_notebook.batching.results import Place
from cbai_notebook.client.budget import FIRST_ANSWER, Budget, tokens_in
from cbai_notebook.client.model import Model
from cbai_notebook.conversation.row_requests import RowRequests
from cbai_notebook.i18n import say

SHOWN = 3
"""The most requests that are shown."""


@dataclass(frozen=True)
class DryRun:
    """What a batch would do.

    Attributes:
        rows: The number of rows.
        requests: The requests that would be sent, equal rows counted once.
        known: Rows whose answer is stored.
        missing: Rows that would not be sent because a value is missing.
        failed: Rows that have no prompt, such as those that hold a secret.
        tokens: About how many tokens it would use.
        cost: About what it would cost; None if the price of the model is not known.
        first: The first requests as they would go, each a dict with ``url``, ``headers`` and
            ``body``; keys are masked.
        hints: Sentences about the prompt.
    """

    rows: int
    requests: int
    known: int
    missing: int
    failed: int
    tokens: int
    cost: float | None
    first: Sequence[Mapping[str, Any]]
    hints: Sequence[str] = ()

    def __str__(self) -> str:
        facts = [
            say(
                "batch.would_send",
                n=self.requests,
                count=f"{self.requests:,}",
                rows=f"{self.rows:,}",
            )
        ]
        for name in ("known", "missing", "failed"):
            if count := getattr(self, name):
                facts.append(say(f"batch.{name}", n=count, count=f"{count:,}"))
        facts.append(say("batch.about_tokens", count=short_number(self.tokens)))
        if self.cost is not None:
            facts.append(say("batch.about_cost", cost=f"{self.cost:.2g}"))
        shown = [json.dumps(each, ensure_ascii=False, indent=2) for each in self.first]
        return "\n\n".join([" · ".join(facts), *self.hints, *shown])

    def __repr__(self) -> str:
        return str(self)


class Counts:
    """Counts the rows that are not sent."""

    def __init__(self) -> None:
        self.known = self.missing = self.failed = 0
        self.answered_tokens = self.answers = 0

    def sink(self) -> Sink:
        """Return where the rows go."""
        return Sink(missing=self._missing, failed=self._failed, known=self._known)

    def _missing(self, place: Place, name: str) -> None:
        self.missing += 1

    def _failed(self, place: Place, reason: str) -> None:
        self.failed += 1

    def _known(self, answered: Sequence[tuple[Unit, StoredAnswer]]) -> list[bool]:
        for unit, stored in answered:
            self.known += len(unit.places)
            if stored.completion_tokens:
                self.answers += 1
                self.answered_tokens += stored.completion_tokens
        return [True] * len(answered)


async def dry_run(
    plan: Plan, requests: RowRequests, model: Model, budget: Budget, hints: Sequence[str]
) -> DryRun:
    """Read all rows, and return what would be sent.

    Args:
        plan: The requests.
        requests: Makes their parameters.
        model: The model.
        budget: Has the prices.
        hints: Sentences about the prompt.
    """
    counts = Counts()
    number = sent = 0
    first: list[Mapping[str, Any]] = []
    async for unit in plan.drafts(counts.sink()):
        number += 1
        sent += tokens_in({"messages": unit.messages})
        if len(first) < SHOWN:
            request = await model.prepare(False, requests.options(unit.messages))
            first.append(request.shown())
    params = requests.prepared.params
    most = params.get("max_tokens") or params.get("max_completion_tokens")
    mean = counts.answered_tokens // counts.answers if counts.answers else FIRST_ANSWER
    answered = number * (most if isinstance(most, int) else mean)
    name = requests.prepared.asked_model or ""
    return DryRun(
        rows=plan.read,
        requests=number,
        known=counts.known,
        missing=counts.missing,
        failed=counts.failed,
        tokens=sent + answered,
        cost=budget.cost_of(name, sent, answered) if name in budget.prices else None,
        first=first,
        hints=[*hints, *plan.hints],
    )
