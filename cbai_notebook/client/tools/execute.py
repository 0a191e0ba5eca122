"""Run one tool call: check the arguments, get the approval, call the function, make the result.

Every failure of a call becomes a result that the model reads, so that it can correct the call. Only
an interrupt and a cancellation are raised: they stop the whole answer.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cbai_notebook.client.tools.approval import Approval
from cbai_notebook.client.tools.result import ToolOutput, result_text
from cbai_notebook.client.tools.tool import Tool
from cbai_notebook.client.tools.tool_calls import FAILED, REFUSED, ToolCall
from cbai_notebook.client.tools.user_function import call_user, elsewhere

CallNested = Callable[[Callable[[], Any]], Awaitable[Any]]
OnCall = Callable[[ToolCall], None]
Mask = Callable[[str], tuple[str, Sequence[str]]]


async def run_here(call: Callable[[], Any]) -> Any:
    """Run a nested tool on the current event loop."""
    value = call()
    return await value if inspect.isawaitable(value) else value


@dataclass(frozen=True)
class ToolExecutor:
    """Runs the tool calls of one answer.

    Args:
        tools: The tools by name.
        approval: Asks the user to allow a call of a tool with ``confirm=True``.
        call_nested: Runs a tool with ``nested=True``, given as a function without arguments whose
            result may be awaitable.
        on_call: Called with each new state of a tool call.
        mask: Removes secrets from the text of a result; returns it with the secrets' names.
    """

    tools: Mapping[str, Tool]
    approval: Approval = field(default_factory=Approval)
    call_nested: CallNested = run_here
    on_call: OnCall | None = None
    mask: Mask = lambda text: (text, ())

    async def call(self, call: ToolCall) -> ToolCall:
        """Run one tool call of a step and return it with its result; report its states."""
        masked: dict[str, None] = {}

        def text_of(value: Any) -> str:
            def mask(text: str) -> str:
                text, names = self.mask(text)
                masked.update(dict.fromkeys(names))
                return text

            return result_text(value, mask)

        clock = _Clock()
        self._report(call)
        call = await self._ended(call, clock, text_of)
        call = replace(call, duration_s=clock.seconds, masked=tuple(masked))
        self._report(call)
        return call

    def _report(self, call: ToolCall) -> None:
        if self.on_call is not None:
            self.on_call(call)

    async def _ended(
        self, call: ToolCall, clock: _Clock, text_of: Callable[[Any], str]
    ) -> ToolCall:
        tool = self.tools.get(call.name)
        if tool is None:
            known = ", ".join(self.tools) or "none"
            text = f"{FAILED}there is no tool {call.name[:64]!r}. The tools are: {known}."
            return replace(call, result=text_of(text), status="unknown")
        try:
            arguments = _decoded(tool, call.arguments.strip() or "{}")
        # An argument's type can run the user's code too, in `__post_init__`.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            text = (
                f"{FAILED}the arguments do not fit: {_message_of(error)}. "
                f"You wrote: {call.arguments[:500]} "
                "Call the tool again with arguments that fit its parameters."
            )
            return replace(call, result=text_of(text), status="invalid", error=error)
        call = replace(call, parsed=arguments, description=tool.description, server=tool.server)
        if tool.confirm and not await self._allowed(call, clock):
            text = f"{REFUSED}the user did not allow this call. Do not try it again unasked."
            return replace(call, result=text_of(text), status="refused")
        try:
            with self.approval.working():
                value = await self._run(tool, arguments)
            if isinstance(value, ToolOutput):
                call, value = replace(call, images=value.images), value.text
            return replace(call, result=text_of(value), status="ok")
        # A tool that calls sys.exit() must not end the kernel.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            text = f"{FAILED}{type(error).__name__}: {_message_of(error)}"
            return replace(call, result=text_of(text), status="error", error=error)

    async def _allowed(self, call: ToolCall, clock: _Clock) -> bool:
        with clock.paused():
            allowed = await self.approval.allows(replace(call, status="asking"), self._report)
        if allowed:
            self._report(call)
        return allowed

    async def _run(self, tool: Tool, arguments: Mapping[str, Any]) -> Any:
        def call() -> Any:
            return tool.function(**arguments)

        if tool.nested:
            return await elsewhere(self.call_nested, call, tool.name)
        return await call_user(tool.function, call, tool.name)


class _Clock:
    """Measures a tool call, without the time that a person takes to allow it."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()

    @property
    def seconds(self) -> float:
        return self._now() - self._began

    @contextmanager
    def paused(self) -> Iterator[None]:
        paused = self._now()
        try:
            yield
        finally:
            self._began += self._now() - paused


def _decoded(tool: Tool, text: str) -> dict[str, Any]:
    """Return the arguments by name.

    Raises:
        ValueError: A name is there twice: one reader takes the first value and another the last, so
            what a user approves would not be what runs.
    """
    unreadable = None
    try:
        # Numbers stay text: the check must not fail because of a very long one.
        json.loads(text, object_pairs_hook=_with_single_names, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        unreadable = error
    arguments = tool.decode(text)  # its errors name the parameter
    if unreadable is not None:
        raise unreadable
    return arguments


def _with_single_names(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:64]!r} is there twice")
        found[name] = value
    return found


def _message_of(error: BaseException) -> str:
    """Return an exception's message; its ``__str__`` is the user's code too, and can fail."""
    try:
        return str(error)
    except (Exception, SystemExit) as failure:  # noqa: BLE001
        return f"(its message cannot be read: {type(failure).__name__})"
