"""Follows the steps of an answer that calls tools: what is shown of the calls, and what is kept."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.delta import Delta
from cbai_notebook.conversation.tool_calls import ASKING, RUNNING, ToolCall
from cbai_notebook.conversation.turn import BETWEEN_STEPS, Turn

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Step
    from cbai_notebook.client.tools.tool_calls import PendingCall, ToolCallState

Approve = Callable[[Turn, "PendingCall"], Awaitable[bool]]
"""Asks the user about a call. The turn tells it from calls of the same id: models count their calls anew
in each answer."""


def following(
    options: Mapping[str, Any], turn: Turn, grow: Callable[[Delta], None], *, streamed: bool
) -> dict[str, Any]:
    """Return the client's options with what follows the calls of tools.

    Args:
        options: ``tools``, ``on_step_finish`` and so on, as the caller wants them; ``approve`` is
            an :data:`Approve`.
        turn: Gets the messages of each step that called tools.
        grow: Told of each call when it starts, when the user is asked, and when it has ended.
        streamed: Whether the words of a step arrive by themselves.
    """
    if not options.get("tools"):
        return dict(options)
    steps = _Steps(options, turn, grow, streamed)
    followed = {**options, "on_call": steps.on_call, "on_step_finish": steps.on_step_finish}
    if options.get("approve"):
        followed["approve"] = steps.approve
    return followed


class _Steps:
    def __init__(
        self,
        options: Mapping[str, Any],
        turn: Turn,
        grow: Callable[[Delta], None],
        streamed: bool,
    ) -> None:
        self._approve: Approve = options.get("approve") or _no
        self._on_step_finish = options.get("on_step_finish")
        self._on_call = options.get("on_call")
        self._turn = turn
        self._grow = grow
        self._streamed = streamed

    def on_call(self, state: ToolCallState) -> None:
        self._grow(Delta(call=_call_of(state)))
        if self._on_call:
            self._on_call(state)

    async def approve(self, pending: PendingCall) -> bool:
        call = next((one for one in self._turn.calls if one.id == pending.id), None)
        if call is not None:
            self._grow(Delta(call=replace(call, status=ASKING)))
        allowed = await self._approve(self._turn, pending)
        if call is not None and allowed:
            self._grow(Delta(call=replace(call, status=RUNNING)))
        return allowed

    async def on_step_finish(self, step: Step) -> None:
        if step.results:
            self._turn.steps += tuple(step.messages)
            if words := step.message.get("content"):
                # The words of a step and what follows them are not one sentence.
                self._grow(Delta(BETWEEN_STEPS if self._streamed else words + BETWEEN_STEPS))
        if self._on_step_finish:
            waited = self._on_step_finish(step)
            if inspect.isawaitable(waited):
                await waited


def _call_of(state: ToolCallState) -> ToolCall:
    result = state.result
    if result is None:
        return ToolCall(state.id, state.name, state.arguments)
    return ToolCall(
        state.id, state.name, state.arguments, result.status, result.text, result.duration_s
    )


async def _no(turn: Turn, pending: PendingCall) -> bool:
    return False
