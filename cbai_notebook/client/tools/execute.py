"""Run one tool call: check the arguments, get the approval, call the function, make the result.

Every failure of a call becomes a result that the model reads, so that it can correct the call. Only
an interrupt and a cancellation are raised: they stop the whole answer.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cbai_notebook.client.tasks import mark_retrieved
from cbai_notebook.client.tools.result import result_text
from cbai_notebook.client.tools.threads import in_thread
from cbai_notebook.client.tools.tool import Tool
from cbai_notebook.client.tools.tool_calls import ToolCall

Approve = Callable[[ToolCall], Awaitable[bool]]
CallNested = Callable[[Callable[[], Any]], Awaitable[Any]]
OnCall = Callable[[ToolCall], None]

# Time for an asynchronous tool to clean up after an interrupt.
_CLEAN_UP_S = 1.0


async def run_here(call: Callable[[], Any]) -> Any:
    """Run a nested tool on the current event loop."""
    value = call()
    return await value if inspect.isawaitable(value) else value


@dataclass(frozen=True)
class ToolExecutor:
    """Runs the tool calls of one answer.

    Args:
        tools: The tools by name.
        approve: Asks the user to allow a call of a tool with ``confirm=True``; one call at a time.
            None refuses them.
        call_nested: Runs a tool with ``nested=True``, given as a function without arguments whose
            result may be awaitable.
        on_call: Called with each new state of a tool call.
        mask: Removes secrets from the text of a result.
    """

    tools: Mapping[str, Tool]
    approve: Approve | None = None
    call_nested: CallNested = run_here
    on_call: OnCall | None = None
    mask: Callable[[str], str] = str
    _approval_lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def call(self, call: ToolCall) -> ToolCall:
        """Run one tool call of a step and return it with its result; report its states."""
        clock = asyncio.get_running_loop().time
        began = clock()
        self._report(call)
        call = await self._ended(call)
        call = replace(call, result=self.mask(call.text), duration_s=clock() - began)
        self._report(call)
        return call

    def _report(self, call: ToolCall) -> None:
        if self.on_call is not None:
            self.on_call(call)

    async def _ended(self, call: ToolCall) -> ToolCall:
        tool = self.tools.get(call.name)
        if tool is None:
            known = ", ".join(self.tools) or "none"
            text = f"Error: there is no tool {call.name[:64]!r}. The tools are: {known}."
            return replace(call, result=text, status="unknown")
        try:
            arguments = tool.decode(call.arguments.strip() or "{}")
        # An argument's type can run the user's code too, in `__post_init__`.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            text = (
                f"Error: the arguments do not fit: {_message_of(error)}. "
                f"You wrote: {call.arguments[:500]} "
                "Call the tool again with arguments that fit its parameters."
            )
            return replace(call, result=result_text(text), status="invalid", error=error)
        call = replace(call, parsed=arguments, description=tool.description)
        if tool.confirm and not await self._approved(call):
            text = "Refused: the user did not allow this call. Do not try it again unasked."
            return replace(call, result=text, status="refused")
        try:
            return replace(call, result=result_text(await self._run(tool, arguments)), status="ok")
        # A tool that calls sys.exit() must not end the kernel.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            text = f"Error: {type(error).__name__}: {_message_of(error)}"
            return replace(call, result=result_text(text), status="error", error=error)

    async def _approved(self, call: ToolCall) -> bool:
        if self.approve is None:
            return False
        async with self._approval_lock:
            asking = replace(call, status="asking")
            self._report(asking)
            allowed = await self.approve(asking)
            if allowed:
                self._report(call)
            return allowed

    async def _run(self, tool: Tool, arguments: Mapping[str, Any]) -> Any:
        def call() -> Any:
            return tool.function(**arguments)

        if tool.nested:
            return await _run_in_task(self.call_nested(call))
        if _is_async(tool.function):
            return await _run_in_task(call())
        value = await in_thread(call, tool.name)
        return await _run_in_task(value) if inspect.isawaitable(value) else value


async def _run_in_task(work: Awaitable[Any]) -> Any:
    """Wait for work in a separate task, so that its cancellation is not taken for our own.

    Raises:
        RuntimeError: The work was cancelled, but this coroutine was not.
    """

    async def guarded() -> tuple[Any, SystemExit | None]:
        try:
            return await work, None
        except SystemExit as error:
            return None, error  # raised in the task, it would end the event loop

    task = asyncio.ensure_future(guarded())
    try:
        await asyncio.wait({task})
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CLEAN_UP_S)
        mark_retrieved(task)
    if task.cancelled():
        raise RuntimeError("The tool was cancelled before it ended.")
    value, exit_ = task.result()
    if exit_ is not None:
        raise exit_
    return value


def _message_of(error: BaseException) -> str:
    """Return an exception's message; its ``__str__`` is the user's code too, and can fail."""
    try:
        return str(error)
    except (Exception, SystemExit) as failure:  # noqa: BLE001
        return f"(its message cannot be read: {type(failure).__name__})"


def _is_async(function: Callable[..., Any]) -> bool:
    called = getattr(function, "__call__", None)  # noqa: B004  # it can be asynchronous
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
