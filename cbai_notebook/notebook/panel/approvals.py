"""Tool calls that wait for the user's approval: a click in any panel of this kernel answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cbai_notebook.bridge import background_loop
from cbai_notebook.conversation import Turn

if TYPE_CHECKING:
    from cbai_notebook.client.tools.tool_calls import ToolCall


class Approvals:
    """The tool calls that wait for approval, by turn and call id."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Turn, str], tuple[ToolCall, asyncio.Future[bool]]] = {}

    def waiting(self, turn: Turn) -> list[ToolCall]:
        """Return the calls of a turn that wait for a click, with their parsed arguments."""
        return [call for (asked, _), (call, _) in self._waiting.items() if asked is turn]

    async def request(self, turn: Turn, call: ToolCall, *, on_wait: Callable[[], None]) -> bool:
        """Wait for a click, on the background loop; return whether the call is allowed.

        Args:
            turn: The turn.
            call: The call.
            on_wait: Called when the call is among those that wait, so that it can be shown.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[turn, call.id] = call, answer
        on_wait()
        try:
            return await answer
        finally:
            del self._waiting[turn, call.id]

    def answer(self, turn: Turn, call: str, allowed: bool) -> None:
        """Set the user's answer, from any thread; only the first answer counts."""
        background_loop().call_soon_threadsafe(self._answer, turn, call, allowed)

    def _answer(self, turn: Turn, call: str, allowed: bool) -> None:
        _, waiting = self._waiting.get((turn, call), (None, None))
        if waiting is not None and not waiting.done():
            waiting.set_result(allowed)


APPROVALS = Approvals()
"""Shared by all panels, because several panels may show the same conversation."""
