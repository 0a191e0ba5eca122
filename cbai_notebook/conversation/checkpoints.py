"""Writes an answer to disk while it streams, so that a killed kernel loses little of it."""

from __future__ import annotations

import asyncio

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.turn import Turn

EVERY_S = 0.8
"""Seconds until an unwritten delta is written: below the one second that may be lost."""


class Checkpoints:
    """Timer for the checkpoints of one turn, on the running event loop; idle without deltas.

    Args:
        conversation: The conversation of the turn.
        turn: The turn that receives deltas.
    """

    def __init__(self, conversation: Conversation, turn: Turn) -> None:
        self._conversation = conversation
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self) -> None:
        """Schedule a checkpoint, unless one is scheduled already."""
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY_S, self._write)

    def stop(self) -> None:
        """Cancel the timer. Closing the turn writes the rest."""
        if self._timer is not None:
            self._timer.cancel()

    def _write(self) -> None:
        self._timer = None
        self._conversation.checkpoint(self._turn)
