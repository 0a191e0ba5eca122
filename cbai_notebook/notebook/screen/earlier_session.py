"""The sentence under the first answer of a kernel with which turns of an earlier session went along."""

from __future__ import annotations

import contextlib
from datetime import datetime

from cbai_notebook.conversation.turn import EarlierTurns
from cbai_notebook.i18n import say


def in_cell(earlier: EarlierTurns, reset: str) -> str:
    """Return the sentence for a cell.

    Args:
        earlier: The turns that went along.
        reset: The command that begins anew.
    """
    since = local_time(earlier.since)
    return say("answer.earlier_session", n=earlier.count, since=since, reset=reset)


def local_time(moment: datetime) -> str:
    """Return a moment as the user's clock shows it: ``"2026-11-28 09:30"``."""
    with contextlib.suppress(OverflowError, ValueError, OSError):  # a time far from today
        moment = moment.astimezone()
    return f"{moment:%Y-%m-%d %H:%M}"
