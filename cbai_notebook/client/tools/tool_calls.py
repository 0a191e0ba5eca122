"""A tool call: while it runs, while it waits for the user's approval, and with its result."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["running", "asking", "ok", "error", "refused", "unknown", "invalid", "answered"]
"""How far a tool call is. ``running``: it was started. ``asking``: the user is asked for approval.
``ok``: the tool returned. ``error``: it raised. ``refused``: the user did not approve it. ``unknown``:
there is no such tool. ``invalid``: the arguments do not fit. ``answered``: it has a result, and how it
ended is not known any more, except that it did not fail."""

FAILED, REFUSED = "Error: ", "Refused: "
"""The beginnings of the results of calls that did not run to their end."""


@dataclass(frozen=True)
class ToolCall:
    """One tool call in one state.

    Args:
        id: The id of the call, by which the model finds the result.
        name: The name of the tool.
        arguments: The arguments as the model wrote them, JSON text.
        status: How far the call is.
        result: The text of the result for the model; None before there is one.
        duration_s: Seconds from the start of the call to its end, without the time that the user
            took to allow it; None if unknown.
        step: The number of the step, from 1; 0 if unknown.
        description: The description of the tool; empty if unknown.
        server: The name of the tool's server; empty if it has none, or if unknown.
        parsed: The arguments as the function receives them; None when they are not valid or not
            known.
        error: The exception that the tool raised.
        masked: The names of the secrets that were masked in the result.
        images: The images of the result as ``data:`` URLs.
    """

    id: str
    name: str
    arguments: str
    status: Status = "running"
    result: str | None = None
    duration_s: float | None = None
    step: int = 0
    description: str = ""
    server: str = ""
    # Values of the user's types may not compare.
    parsed: Mapping[str, Any] | None = field(default=None, compare=False)
    error: BaseException | None = field(default=None, compare=False)
    masked: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the call has no result yet."""
        return self.status in ("running", "asking")

    @property
    def text(self) -> str:
        """The text of the result; empty before there is one."""
        return self.result or ""

    @property
    def message(self) -> dict[str, Any]:
        """The result as a message with the role ``tool``."""
        return {"role": "tool", "tool_call_id": self.id, "content": self.text}

    def __getstate__(self) -> dict[str, Any]:
        # An exception of a tool may be one that cannot be pickled; `text` has its words.
        return {**self.__dict__, "error": self.error if _survives_pickle(self.error) else None}


def status_of(result: str) -> Status:
    """Return the status of a call of which only the result is known."""
    if result.startswith(FAILED):
        return "error"
    return "refused" if result.startswith(REFUSED) else "answered"


def _survives_pickle(error: BaseException | None) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - pickling runs code of the exception's class
        return False
    return True
