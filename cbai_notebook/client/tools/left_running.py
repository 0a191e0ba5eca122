"""Tools that still run after the answer that called them was stopped: their functions go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

STOP_S = 0.1
"""Seconds that a tool has to end after an interrupt, before it counts as still running."""


@dataclass
class LeftRunning:
    """The tools of a stopped answer that did not end.

    Attributes:
        tools: The name of each, and whether it runs now.
    """

    tools: list[tuple[str, Callable[[], bool]]] = field(default_factory=list)

    def names(self) -> list[str]:
        """Return the names of the tools that run now, without duplicates."""
        return list(dict.fromkeys(name for name, runs in self.tools if runs()))


_collector: ContextVar[LeftRunning | None] = ContextVar("_collector", default=None)


@contextmanager
def collecting() -> Iterator[LeftRunning]:
    """Collect the tools that are left running by the answers of a block."""
    left = LeftRunning()
    token = _collector.set(left)
    try:
        yield left
    finally:
        _collector.reset(token)


def add(name: str, runs: Callable[[], bool]) -> None:
    """Note that a tool did not end.

    Args:
        name: The tool's name.
        runs: Returns whether it runs now.
    """
    if (left := _collector.get()) is not None:
        left.tools.append((name, runs))
