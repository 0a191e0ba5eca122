"""Writes an answer to disk while it streams, so that a kernel that is killed loses little of it."""

from __future__ import annotations

import asyncio

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.turn import Turn

EVERY_S = 0.8
"""Seconds from the first piece that is not on disk until it is: less than the second that may be lost."""


class Checkpoints:
    """The timer of one turn, on the running loop. It stands still while nothing comes.

    Args:
        conversation: Where the turn is.
        turn: The turn that grows.
    """

    def __init__(self, conversation: Conversation, turn: Turn) -> None:
        self._conversation = conversation
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def schedule(self) -> None:
        """Take note that something has come."""
        if self._timer is None:
            self._timer = self._loop.call_later(EVERY_S, self._write)

    def stop(self) -> None:
        """Write no more; the turn's end does."""
        if self._timer is not None:
            self._timer.cancel()

    def _write(self) -> None:
        self._timer = None
        self._conversation.checkpoint(self._turn)
