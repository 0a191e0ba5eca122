"""A tool call while it runs, while it waits for the user's approval, and with its result."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "error", "refused", "unknown", "invalid"]
"""How a tool call ended. ``ok``: the tool returned. ``error``: it raised. ``refused``: the user did not
approve it. ``unknown``: there is no such tool. ``invalid``: the arguments do not fit."""


@dataclass(frozen=True)
class CallResult:
    """The result of a tool call.

    Args:
        id: The id of the call, by which the model finds the result.
        name: The name of the tool.
        arguments: The arguments as the model wrote them.
        parsed: The arguments as the function received them; None when they are not valid.
        text: The text of the result for the model.
        status: How the call ended.
        error: The exception that the tool raised.
        duration_s: Seconds from the start of the call to its end, the user's approval included.
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
        """The result as a message with the role ``tool``."""
        return {"role": "tool", "tool_call_id": self.id, "content": self.text}

    def __getstate__(self) -> dict[str, Any]:
        # An exception of a tool may be one that cannot be pickled; `text` has its words.
        return {**self.__dict__, "error": self.error if _survives_pickle(self.error) else None}


def _survives_pickle(error: BaseException | None) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - pickling runs code of the exception's class
        return False
    return True


@dataclass(frozen=True)
class ToolCallState:
    """The state of a tool call, reported once when it starts and once when it has ended.

    Args:
        id: The id of the call.
        name: The name of the tool.
        arguments: The arguments as the model wrote them.
        step: The number of the step, from 1.
        result: The result; None while the call runs.
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
        id: The id of the call.
        name: The name of the tool.
        arguments: The arguments as the function would receive them.
        description: The description of the tool.
        step: The number of the step, from 1.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    description: str
    step: int
