"""Tools that a model may call."""

from __future__ import annotations


def add(x: int, y: int) -> int:
    """Add two numbers."""
    return x + y
