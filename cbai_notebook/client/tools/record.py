"""What happened: the calls of a step, each with its result, and the steps of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.chat_wire import Usage

Status = Literal["ok", "error", "refused", "unknown", "invalid"]
"""How a call ended: the tool returned, it raised, the user said no, there is no such tool, or its
arguments do not fit."""


@dataclass(frozen=True)
class CallResult:
    """One call of a tool and what the model is told of it.

    Args:
        id: The call's id, by which its answer is found.
        name: The tool.
        arguments: The arguments as the model wrote them.
        parsed: The arguments as the function got them; None when they could not be used.
        text: What the model is told.
        status: How it ended.
        error: What the tool raised.
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
        """The result as the message that answers the call."""
        return {"role": "tool", "tool_call_id": self.id, "content": self.text}


@dataclass(frozen=True)
class Step:
    """One request of an answer that took several, and the calls that it led to.

    Args:
        number: Counts from 1.
        message: The assistant message with every call, as it is sent back.
        results: The calls that were answered, in the order in which the model made them.
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
        """The step as it is sent back: the assistant message, then one message for each result."""
        return [dict(self.message), *(result.message for result in self.results)]


@dataclass(frozen=True)
class ToolCallState:
    """A call as a screen follows it: told once when it starts and once when it has ended.

    Args:
        id: The call's id.
        name: The tool.
        arguments: The arguments as the model wrote them.
        step: The number of the step.
        result: What became of it; None while it runs.
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
    """A call that waits for the user's yes.

    Args:
        id: The call's id.
        name: The tool.
        arguments: The arguments as the function would get them.
        description: What the tool does, in its own words.
        step: The number of the step.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    description: str
    step: int
