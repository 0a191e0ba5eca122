"""One stream over several requests: the steps of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from cbai_notebook.client import error_mapping, stream, tasks
from cbai_notebook.client.accumulator import Accumulator
from cbai_notebook.client.answer import (
    Answer,
    AnswerFacts,
    Messages,
    Step,
    Timing,
    over_steps,
    sum_usage,
)
from cbai_notebook.client.callbacks import StreamCallbacks
from cbai_notebook.client.chat_wire import Usage
from cbai_notebook.client.event_log import EventLog
from cbai_notebook.client.sse import DONE, Event
from cbai_notebook.client.stream import TextStream
from cbai_notebook.errors import CbaiError, StructuredAnswerError

if TYPE_CHECKING:
    from cbai_notebook.client.structured.response_type import ResponseType
    from cbai_notebook.client.tools.approval import Approval


class StepRunner:
    """Runs the steps in a task and writes the events of all steps into one log.

    Args:
        work: Runs the steps; gets this runner and calls `follow` for each step.
        request_messages: The caller's messages.
        callbacks: Functions that are called while the steps run; None if there are none.
        approval: Knows how long the steps waited for the user.
    """

    def __init__(
        self,
        work: Callable[[StepRunner], Awaitable[Answer]],
        request_messages: Messages,
        callbacks: StreamCallbacks | None,
        approval: Approval,
    ) -> None:
        self._approval = approval
        self.callbacks = callbacks
        self.log = EventLog(Accumulator())
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.first_token_at: float | None = None
        self.ended_at: float | None = None
        self.declared_complete = True
        self.request_messages = request_messages
        self.steps: list[Step] = []
        self.starts: list[int] = []
        self.current: TextStream | None = None
        self.answer: Answer | None = None
        self._attempts = 0
        self.task = tasks.start(self._run(work), "cbai steps")

    @property
    def request_id(self) -> str | None:
        """The server's id of the last request."""
        return self.current.request_id if self.current is not None else None

    async def follow(self, step: TextStream) -> Answer:
        """Copy the events of a step into the log, to the end of the step; return its answer."""
        self._attempts += step.timing.attempts
        self.current = step
        self.starts.append(len(self.log.events))
        async with step:
            async for burst in stream.bursts_of(step):
                # The end of a step is not the end of the answer.
                kept = [pair for pair in zip(*burst, strict=True) if pair[1] is not None]
                self.log.add([event for event, _ in kept], [chunk for _, chunk in kept])
                if self.first_token_at is None and self.log.accumulator.has_token:
                    self.first_token_at = self.loop.time()
                self.log.publish()
                if self.callbacks is not None:
                    await self.callbacks.report(kept)
            return await step.finish()

    def keep(self, step: Step) -> None:
        """Store a complete step: each of its tool calls has a result."""
        self.steps.append(step)
        self.current = None

    def timing(self) -> Timing:
        """Return the time so far, or the total time after the end, without the user's time."""
        first = self.first_token_at
        ended = (self.ended_at or self.loop.time()) - self._approval.waited_s
        return Timing(
            first_token_s=None if first is None else first - self.began,
            duration_s=ended - self.began,
            attempts=self._attempts,
        )

    async def _run(self, work: Callable[[StepRunner], Awaitable[Answer]]) -> None:
        try:
            self.answer = await work(self)
            done = Event(DONE)
            if self.callbacks is not None:
                await self.callbacks.report([(done, None)])
                await self.callbacks.finish(self.log.accumulator.text)
        except asyncio.CancelledError:
            self._end(error_mapping.stream_closed())
            raise
        except BaseException as error:
            # After any exception: no reader may wait for ever.
            self._end(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.ended_at = self.loop.time()
            self.log.add([done], [None])
            self.log.end()

    def _end(self, error: BaseException) -> None:
        self.ended_at = self.loop.time()
        # The text in a StructuredAnswerError is that of the last step; keep it.
        if isinstance(error, CbaiError) and not isinstance(error, StructuredAnswerError):
            error.partial = self.log.accumulator.text
        self.log.end(error)


class MultiStepStream(TextStream):
    """A stream of an answer that takes several requests, because of tool calls or a repair.

    It is read like every stream, from the first step to the last. ``text`` is the text of all
    steps, and ``usage`` is their sum. ``messages`` can be sent again: every tool call in them has
    its result. `finish` returns the answer of the last step, which has all ``steps``.
    """

    def __init__(
        self,
        runner: StepRunner,
        facts: AnswerFacts,
        response: ResponseType | None = None,
    ) -> None:
        super().__init__(runner, facts, began=runner.began)
        if runner.callbacks is not None:
            self._finalizer.detach()  # the callbacks are readers, also where no other is left
        self._runner = runner
        self._starts = runner.starts
        self._response = response

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are complete."""
        return tuple(self._runner.steps)

    def answer(self) -> Answer:
        """Return the answer so far."""
        runner = self._runner
        if runner.answer is not None:
            return runner.answer
        last = runner.current.answer() if runner.current is not None else None
        if last is None and runner.steps:
            last = runner.steps[-1].response
        return over_steps(
            last if last is not None else super().answer(),
            runner.steps,
            messages=self.messages,
            usage=self.usage,
            timing=self.timing,
        )

    @property
    def usage(self) -> Usage | None:
        """The token counts of all steps so far; None until the server has sent them."""
        current = self._runner.current
        counted = [step.usage for step in self._runner.steps]
        return sum_usage([*counted, current.usage if current is not None else None])

    @property
    def messages(self) -> Messages:
        """The request's messages, those of the complete steps, and the current step's text."""
        runner = self._runner
        if runner.answer is not None:
            return list(runner.answer.messages)
        messages = [*runner.request_messages]
        for step in runner.steps:
            messages += step.messages
        if runner.current is not None and runner.current.text:
            # Tool calls are added with their results.
            messages.append({"role": "assistant", "content": runner.current.text})
        return messages

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of the last step; None until the answer has ended."""
        return self._runner.answer.finish_reason if self._runner.answer is not None else None

    @property
    def timing(self) -> Timing:
        """The times to the first token and to the end."""
        if self._runner.answer is not None:
            return self._runner.answer.timing
        timing = self._runner.timing()
        return timing if self._runner.ended_at is not None else timing.unfinished()
