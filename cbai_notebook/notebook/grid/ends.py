"""How each answer of a comparison ends on the screen: its footer, its error, its status."""

from __future__ import annotations

from dataclasses import replace

from cbai_notebook.client.providers import model_label
from cbai_notebook.comparison.candidate import Candidate
from cbai_notebook.i18n import CELL, said_now
from cbai_notebook.notebook.screen import Facts, Notice, Screen, Status, endings


def finish(screen: Screen, candidate: Candidate) -> None:
    """Paint an answer for the last time, with its footer.

    Args:
        screen: The screen of the answer.
        candidate: The answer, which has ended or was stopped.
    """
    answer, error, prepared = candidate.answer, candidate.error, candidate.prepared
    if answer is not None:
        note = endings.in_cell(answer, kept=False)
        facts = replace(Facts.of(answer, place=CELL), note=note)
        screen.finish("complete", footer=facts)
        return
    known = Facts(label=model_label(prepared.provider, prepared.asked_model), place=CELL)
    if error is None:
        screen.finish("cancelled", footer=known)
        return
    status: Status = "partial" if candidate.text else "failed"
    message = said_now(error.words or error.message, CELL)
    screen.finish(status, footer=known, note=Notice(message, error.details))
