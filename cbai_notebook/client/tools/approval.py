"""Ask a person whether a tool call may run, and measure how long the person takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.client.tools.user_function import in_task

Approve = Callable[[ToolCall], Awaitable[bool]]
"""Asks a person; returns whether the call may run."""


class Approval:
    """Asks about the tool calls of one answer, one call at a time.

    `waited_s` is the time for which the answer waited for a person and for nothing else. It is neither
    the model's time nor a tool's.

    Args:
        approve: Asks a person; None refuses every call.
    """

    def __init__(self, approve: Approve | None = None) -> None:
        self._approve = approve
        self._lock = asyncio.Lock()
        self._asking = 0
        self._working = 0
        self._waited_s = 0.0
        self._since = 0.0
        self._now: Callable[[], float] = lambda: 0.0  # nothing was asked and nothing ran yet

    @property
    def waited_s(self) -> float:
        """Seconds so far."""
        waiting = self._asking and not self._working
        return self._waited_s + (self._now() - self._since if waiting else 0.0)

    async def allows(self, call: ToolCall, report: Callable[[ToolCall], None]) -> bool:
        """Ask about a call.

        Args:
            call: The call, with the status ``asking``.
            report: Called with the call when its turn to be asked has come.
        """
        if self._approve is None:
            return False
        with self._counted(asking=1):
            async with self._lock:
                report(call)
                return bool(await in_task(self._approve(call), "approve"))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a tool as running: then the answer does not wait for the person alone."""
        with self._counted(working=1):
            yield

    @contextmanager
    def _counted(self, asking: int = 0, working: int = 0) -> Iterator[None]:
        self._add(asking, working)
        try:
            yield
        finally:
            self._add(-asking, -working)

    def _add(self, asking: int, working: int) -> None:
        self._waited_s = self.waited_s
        self._now = asyncio.get_running_loop().time
        self._since = self._now()
        self._asking += asking
        self._working += working
