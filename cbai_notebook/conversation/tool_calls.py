"""Calls of tools as a reader sees them: while they run, and later out of the messages that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RUNNING, ASKING, ANSWERED = "running", "asking", "answered"
"""How a call stands: its tool runs; the user is asked whether it may; it has a result, and how that came
about is not known any more. The others are those of :class:`cbai_notebook.client.CallResult`."""


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool.

    Attributes:
        id: The call's id.
        name: The tool.
        arguments: The arguments, as JSON text.
        status: ``running``, ``asking``, ``ok``, ``error``, ``refused``, ``unknown``, ``invalid`` or
            ``answered``.
        result: What the model was told; ``None`` until then.
        duration_s: Seconds that it took, where that is known.
    """

    id: str
    name: str
    arguments: str
    status: str = RUNNING
    result: str | None = None
    duration_s: float | None = None

    @property
    def open(self) -> bool:
        """Whether it has no result yet."""
        return self.status in (RUNNING, ASKING)


def calls_of(steps: Iterable[Mapping[str, Any]]) -> list[ToolCall]:
    """Return the calls in messages that were sent, with their results.

    Args:
        steps: An assistant's messages with ``tool_calls``, and those of role ``tool``.
    """
    messages = list(steps)
    results = {
        message.get("tool_call_id"): message.get("content")
        for message in messages
        if message.get("role") == "tool"
    }
    return [
        ToolCall(
            id=str(call.get("id")),
            name=str((call.get("function") or {}).get("name") or ""),
            arguments=str((call.get("function") or {}).get("arguments") or ""),
            status=ANSWERED,
            result=str(results.get(call.get("id")) or ""),
        )
        for message in messages
        for call in message.get("tool_calls") or ()
    ]
