"""The parameters that the client itself handles: tools, response type, callbacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.callbacks import StreamCallbacks
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Step
    from cbai_notebook.client.structured.response_type import ResponseType
    from cbai_notebook.client.tools.approval import Approval, Approve
    from cbai_notebook.client.tools.execute import CallNested, Mask, OnCall, ToolExecutor
    from cbai_notebook.client.tools.tool import Tool

DEFAULT_MAX_STEPS = 10
"""The default maximum of requests for one answer."""

# The names of this package and, after them, those of the Web SDK.
_NAMES = {
    "max_steps": ("max_steps", "maxSteps"),
    "on_step_finish": ("on_step_finish", "onStepFinish"),
    "on_call": ("on_call",),
    "approve": ("approve",),
    "call_nested": ("call_nested",),
    "allow_secrets": ("allow_secrets",),
    "response_type": ("response_type",),
}
# Those of the Mini Program's `streamText`.
_CALLBACK_NAMES = {
    "on_event": ("on_event", "onEvent"),
    "on_text": ("on_text", "onText"),
    "on_finish": ("on_finish", "onFinish"),
}
CLIENT_SIDE = frozenset(
    name for names in (*_NAMES.values(), *_CALLBACK_NAMES.values()) for name in names
)
"""Parameters that are never sent as they are."""


@dataclass(frozen=True)
class RequestOptions:
    """The parameters of a request that are not sent.

    Args:
        tools: The tools that have a function, by name.
        caller_tools: The names of the tools whose calls are left to the caller.
        max_steps: The most requests for one answer.
        on_step_finish: Called with each step; may be asynchronous.
        on_call: Called with each new state of a tool call.
        approve: Asks the user to approve calls of tools with ``confirm=True``; None refuses them.
            An `Approval` is used as it is, and tells its owner how long the user took.
        call_nested: Runs tools with ``nested=True``; None runs them on the current event loop.
        allow_secrets: Whether the results of tools may hold secrets; API keys are masked anyway.
        response: The type of the answer.
        callbacks: The functions that a stream calls while it runs; None if there are none.

    Attributes:
        loops: Whether the step loop is needed: for tools, for a response type or for a callback.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)
    caller_tools: frozenset[str] = frozenset()
    max_steps: int = DEFAULT_MAX_STEPS
    on_step_finish: Callable[[Step], Awaitable[None] | None] | None = None
    on_call: OnCall | None = None
    approve: Approve | Approval | None = None
    call_nested: CallNested | None = None
    allow_secrets: bool = False
    response: ResponseType | None = None
    callbacks: StreamCallbacks | None = None
    loops: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        hooks = (self.response, self.on_step_finish, self.callbacks)
        object.__setattr__(
            self, "loops", bool(self.tools) or any(hook is not None for hook in hooks)
        )

    def executor(self, mask: Mask) -> ToolExecutor:
        """Return the executor of the tools.

        Args:
            mask: Removes secrets from the text of a result.
        """
        from cbai_notebook.client.tools.approval import Approval
        from cbai_notebook.client.tools.execute import ToolExecutor, run_here

        approve = self.approve
        return ToolExecutor(
            self.tools,
            approval=approve if isinstance(approve, Approval) else Approval(approve),
            call_nested=self.call_nested or run_here,
            on_call=self.on_call,
            mask=mask,
        )


def split(given: Mapping[str, Any]) -> tuple[RequestOptions, dict[str, Any]]:
    """Split the parameters of a request into the client's options and the parameters to send.

    Args:
        given: All parameters.

    Returns:
        The options, and the parameters to send, with tools and response type as JSON values.

    Raises:
        UsageError: A value is not valid.
    """
    sent = {name: value for name, value in given.items() if name not in CLIENT_SIDE}
    found = _values(given, _NAMES)
    tools: dict[str, Tool] = {}
    caller_tools: frozenset[str] = frozenset()
    if sent.get("tools") is not None:
        from cbai_notebook.client.tools.tool import Tool, tools_of

        given_tools = tools_of(sent["tools"])
        tools = {tool.name: tool for tool in given_tools if isinstance(tool, Tool)}
        names = (_name_of(tool) for tool in given_tools if not isinstance(tool, Tool))
        caller_tools = frozenset(filter(None, names))
        sent["tools"] = [tool.sent if isinstance(tool, Tool) else tool for tool in given_tools]
        if not sent["tools"]:
            del sent["tools"]  # providers reject an empty list
    response = None
    if found["response_type"] is not None:
        from cbai_notebook.client.structured.response_type import response_type_of

        response = response_type_of(found["response_type"])
        sent.setdefault("response_format", response.format)
    return RequestOptions(
        tools=tools,
        caller_tools=caller_tools,
        max_steps=_steps(found["max_steps"]),
        on_step_finish=found["on_step_finish"],
        on_call=found["on_call"],
        approve=found["approve"],
        call_nested=found["call_nested"],
        allow_secrets=bool(found["allow_secrets"]),
        response=response,
        callbacks=_callbacks(given),
    ), sent


def _values(given: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the value of each option, None where no name of it is given."""
    found: dict[str, Any] = {}
    for option, spellings in names.items():
        found[option] = None
        for name in spellings:
            if given.get(name) is not None:
                found[option] = given[name]
                break
    return found


def _callbacks(given: Mapping[str, Any]) -> StreamCallbacks | None:
    found = _values(given, _CALLBACK_NAMES)
    for option, value in found.items():
        if value is not None and not callable(value):
            raise UsageError(
                say("request.callback_is_no_function", option=option, value=repr(value))
            )
    return StreamCallbacks(**found) if any(found.values()) else None


def _steps(value: Any) -> int:
    if value is None:
        return DEFAULT_MAX_STEPS
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(say("request.max_steps_is_wrong", value=repr(value)))
    return value


def _name_of(raw: Any) -> str | None:
    """Return the name of a tool that is given as a JSON value."""
    inner = raw.get("function") if isinstance(raw, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    return name if isinstance(name, str) else None
