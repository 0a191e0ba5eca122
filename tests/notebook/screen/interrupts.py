"""Interrupts at any moment of the code under test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupted_after(events: int) -> Iterator[None]:
    """Raise KeyboardInterrupt in the code of the package after this many trace events, and catch it."""

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal events
        if "cbai_notebook" not in frame.f_code.co_filename:
            return None
        events -= 1
        if not events:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
