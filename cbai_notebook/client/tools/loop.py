"""The tool loop: send a request and run the tool calls of its response, until there are none.

Completions and streams share this loop. It ends after ``max_steps`` requests at the latest. Every
tool call gets a result, except calls of tools that the caller runs itself.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cbai_notebook.client.answer import (
    MAX_STEPS_REACHED,
    Answer,
    Messages,
    SendStep,
    Step,
    Timing,
    over_steps,
    sum_usage,
)
from cbai_notebook.client.chat_wire import WireToolCall
from cbai_notebook.client.tasks import mark_retrieved
from cbai_notebook.client.tools.execute import ToolExecutor
from cbai_notebook.client.tools.tool_calls import CallResult, ToolCallState
from cbai_notebook.errors import StructuredAnswerError

if TYPE_CHECKING:
    from cbai_notebook.client.request_options import RequestOptions

# The most tool calls of one step that run in parallel. A model can request thousands.
_MAX_PARALLEL_CALLS = 32
# Characters that a tool name must not have: a server can refuse a request with such a name.
_NOT_IN_TOOL_NAMES = re.compile(r"[^A-Za-z0-9_-]")


async def run(
    send_step: SendStep,
    messages: Sequence[Any],
    options: RequestOptions,
    *,
    mask: Callable[[str], str],
    keep: Callable[[Step], None],
    timing: Callable[[], Timing],
) -> Answer:
    """Run the steps of an answer.

    Args:
        send_step: Sends the request of one step.
        messages: The caller's messages.
        options: The tools, the limits and the callbacks.
        mask: Removes secrets from a tool's result.
        keep: Called with each step when it is complete.
        timing: Returns the time of all steps; called at the end.

    Returns:
        The answer of the last step, with the usage, messages and timing of all steps.

    Raises:
        CbaiError: A request failed.
        StructuredAnswerError: The answer does not fit the type, also after a second attempt.
    """
    executor = options.executor(mask)
    all_messages: Messages = list(messages)
    repair_messages: Messages = []  # the answer that did not fit, and why: sent once, not kept
    steps: list[Step] = []
    used_ids: set[str] = set()
    while True:
        number = len(steps) + 1
        response = await send_step([*all_messages, *repair_messages], number)
        calls = _calls(response, number, used_ids)
        step = await _step(response, calls, executor, options, number)
        steps.append(step)
        keep(step)
        await _notify(options, step)
        parsed = None
        if not calls and options.response is not None:
            try:
                parsed = options.response.parse(response.text, response.finish_reason)
            except StructuredAnswerError as error:
                if repair_messages or response.finish_reason == "length":
                    raise
                repair_messages = options.response.repair(response.text, error)
                continue
        all_messages += step.messages
        continues = bool(calls) and len(step.results) == len(calls)
        if continues and number < options.max_steps:
            continue
        return over_steps(
            response,
            steps,
            messages=all_messages,
            usage=sum_usage(step.usage for step in steps),
            timing=timing(),
            parsed=parsed,
            finish_reason=MAX_STEPS_REACHED if continues else None,
        )


async def _step(
    response: Answer,
    calls: list[ToolCallState],
    executor: ToolExecutor,
    options: RequestOptions,
    number: int,
) -> Step:
    """Run the tool calls of a step, except those that the caller runs itself."""
    results = await _call_all(
        executor, [call for call in calls if call.name not in options.caller_tools]
    )
    return Step(
        number=number,
        message=_message(response, calls),
        results=tuple(results),
        usage=response.usage,
        finish_reason=response.finish_reason,
        response=response,
    )


async def _notify(options: RequestOptions, step: Step) -> None:
    if options.on_step_finish is not None:
        outcome = options.on_step_finish(step)
        if inspect.isawaitable(outcome):
            await outcome


async def _call_all(executor: ToolExecutor, calls: list[ToolCallState]) -> list[CallResult]:
    """Run tool calls in parallel; the first exception that is raised cancels the others."""
    if not calls:
        return []
    slots = asyncio.Semaphore(_MAX_PARALLEL_CALLS)

    async def run_one(call: ToolCallState) -> CallResult:
        async with slots:
            return await executor.call(call)

    tasks = [asyncio.ensure_future(run_one(call)) for call in calls]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        return [task.result() for task in tasks if task.done()]
    finally:
        pending = [task for task in tasks if not task.done()]
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
        for task in tasks:
            mark_retrieved(task)


def _calls(response: Answer, number: int, used_ids: set[str]) -> list[ToolCallState]:
    """Return the tool calls of a step, each with a unique id, also where the provider sent none."""
    calls: list[ToolCallState] = []
    for position, call in enumerate(response.tool_calls):
        id_ = call.id or ""
        while not id_ or id_ in used_ids:
            id_ += f"call_{number}_{position}"
        used_ids.add(id_)
        calls.append(ToolCallState(id_, *_function(call), number))
    return calls


def _function(call: WireToolCall) -> tuple[str, str]:
    function = call.function
    return (function.name or "", function.arguments or "") if function is not None else ("", "")


def _message(response: Answer, calls: list[ToolCallState]) -> dict[str, Any]:
    """Return the assistant message of a step for the next request."""
    if not calls:
        return dict(response.messages[-1]) if response.choices else _assistant_message("")
    message = _assistant_message(response.text)
    if response.reasoning:
        # DeepSeek and Kimi refuse the next request of a loop without it.
        message["reasoning_content"] = response.reasoning
    message["tool_calls"] = [
        {
            "id": call.id,
            "type": "function",
            "function": {
                "name": _NOT_IN_TOOL_NAMES.sub("_", call.name)[:64] or "unnamed",
                "arguments": _sendable(call.arguments),
            },
        }
        for call in calls
    ]
    return message


def _assistant_message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _sendable(arguments: str) -> str:
    """Return the arguments; ``{}`` if they are not a JSON object, which several servers refuse.

    The result of the call shows the model what it wrote.
    """
    try:
        fits = isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        fits = False
    return arguments if fits else "{}"
