"""How far an evaluation is: the counts of its batches together, shown as those of one batch."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.batching.progress import Progress
from cbai_notebook.batching.reporters import Reporter


class TotalProgress:
    """Shows several batches, which run one after the other, as one. It is the reporter of each.

    Args:
        reporter: Shows the counts.
        name: The name of the evaluation.
    """

    def __init__(self, reporter: Reporter, name: str) -> None:
        self._reporter = reporter
        self._total = Progress(name=name, rows=0)
        self._total.begin()
        self._parts: list[Progress] = []

    def expect(self, rows: int) -> None:
        """Count more answers as needed."""
        self._total.rows = (self._total.rows or 0) + rows

    @property
    def sent(self) -> int:
        """The requests that the servers have answered so far."""
        return self._sum().sent

    def show(self, progress: Progress) -> None:
        """Show the counts of all batches, one of which has changed."""
        if not any(part is progress for part in self._parts):
            self._parts.append(progress)
        self._reporter.show(self._sum())

    def end(self, progress: Progress) -> None:
        """Show the counts; the end of one batch is not the end of all."""
        self.show(progress)

    def close(self, status: str, reason: str, hints: Sequence[str]) -> Progress:
        """Show the last state, which stays, and return it."""
        total = self._sum()
        total.hints = hints
        total.end(status, reason)
        self._reporter.end(total)
        return total

    def _sum(self) -> Progress:
        total = self._total
        for name in ("answered", "known", "failed", "missing", "running", "sent", "tokens"):
            setattr(total, name, sum(getattr(part, name) for part in self._parts))
        total.reasons = {}
        for part in self._parts:
            for reason, count in part.reasons.items():
                total.reasons[reason] = total.reasons.get(reason, 0) + count
        return total
