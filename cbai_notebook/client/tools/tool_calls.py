"""A tool call while it runs, while it waits for the user's approval, and with its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
