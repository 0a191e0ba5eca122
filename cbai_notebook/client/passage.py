"""The way of each request to its server: through the gate, and within the budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.budget import SESSION, Budget, Reserve
from cbai_notebook.client.gate import Gate, Slot, gate_of
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request
from cbai_notebook.client.settings import Settings

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.chat_wire import Usage
    from cbai_notebook.client.event_log import EventLog
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.stream_task import StreamTask


@dataclass(frozen=True)
class Traffic:
    """Whose requests these are.

    Args:
        rows: Whether they are rows of a batch, which let prompts go first, and wait as long as the
            server refuses them for being too many.
        budget: What they may use together, beside the budget of the session.
    """

    rows: bool = False
    budget: Budget | None = None


PROMPT = Traffic()
"""A prompt that a user waits for."""


class Passage:
    """The way of requests to one endpoint.

    Args:
        gate: The gate of the endpoint, also an attribute.
        traffic: Whose requests these are.
        budgets: What they may use.
    """

    def __init__(self, gate: Gate, traffic: Traffic, budgets: tuple[Budget, ...]) -> None:
        self.gate = gate
        self._rows = traffic.rows
        self._budgets = budgets

    @classmethod
    def to(cls, endpoint: Endpoint, settings: Settings, traffic: Traffic) -> Passage:
        """Return the way to an endpoint."""
        session = settings.session_budget
        budgets = tuple(filter(None, (traffic.budget, session)))
        return cls(gate_of(endpoint.url, endpoint.api_key, endpoint.at_once), traffic, budgets)

    async def complete(
        self, request: Request, send: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """Send a request as soon as it may be sent, and return its answer."""
        while True:
            entry = await self._enter(request)
            try:
                answer = await send(entry.request)
            except BaseException as error:
                entry.leave(error=error)
                if not self._comes_again(error):
                    raise
            else:
                entry.leave(usage=answer.usage)
                return answer

    async def open(
        self,
        request: Request,
        start: Callable[[Request], StreamTask],
        opened: Callable[[StreamTask], Awaitable[TextStream]],
    ) -> TextStream:
        """Start a stream as soon as its request may be sent; the place is kept until it has ended.

        Args:
            request: The request.
            start: Sends the request.
            opened: Waits for the first token, and returns the stream.
        """
        while True:
            entry = await self._enter(request)
            try:
                task = start(entry.request)
            except BaseException as error:
                entry.leave(error=error)
                raise
            # Of the log only: a stream that nobody refers to any more ends.
            task.task.add_done_callback(partial(entry.leave_stream, task.log))
            try:
                return await opened(task)
            except BaseException as error:
                if not self._comes_again(error):
                    raise

    def _comes_again(self, error: BaseException) -> bool:
        return self._rows and self.gate.waits_for(error)

    async def _enter(self, request: Request) -> _Entry:
        slot = await self.gate.enter(rows=self._rows)
        reserves: list[tuple[Budget, Reserve]] = []
        if self._rows and slot.number:
            # Rows with a connection of their own each cost a quarter of those that share a pool.
            request = replace(request, connection=slot.number)
        entry = _Entry(slot, request, reserves)
        try:
            for budget in self._budgets:
                reserves.append((budget, await budget.reserve(request, waits=self._rows)))
        except BaseException as error:
            entry.leave(error=error)
            raise
        return entry


@dataclass(frozen=True)
class _Entry:
    """A request that was let in.

    Args:
        slot: Its place.
        request: What is sent.
        reserves: What it has reserved, in each budget.
    """

    slot: Slot
    request: Request
    reserves: list[tuple[Budget, Reserve]]

    def leave(self, *, usage: Usage | None = None, error: BaseException | None = None) -> None:
        """Give back the place, and settle what was used."""
        self.slot.leave(error, answered=error is None)
        for budget, reserve in self.reserves:
            budget.settle(self.request, reserve, usage=usage, error=error)
        if usage is not None and all(each.spending is not SESSION for each, _ in self.reserves):
            SESSION.count(usage)

    def leave_stream(self, log: EventLog, _task: asyncio.Task[Any]) -> None:
        """Do as `leave` at the end of a stream."""
        self.leave(usage=log.accumulator.usage, error=log.error)
