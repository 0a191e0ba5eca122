"""How an evaluation shows itself: as a table of plain text, or as HTML with a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from cbai_notebook.batching.progress_line import short_number
from cbai_notebook.evaluation.comparison import Estimate
from cbai_notebook.evaluation.number_texts import NO_VALUE, estimate_text
from cbai_notebook.evaluation.plot import PlotRow, interval_svg
from cbai_notebook.evaluation.preference import Preference
from cbai_notebook.evaluation.verdict import Verdict
from cbai_notebook.i18n import said_now, say
from cbai_notebook.text import aligned, columns, one_line, plain

_SHOWN_REASONS = 3
_LONGEST_REASON = 200
_LONGEST_NAME = 60
_LONGEST_LINE = 30
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"


@dataclass(frozen=True)
class Counts:
    """What an evaluation has used.

    Attributes:
        requests: The requests that the server has answered, also with an error.
        known: The answers that were stored before, or are those of an equal request.
        tokens: The tokens of all requests.
    """

    requests: int
    known: int
    tokens: int


@dataclass(frozen=True)
class Report:
    """What is shown of an evaluation.

    Attributes:
        name: Its name.
        cases: The number of cases.
        counts: What it has used.
        baseline: The variant that the others are compared with.
        estimates: For each check the mean of each variant; the first check decides.
        verdicts: What the difference of each other variant and the baseline means.
        errors: For each variant why answers count as wrong because they failed.
        preferences: How often a judge prefers each other variant to the baseline.
        judges: The number of judges.
        notes: What is to be said about judges.
        reason: Why it stopped; ``""`` if it did not.
    """

    name: str
    cases: int
    counts: Counts
    baseline: str
    estimates: Mapping[str, Mapping[str, Estimate]]
    verdicts: Mapping[str, Verdict]
    errors: Mapping[str, Sequence[str]]
    preferences: Mapping[str, Preference]
    judges: int
    notes: Sequence[str]
    reason: str

    @property
    def text(self) -> str:
        """The table as plain text."""
        lines = [" · ".join(self._facts()), *aligned(self._table()), *self._sentences()]
        return "\n".join(map(plain, lines))

    @property
    def html(self) -> str:
        """The table and the plot as safe HTML. Colours are those of the page, light or dark."""
        head, *rows = (
            "".join(map(_cell, row, [tag] * len(row)))
            for tag, row in zip(["th", *["td"] * len(self.errors)], self._table(), strict=True)
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        notes = "".join(f"<div><small>{escape(line)}</small></div>" for line in self._sentences())
        return (
            f"<div><div>{escape(' · '.join(self._facts()))}</div>"
            f'<table style="margin:0.5em 0;border-spacing:0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
            f"</table>{self._svg()}{notes}</div>"
        )

    def _facts(self) -> list[str]:
        """Return what was evaluated, and what it has used."""
        counts = self.counts
        facts = [one_line(self.name, _LONGEST_NAME)]
        if self.reason:
            facts.append(say("batches.is_stopped"))
        facts.append(say("evaluate.cases", n=self.cases, count=f"{self.cases:,}"))
        if self.judges:
            facts.append(say("evaluate.judges", n=self.judges, count=f"{self.judges:,}"))
        facts.append(say("evaluate.requests", n=counts.requests, count=f"{counts.requests:,}"))
        if counts.known:
            facts.append(say("batch.known", count=f"{counts.known:,}"))
        if counts.tokens:
            facts.append(say("batch.tokens", count=short_number(counts.tokens)))
        return facts

    def _table(self) -> list[list[str]]:
        """Return the cells of the table, the header first."""
        first, *others = self.estimates
        has_errors = any(self.errors.values())
        header = ["", first]
        if self.verdicts:
            header.append(say("evaluate.heading_against", name=self.baseline))
        header += others
        if self.preferences:
            header.append(say("evaluate.heading_prefer"))
        if has_errors:
            header.append(say("evaluate.heading_errors"))
        table = [header]
        for name in self.errors:
            row = [name, self._estimate(first, name)]
            if self.verdicts:
                row.append(NO_VALUE if name == self.baseline else str(self.verdicts[name]))
            row += [self._estimate(check, name) for check in others]
            if self.preferences:
                row.append(self._preference(name))
            if has_errors:
                row.append(f"{len(self.errors[name]):,}")
            table.append(row)
        return [[one_line(cell) for cell in row] for row in table]

    def _estimate(self, check: str, variant: str) -> str:
        found = self.estimates[check][variant]
        text = estimate_text(found.value, found.low, found.high, is_share=found.is_share)
        if found.n == self.cases:
            return text
        return say("evaluate.of_fewer", estimate=text, n=found.n, count=f"{found.n:,}")

    def _preference(self, variant: str) -> str:
        found = self.preferences.get(variant)
        if found is None:
            return NO_VALUE
        return say("evaluate.preference", words=found.words, verdict=found.verdict.words)

    def _sentences(self) -> list[str]:
        """Return what stands below the table: why it stopped, and why answers failed."""
        lines = [said_now(each) for each in (self.reason, *self.notes) if each]
        for name, reasons in self.errors.items():
            for reason, count in Counter(reasons).most_common(_SHOWN_REASONS):
                text = one_line(reason, _LONGEST_REASON)
                lines.append(f"{one_line(name, _LONGEST_NAME)}: {count:,} × {text}")
        return lines

    def _svg(self) -> str:
        check, found = next(iter(self.estimates.items()))
        is_share = all(each.is_share for each in found.values())
        plot = interval_svg(plot_rows(found, self.baseline), title=check, is_share=is_share)
        # A frontend that does not trust the notebook drops the drawing and keeps its words, which are
        # of no use without it. In the drawing, texts have sizes of their own.
        return f'<div style="font-size:0px;line-height:0px">{plot}</div>'


def _cell(text: str, tag: str) -> str:
    """Return a cell of a table as safe HTML. Numbers with their interval stay in one line."""
    wraps = "" if columns(text) > _LONGEST_LINE else ";white-space:nowrap"
    return f'<{tag} style="{_CELL}{wraps}">{escape(text)}</{tag}>'


def plot_rows(found: Mapping[str, Estimate], baseline: str) -> list[PlotRow]:
    """Return the dots of a plot: the mean of each variant with its interval."""
    several = len(found) > 1
    return [
        PlotRow(name, each.value, each.low, each.high, several and name == baseline)
        for name, each in found.items()
    ]
