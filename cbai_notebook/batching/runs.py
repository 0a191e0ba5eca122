"""Runs of batches: what is stored about each, next to the answers that it paid for."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store import rows
from cbai_notebook.i18n import Words
from cbai_notebook.text import shortened, without_surrogates

RUNNING, COMPLETE, STOPPED, INTERRUPTED = "running", "complete", "stopped", "interrupted"
"""What became of a run: it goes on; it reached its last row; it ended itself, as for a key that has
expired or tokens that are used up; the user or the end of the process ended it."""

BATCH, EVALUATION, IMPORT = "batch", "evaluation", "import"
"""What a run belongs to; an import has answers that another program has asked for."""

LONGEST_LINE = 200
"""The most characters of a frame's name and of a prompt's first line that are stored."""

_COLUMNS = ("frame", "prompt", "model", "row_count", "answered", "known", "failed", "tokens")


@dataclass(frozen=True)
class RunFacts:
    """What the store is told about a run.

    Attributes:
        frame: The name of the rows, such as that of their variable or file.
        prompt: The template; only its first line is stored.
        model: The model that is asked.
        rows: The number of rows; ``None`` while it is not known.
        answered: Rows that have an answer, known ones among them.
        known: Rows whose answer was known before.
        failed: Rows that have none.
        tokens: Tokens that were used, also those of attempts that failed.
        status: :data:`RUNNING`, :data:`COMPLETE`, :data:`STOPPED` or :data:`INTERRUPTED`.
        reason: Why it stopped, as a sentence.
        kind: :data:`BATCH`, :data:`EVALUATION` or :data:`IMPORT`.
        provider: The provider of the model; empty if it is not known.
    """

    frame: str = ""
    prompt: str = ""
    model: str | None = None
    rows: int | None = None
    answered: int = 0
    known: int = 0
    failed: int = 0
    tokens: int = 0
    status: str = RUNNING
    reason: str = ""
    kind: str = BATCH
    provider: str = ""

    def columns(self, mask: Masker) -> dict[str, Any]:
        """Return the values of the table's columns by their names, with secrets masked."""
        # Masked before it is cut: the beginning of a secret would not be recognized.
        frame, prompt, model, reason = mask.masked(
            map(without_surrogates, (self.frame, self.prompt, self.model or "", self.reason))
        )
        counts = (self.rows, self.answered, self.known, self.failed, min(self.tokens, rows.LARGEST))
        line = next(filter(str.strip, prompt.splitlines()), "").strip()
        texts = (shortened(frame, LONGEST_LINE), shortened(line, LONGEST_LINE), model or None)
        return {
            **dict(zip(_COLUMNS, (*texts, *counts), strict=True)),
            "kind": self.kind,
            "provider": self.provider,
            "status": self.status,
            "reason": reason,
            "said": rows.said(mask, reason=self.reason),
        }


@dataclass(frozen=True)
class StoredRun:
    """A run as it is stored.

    Attributes:
        number: Its number, which is never given again.
        started: When it began, in UTC.
        ended: When it ended, in UTC; ``None`` if that is not known.
        facts: What is known of it. While it runs, its counts are those of the stored answers.
    """

    number: int
    started: datetime
    ended: datetime | None
    facts: RunFacts

    @classmethod
    def of(cls, row: sqlite3.Row) -> StoredRun:
        """Return the run of a row of the table.

        Raises:
            MalformedError: The row is malformed: this package never writes such values.
        """
        ended, count, model = row["ended_at"], row["row_count"], row["model"]
        facts = RunFacts(
            frame=rows.text(row["frame"]),
            prompt=rows.text(row["prompt"]),
            model=None if model is None else rows.text(model),
            rows=None if count is None else rows.number(count),
            answered=rows.number(row["answered"]),
            known=rows.number(row["known"]),
            failed=rows.number(row["failed"]),
            tokens=rows.number(row["tokens"]),
            status=rows.text(row["status"]),
            reason=_said(row["said"]) or rows.text(row["reason"]),
            kind=rows.text(row["kind"]),
            provider=rows.text(row["provider"]),
        )
        started = rows.moment(rows.number(row["started_at"]))
        ended_at = None if ended is None else rows.moment(rows.number(ended))
        return cls(rows.number(row["id"]), started, ended_at, facts)


def _said(stored: Any) -> Words | None:
    """Return a text of ours in the present language; ``None`` if the column holds none."""
    try:
        return Words.from_json(json.loads(stored)["reason"])
    except (TypeError, ValueError, LookupError):
        return None
