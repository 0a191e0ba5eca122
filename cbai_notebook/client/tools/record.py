"""The values of the tool loop: tool calls with their results, and the steps of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.chat_wire import Usage

Status = Literal["ok", "error", "refused", "unknown", "invalid"]
"""How a call ended: the tool returned, the tool raised, the user refused, there is no such tool, or
the arguments do not fit."""


@dataclass(frozen=True)
class CallResult:
    """One tool call with its result.

    Args:
        id: The call's id; the result refers to it.
        name: The tool.
        arguments: The arguments as the model wrote them.
        parsed: The arguments as the function got them; None when they could not be used.
        text: The result as the model reads it.
        status: How the call ended.
        error: The exception that the tool raised.
        duration_s: Seconds from the call to its end, the question to the user included.
    """

    id: str
    name: str
    arguments: str
    parsed: Mapping[str, Any] | None
    text: str
    status: Status = "ok"
    error: BaseException | None = None
    duration_s: float = 0.0

    @property
    def message(self) -> dict[str, Any]:
        """The tool message for the next request."""
        return {"role": "tool", "tool_call_id": self.id, "content": self.text}


@dataclass(frozen=True)
class Step:
    """One request of an answer that took several, and the calls that it led to.

    Args:
        number: The step's number, from 1.
        message: The assistant message with every tool call, for the next request.
        results: The calls that have a result, in the model's order.
        usage: The tokens of this request.
        finish_reason: Why the model stopped here.
        response: The answer of this one request.
    """

    number: int
    message: Mapping[str, Any]
    results: tuple[CallResult, ...]
    usage: Usage | None
    finish_reason: str | None
    response: Answer = field(repr=False)

    @property
    def text(self) -> str:
        """The content of this step."""
        return self.response.text

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages for the next request: the assistant message, then one for each result."""
        return [dict(self.message), *(result.message for result in self.results)]


@dataclass(frozen=True)
class ToolCallState:
    """The state of a tool call, passed to ``on_call`` when it starts and when it has ended.

    Args:
        id: The call's id.
        name: The tool.
        arguments: The arguments as the model wrote them.
        step: The number of the step.
        result: Its result; None while it runs.
    """

    id: str
    name: str
    arguments: str
    step: int
    result: CallResult | None = None

    @property
    def running(self) -> bool:
        """Whether the call has not ended yet."""
        return self.result is None


@dataclass(frozen=True)
class PendingCall:
    """A tool call that waits for the user's approval.

    Args:
        id: The call's id.
        name: The tool.
        arguments: The arguments as the function would get them.
        description: The tool's description.
        step: The number of the step.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    description: str
    step: int
