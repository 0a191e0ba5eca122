"""Questions to the reader whether a tool may run, answered by a click in any panel of this kernel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Turn

if TYPE_CHECKING:
    from cbai_notebook.client.tools.record import PendingCall


class Approvals:
    """The calls that wait for the reader's yes, by their turns and ids."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Turn, str], asyncio.Future[bool]] = {}

    def is_waiting(self, turn: Turn, call: str) -> bool:
        """Return whether a call waits for an answer that a click can give."""
        return (turn, call) in self._waiting

    async def request(self, turn: Turn, pending: PendingCall) -> bool:
        """Wait for the reader's answer; on the background loop."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[turn, pending.id] = answer
        try:
            return await answer
        finally:
            del self._waiting[turn, pending.id]

    def answer(self, turn: Turn, call: str, allowed: bool) -> None:
        """Take the reader's answer, from any thread; the first one counts."""
        background_loop().call_soon_threadsafe(self._answer, turn, call, allowed)

    def _answer(self, turn: Turn, call: str, allowed: bool) -> None:
        waiting = self._waiting.get((turn, call))
        if waiting is not None and not waiting.done():
            waiting.set_result(allowed)


APPROVALS = Approvals()
"""Shared by all panels, since a conversation may be on show in several."""
