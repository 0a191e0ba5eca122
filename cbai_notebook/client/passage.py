"""The way of each request to its server: through the gate, and within the budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.budget import Budget, Reservation, session_budget
from cbai_notebook.client.gate import Gate, Slot, gate_of
from cbai_notebook.client.loop_waiters import Stop
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request
from cbai_notebook.client.retry import Policy, should_retry
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import RateLimitError

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
        stop: Ends the wait of those that were not sent.
        gate: What they go through; by default the gate of the endpoint.
        counted: Whether the session of this process counts and limits them; those that are sent for
            another process are counted there.
    """

    rows: bool = False
    budget: Budget | None = None
    stop: Stop | None = None
    gate: Gate | None = None
    counted: bool = True


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
        self._stop = traffic.stop
        self._budgets = budgets

    @classmethod
    def to(cls, endpoint: Endpoint, settings: Settings, traffic: Traffic) -> Passage:
        """Return the way to an endpoint."""
        session = session_budget(settings) if traffic.counted else None
        budgets = tuple(filter(None, (traffic.budget, session)))
        gate = traffic.gate or gate_of(endpoint.url, endpoint.api_key, endpoint.at_once)
        return cls(gate, traffic, budgets)

    @property
    def policy(self) -> Policy:
        """Which errors are sent again: a row that was refused has waited here for long enough."""
        return _retry_row if self._rows else should_retry

    async def complete(
        self, request: Request, send: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """Send a request as soon as it may be sent, and return its answer.

        Raises:
            CbaiError: There was no answer.
            StoppedError: It was not sent: its batch has stopped.
        """
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
        if self._stop is not None:
            self._stop.check()
        slot = await self.gate.enter(rows=self._rows, stop=self._stop)
        if self._rows and slot.number:
            # A pool of connections takes much work where many requests share it.
            request = replace(request, connection=slot.number)
        try:
            reservation = await Reservation.make(
                self._budgets, request.body, waits=self._rows, stop=self._stop
            )
        except BaseException as error:
            slot.leave(error, answered=False)
            raise
        return _Entry(slot, request, reservation)


def _retry_row(error: Exception) -> bool | float:
    return False if isinstance(error, RateLimitError) else should_retry(error)


@dataclass(frozen=True)
class _Entry:
    """A request that was let in.

    Args:
        slot: Its place.
        request: What is sent.
        reservation: What it may use.
    """

    slot: Slot
    request: Request
    reservation: Reservation

    def leave(self, *, usage: Usage | None = None, error: BaseException | None = None) -> None:
        """Give back the place, and settle what was used."""
        self.slot.leave(error, answered=error is None)
        self.reservation.settle(usage=usage, error=error)

    def leave_stream(self, log: EventLog, _task: asyncio.Task[Any]) -> None:
        """Do as `leave` at the end of a stream."""
        self.leave(usage=log.accumulator.usage, error=log.error)
