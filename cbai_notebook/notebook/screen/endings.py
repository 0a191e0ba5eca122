"""What a reader of a notebook is told about an answer that did not simply end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cbai_notebook.client.endings import Ending
from cbai_notebook.i18n import CELL, listed, said_now, say

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer

_CONTINUE = "%cbai continue"


def can_continue() -> str:
    """Return the hint under an answer that was stopped or broken off."""
    return say("answer.continue", command=_CONTINUE)


def left_running(names: Sequence[str]) -> str:
    """Return the hint under an answer that was stopped, about tools whose functions go on.

    Args:
        names: The names of the tools.
    """
    return say("answer.left_running", n=len(names), tools=listed(names))


def in_cell(answer: Answer, *, kept: bool) -> str:
    """Return the note under an answer in a cell: how it ended, what to do next, and its hints.

    Args:
        answer: The answer.
        kept: Whether the answer is in a conversation, so that it can be continued there.
    """
    ending = answer.ending
    notes = [] if ending is None else [ending.note(len(answer.steps))]
    if kept and ending is Ending.CUT:
        notes = [say("answer.cut_can_continue", command=_CONTINUE)]
    return "\n".join(said_now(note, CELL) for note in (*notes, *answer.hints))
