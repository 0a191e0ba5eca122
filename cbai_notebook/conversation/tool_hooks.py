"""Hooks for the client's tool loop: they pass tool calls and steps to the turn and the screen."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.conversation.delta import Delta
from cbai_notebook.conversation.turn import BETWEEN_STEPS, Turn, step_text

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Step
    from cbai_notebook.client.request_options import RequestOptions
    from cbai_notebook.client.tools.approval import Approval


def with_tool_hooks(
    options: RequestOptions,
    turn: Turn,
    listener: Callable[[Delta], None],
    approval: Approval,
    *,
    streamed: bool,
) -> RequestOptions:
    """Return the client's options with hooks that follow the tool calls.

    Args:
        options: The options as the caller wants them. The caller's own hooks are called as well.
        turn: Gets the messages of each step that called tools.
        listener: Called with each call when it starts, when the user is asked, and when it has
            ended.
        approval: Asks the user, and knows how long the user took.
        streamed: Whether the text of a step has already arrived as deltas.
    """
    hooks = _ToolHooks(options, turn, listener, streamed)
    return replace(
        options,
        on_call=hooks.on_call,
        on_step_finish=hooks.on_step_finish,
        approve=approval,
        allow_secrets=turn.allow_secrets,
    )


class _ToolHooks:
    def __init__(
        self,
        options: RequestOptions,
        turn: Turn,
        listener: Callable[[Delta], None],
        streamed: bool,
    ) -> None:
        self._on_step_finish = options.on_step_finish
        self._on_call = options.on_call
        self._turn = turn
        self._listener = listener
        self._streamed = streamed

    def on_call(self, call: ToolCall) -> None:
        # A turn lives long: it keeps neither the user's objects nor the frames of an exception.
        self._listener(Delta(call=replace(call, parsed=None, error=None)))
        if self._on_call:
            self._on_call(call)

    async def on_step_finish(self, step: Step) -> None:
        if step.results:
            self._turn.steps += tuple(step.messages)
            if text := step_text(step.message):
                # Without a separator the texts of two steps would read as one sentence.
                self._listener(Delta(BETWEEN_STEPS if self._streamed else text + BETWEEN_STEPS))
        if self._on_step_finish:
            result = self._on_step_finish(step)
            if inspect.isawaitable(result):
                await result
