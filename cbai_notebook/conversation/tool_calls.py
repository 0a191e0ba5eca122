"""Tool calls, read from the messages of a turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cbai_notebook.client.tools.tool_calls import ToolCall, status_of


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
            status=status_of(result),
            result=result,
        )
        for message in messages
        for call in message.get("tool_calls") or ()
        for result in [str(results.get(call.get("id")) or "")]
    ]
