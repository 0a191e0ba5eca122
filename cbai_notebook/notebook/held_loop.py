"""Tools that were stopped and block the background loop: until they end, no request can be sent."""

from __future__ import annotations

from cbai_notebook import bridge
from cbai_notebook.i18n import listed, say

noted: list[str] = []
"""The names that were noted last; empty where nothing is to be asked."""


def note(names: list[str]) -> None:
    """Note which tools were running when a prompt was stopped, if the loop did not react."""
    if names and bridge.is_held():
        noted[:] = names


def holders() -> list[str]:
    """Return the names of the tools that block the loop now."""
    if noted and not bridge.is_held():
        noted.clear()
    return noted


def waiting_for(label: str) -> str:
    """Return the line about what a prompt waits for: a model, after tools that block the loop.

    Args:
        label: The model's name for the user.
    """
    if not (names := holders()):
        return say("answer.waiting_for", label=label)
    return say("answer.waiting_for_tools", n=len(names), tools=listed(names), label=label)
