"""What a strict server refuses: requests with a field it does not know, or without one it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.gateway.errors import Error

if TYPE_CHECKING:
    from tests.gateway.scenario import Scenario


def objection(scenario: Scenario, request: dict[str, Any]) -> Error | None:
    """Return the error with which a scenario refuses a request, or None if it accepts it.

    Args:
        scenario: The scenario; ``refuses`` and ``needs`` decide.
        request: The body of the request.
    """
    for name in scenario.refuses:
        if any(name in place for place in _places(request)):
            return _refusal(f"Unknown field {name!r}: extra inputs are not allowed.")
    for name in scenario.needs:
        for message in _messages(request):
            if message.get("tool_calls") and not _has(message, name):
                return _refusal(f"Missing {name!r}: it must be passed back with the tool calls.")
    return None


def _refusal(message: str) -> Error:
    return Error("invalid_request_error", status=400, message=message, upstream=True)


def _messages(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in request["messages"] if one.get("role") == "assistant"]


def _places(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the request, and every assistant message and tool call in it."""
    yield request
    for message in _messages(request):
        yield message
        yield from message.get("tool_calls") or ()


def _has(message: dict[str, Any], name: str) -> bool:
    """Return whether a message, or each of its calls, has a field."""
    return name in message or all(name in call for call in message["tool_calls"])
