"""Functions of the user, such as tools, that go on after the answer that called them was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass

STOP_S = 0.1
"""Seconds that a function has to end after an interrupt, before it counts as left running."""


@dataclass(frozen=True)
class LeftRunning:
    """A function that did not end with its answer.

    Attributes:
        name: Its name.
        runs: Returns whether it runs now.
    """

    name: str
    runs: Callable[[], bool]


_collected: ContextVar[list[LeftRunning] | None] = ContextVar("_collected", default=None)


def collect_into(found: list[LeftRunning]) -> None:
    """Add the functions that are left running to a list, for the rest of the current task."""
    _collected.set(found)


def names(found: Iterable[LeftRunning]) -> list[str]:
    """Return the names of the functions that run now, without duplicates."""
    return list(dict.fromkeys(each.name for each in found if each.runs()))


def add(name: str, runs: Callable[[], bool]) -> None:
    """Note that a function did not end.

    Args:
        name: Its name for the user.
        runs: Returns whether it runs now.
    """
    if (found := _collected.get()) is not None:
        found.append(LeftRunning(name, runs))
