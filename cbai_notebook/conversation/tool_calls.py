"""Tool calls as they are displayed: while they run, and later read from the stored messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RUNNING, ASKING, ANSWERED = "running", "asking", "answered"
"""Status of a call: its tool runs; the user is asked for approval; it has a result whose status is
not known any more. The other values are those of :class:`cbai_notebook.client.CallResult`."""


@dataclass(frozen=True)
class ToolCall:
    """One tool call.

    Attributes:
        id: The id of the call.
        name: The name of the tool.
        arguments: The arguments, as JSON text.
        status: ``running``, ``asking``, ``ok``, ``error``, ``refused``, ``unknown``, ``invalid`` or
            ``answered``.
        result: The text that was sent to the model; ``None`` before there is a result.
        duration_s: Seconds that the call took; ``None`` if unknown.
    """

    id: str
    name: str
    arguments: str
    status: str = RUNNING
    result: str | None = None
    duration_s: float | None = None

    @property
    def open(self) -> bool:
        """Whether the call has no result yet."""
        return self.status in (RUNNING, ASKING)


def calls_of(steps: Iterable[Mapping[str, Any]]) -> list[ToolCall]:
    """Return the tool calls in the messages of the steps, with their results.

    Args:
        steps: Messages of role ``assistant`` with ``tool_calls``, and messages of role ``tool``.
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
