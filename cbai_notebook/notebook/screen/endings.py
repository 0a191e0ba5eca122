"""What a reader of a notebook is told about an answer that did not simply end."""

from __future__ import annotations

from collections.abc import Sequence

from cbai_notebook.client.endings import Ending
from cbai_notebook.i18n import listed, say

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


def in_cell(ending: Ending | None, hints: Sequence[str], *, kept: bool) -> str:
    """Return the note under an answer in a cell, as plain text.

    Args:
        ending: How the answer ended.
        hints: Other sentences about the answer.
        kept: Whether the answer is in a conversation, so that it can be continued there.
    """
    note = _note(ending, kept=kept) if ending else ""
    return "\n".join(part for part in (note, *hints) if part)


def _note(ending: Ending, *, kept: bool) -> str:
    """Return what happened and the option of a cell that helps; in the panel a button is there."""
    match ending:
        case Ending.CUT if kept:
            return say("answer.cut_can_continue", command=_CONTINUE, option="--max-tokens")
        case Ending.CUT:
            return say("answer.cut", option="--max-tokens")
        case Ending.ONLY_THINKING:
            return say("answer.only_thinking", option="--max-tokens", no_think="--no-think")
        case Ending.OUT_OF_STEPS:
            return say("answer.out_of_steps", option="--max-steps")
        case Ending.FILTERED:
            return say("answer.filtered", option="-m")
        case Ending.REFUSED:
            return say("answer.refused", option="-m")
