"""The line that says how far a batch is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.i18n import Words, say

if TYPE_CHECKING:
    from cbai_notebook.batching.progress import Progress

_MINUTE = 60
_HOUR = 3600


def line_of(progress: Progress) -> str:
    """Return how far a batch is, such as ``"1,204 of 2,000 rows · 4 failed · 2 min left"``."""
    return " · ".join(facts_of(progress))


def facts_of(progress: Progress) -> list[str]:
    """Return the parts of the line."""
    found: list[str] = [_rows(progress)]
    for name in ("failed", "known", "missing"):
        if count := getattr(progress, name):
            found.append(say(f"batch.{name}", n=count, count=f"{count:,}"))
    if progress.running and progress.status == "running":
        found.append(say("batch.running", n=progress.running, count=progress.running))
    if progress.tokens:
        found.append(say("batch.tokens", count=short_number(progress.tokens)))
    if progress.status != "running":
        found.append(duration(progress.seconds))
    elif (left := progress.seconds_left) is not None:
        found.append(say("batch.left", time=duration(left)))
    return found


def _rows(progress: Progress) -> Words:
    if progress.rows is None:
        return say("batch.rows_so_far", n=progress.done, done=f"{progress.done:,}")
    return say("batch.rows", n=progress.rows, done=f"{progress.done:,}", rows=f"{progress.rows:,}")


def duration(seconds: float) -> Words:
    """Return a time in words: ``"8 s"``, ``"2 min"``, ``"3 h"``."""
    if seconds < _MINUTE:
        return say("batch.seconds", count=f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}")
    if seconds < _HOUR:
        return say("batch.minutes", count=round(seconds / _MINUTE))
    return say("batch.hours", count=f"{seconds / _HOUR:.1f}")


def short_number(number: int) -> str:
    """Return a number with three digits at most: ``"612k"``, ``"1.2M"``."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            short = number / size
            return f"{short:.1f}{unit}" if short < 10 else f"{short:.0f}{unit}"
    return str(number)
