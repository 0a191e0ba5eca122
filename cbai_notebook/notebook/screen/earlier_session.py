"""The sentence under the first answer of a kernel with which turns of an earlier session went along."""

from __future__ import annotations

import contextlib
from datetime import datetime

from cbai_notebook.conversation.turn import EarlierTurns
from cbai_notebook.text import counted


def in_cell(earlier: EarlierTurns, reset: str) -> str:
    """Return the sentence for a cell.

    Args:
        earlier: The turns that went along.
        reset: The command that begins anew.
    """
    turns = counted(earlier.count, "turn")
    return f"{turns} of an earlier session went along (from {_time(earlier.since)} on). {reset} begins anew."


def in_panel(earlier: EarlierTurns) -> tuple[str, str]:
    """Return the sentence for a panel, in English and in Chinese."""
    turns, since = counted(earlier.count, "turn"), _time(earlier.since)
    return (
        f"{turns} of an earlier session went along (from {since} on). + begins a new conversation.",
        f"之前会话的 {earlier.count:,} 轮（自 {since} 起）已一并发送；点 + 可开始新对话。",
    )


def _time(moment: datetime) -> str:
    with contextlib.suppress(OverflowError, ValueError, OSError):  # a time far from today
        moment = moment.astimezone()
    return f"{moment:%Y-%m-%d %H:%M}"
