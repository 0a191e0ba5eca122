"""What batches and evaluations have used, in the form of the usage of conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cbai_notebook.batching.answer_store import AnswerStore, current_answers
from cbai_notebook.batching.runs import IMPORT
from cbai_notebook.conversation.store import rows
from cbai_notebook.conversation.store.queries import USAGE_KEYS

# Of an earlier version's evaluation `tokens` is the sum of all its runs so far; it stored no provider.
_UNANSWERED = (
    "CASE WHEN ended_at IS NULL OR provider = '' THEN 0 ELSE max(0, tokens - answer_tokens) END"
)


def batch_usage(
    since: datetime | None = None, store: AnswerStore | None = None
) -> list[dict[str, Any]]:
    """Return requests, tokens and seconds by the day on which a run began, kind, provider and model.

    An answer counts once, in the run that paid for it; answers that were known, imported or deleted
    do not count.

    Args:
        since: Count runs that began at this time or later.
        store: The stored answers; those beside the history by default.

    Returns:
        Dicts with :data:`~cbai_notebook.conversation.store.queries.USAGE_KEYS`. ``unanswered_tokens``
        are those of rows without an answer, of which only the total is known; ``total_tokens`` has
        them too. ``cached_tokens`` is 0: no answer of a row tells it.

    Raises:
        HistoryError: The stored answers cannot be read.
    """
    start = rows.microseconds(since) if since is not None else -rows.LARGEST
    with (store or current_answers()).database.reading() as connection:
        found = connection.execute(
            f"SELECT {rows.day_of('started_at')} AS day, kind, provider, "
            "coalesce(model, '') AS model, sum(requests) AS requests, "
            f"{rows.sum_of('prompt_tokens')} AS prompt_tokens, "
            f"{rows.sum_of('completion_tokens')} AS completion_tokens, "
            f"{rows.sum_of(f'answer_tokens + {_UNANSWERED}')} AS total_tokens, 0 AS cached_tokens, "
            f"sum(duration_s) AS duration_s, {rows.sum_of(_UNANSWERED)} AS unanswered_tokens "
            "FROM runs WHERE kind != ? AND started_at >= ? "
            "GROUP BY day, kind, provider, model HAVING sum(requests) + unanswered_tokens > 0 "
            "ORDER BY day, kind, provider, model",
            (IMPORT, start),
        ).fetchall()
    return [{key: row[key] for key in USAGE_KEYS} for row in found]
