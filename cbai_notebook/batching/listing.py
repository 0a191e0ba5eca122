"""``cbai.batches()``: the batches that are stored, as rows."""

from __future__ import annotations

from typing import Any

from cbai_notebook.batching.answer_store import current_answers
from cbai_notebook.conversation.times import in_zone


def batches() -> list[dict[str, Any]]:
    """Return the stored batches, the newest one last.

    Returns:
        Flat dicts with ``number, started, ended, frame, prompt, model, rows, answered, known,
        failed, tokens, status, reason, kind, provider``, ready for ``pandas.DataFrame``. Times are this machine's,
        with their zone. ``prompt`` is the first line of the template. ``status`` is ``"running"``,
        ``"complete"``, ``"stopped"`` or ``"interrupted"``, ``kind`` is ``"batch"``, ``"evaluation"``
        or ``"import"``.

    Raises:
        HistoryError: The stored answers cannot be read.
    """
    return [
        {
            "number": run.number,
            "started": in_zone(run.started),
            "ended": None if run.ended is None else in_zone(run.ended),
            **vars(run.facts),
        }
        for run in current_answers().runs()
    ]
