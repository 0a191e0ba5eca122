"""The tool loop: send a request and run the tool calls of its response, until there are none.

Completions and streams share this loop. It ends after ``max_steps`` requests at the latest. Every
tool call gets a result, except calls of tools that the caller runs itself.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cbai_notebook.client.answer import (
    Answer,
    Messages,
    SendStep,
    Step,
    Timing,
    over_steps,
    sum_usage,
)
from cbai_notebook.client.chat_wire import WireToolCall
from cbai_notebook.client.chunk_reader import message_of
from cbai_notebook.client.endings import MAX_STEPS_REACHED
from cbai_notebook.client.reply import reply_of
from cbai_notebook.client.tasks import mark_retrieved
from cbai_notebook.client.tools.execute import ToolExecutor
from cbai_notebook.client.tools.tool_calls import ToolCall
from cbai_notebook.client.tools.user_function import in_task
from cbai_notebook.errors import BadRequestError, ServerError, StructuredAnswerError

if TYPE_CHECKING:
    from cbai_notebook.client.request_options import RequestOptions

# The most tool calls of one step that run in parallel. A model can request thousands.
_MAX_PARALLEL_CALLS = 32
_SEEN = "The images of the tool results above:"
_NOT_SEEN = (
    "The images of the tool results above were shown to the user; this model takes no images."
)
# Characters that a tool name must not have: a server can refuse a request with such a name.
_NOT_IN_TOOL_NAMES = re.compile(r"[^A-Za-z0-9_-]")


async def run(
    send_step: SendStep,
    messages: Sequence[Any],
    options: RequestOptions,
    executor: ToolExecutor,
    *,
    keep: Callable[[Step], None],
    timing: Callable[[], Timing],
) -> Answer:
    """Run the steps of an answer.

    Args:
        send_step: Sends the request of one step.
        messages: The caller's messages.
        options: The tools, the limits and the callbacks.
        executor: Runs the tool calls.
        keep: Called with each step when it is complete.
        timing: Returns the time of all steps; called at the end.

    Returns:
        The answer of the last step, with the usage, messages and timing of all steps.

    Raises:
        CbaiError: A request failed.
        StructuredAnswerError: The answer does not fit the type, also after a second attempt.
    """
    all_messages: Messages = list(messages)
    images: Messages = []  # those of the last step's results: a result itself is text
    repair_messages: Messages = []  # the answer that did not fit, and why: sent once, not kept
    steps: list[Step] = []
    used_ids: set[str] = set()
    called = False
    while True:
        number = len(steps) + 1
        try:
            response = await send_step([*all_messages, *images, *repair_messages], number)
        except (BadRequestError, ServerError):
            # Models without eyes refuse images in different ways.
            if not images:
                raise
            images = [_image_message((), _NOT_SEEN)]
            response = await send_step([*all_messages, *images, *repair_messages], number)
        calls = _calls(response, options, number, used_ids)
        called = called or bool(calls)
        message = _message(response, calls, thinking=called)
        step = await _step(response, message, calls, executor, options, number)
        steps.append(step)
        keep(step)
        await _notify(options, step)
        parsed = None
        if not calls and options.response is not None:
            try:
                parsed = options.response.parse(
                    response.text, response.finish_reason, response.refusal
                )
            except StructuredAnswerError as error:
                if repair_messages:
                    raise
                repair_messages = options.response.repair(response.text, error)
                if not repair_messages:
                    raise
                continue
        all_messages += [*images, *step.messages]
        found = [url for call in step.results for url in call.images]
        images = [_image_message(found, _SEEN)] if found else []
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


def _image_message(urls: Sequence[str], text: str) -> dict[str, Any]:
    """Return the message with the images of tool results; providers take them from the user only."""
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": "user", "content": [{"type": "text", "text": text}, *parts] if parts else text}


async def _step(
    response: Answer,
    message: dict[str, Any],
    calls: list[ToolCall],
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
        message=message,
        results=tuple(results),
        usage=response.usage,
        finish_reason=response.finish_reason,
        response=response,
    )


async def _notify(options: RequestOptions, step: Step) -> None:
    if options.on_step_finish is not None:
        outcome = options.on_step_finish(step)
        if inspect.isawaitable(outcome):
            await in_task(outcome, "on_step_finish")


async def _call_all(executor: ToolExecutor, calls: list[ToolCall]) -> list[ToolCall]:
    """Run tool calls in parallel; the first exception that is raised cancels the others."""
    if not calls:
        return []
    slots = asyncio.Semaphore(_MAX_PARALLEL_CALLS)

    async def run_one(call: ToolCall) -> ToolCall:
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


def _calls(
    response: Answer, options: RequestOptions, number: int, used_ids: set[str]
) -> list[ToolCall]:
    """Return the tool calls of a step, each with a unique id, also where the provider sent none."""
    calls: list[ToolCall] = []
    for position, call in enumerate(response.tool_calls or _legacy_call(response, options)):
        id_ = call.id or ""
        while not id_ or id_ in used_ids:
            id_ += f"call_{number}_{position}"
        used_ids.add(id_)
        calls.append(ToolCall(id_, *_function(call), step=number))
    return calls


def _legacy_call(response: Answer, options: RequestOptions) -> list[WireToolCall]:
    """Return the call of one of our tools that a server sent in the form that preceded tool calls."""
    message = _raw_message(response)
    function = message.get("function_call")
    found = message_of({"tool_calls": [{"function": function}]}).tool_calls or []
    return [call for call in found if call.function and call.function.name in options.tools]


def _raw_message(response: Answer) -> Mapping[str, Any]:
    choices = response.raw.get("choices")
    message = choices[0].get("message") if choices else None
    return message if isinstance(message, Mapping) else {}


def _function(call: WireToolCall) -> tuple[str, str]:
    function = call.function
    if function is None:
        return "", ""
    arguments = function.arguments or ""
    # Some models write null for a function without arguments.
    return function.name or "", "" if arguments.strip() == "null" else arguments


def _message(response: Answer, calls: list[ToolCall], *, thinking: bool) -> dict[str, Any]:
    """Return the assistant message of a step for the next request: as received, and repaired.

    Args:
        response: The answer of the step.
        calls: Its tool calls.
        thinking: Whether to include the thinking: DeepSeek and Kimi refuse the next request of a
            turn with tool calls without it.
    """
    message = reply_of(response.raw, thinking=thinking) or {"role": "assistant", "content": ""}
    if not calls:
        return message
    message.pop("function_call", None)
    received = message.get("tool_calls") or [{} for _ in calls]
    message["tool_calls"] = [
        {
            **raw,
            "id": call.id,
            "type": raw.get("type") or "function",
            "function": {
                **(raw.get("function") or {}),
                "name": _NOT_IN_TOOL_NAMES.sub("_", call.name)[:64] or "unnamed",
                "arguments": _sendable(call.arguments),
            },
        }
        for raw, call in zip(received, calls, strict=True)
    ]
    return message


def _sendable(arguments: str) -> str:
    """Return the arguments; ``{}`` if they are not a JSON object, which several servers refuse.

    The result of the call shows the model what it wrote.
    """
    try:
        fits = isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        fits = False
    return arguments if fits else "{}"
