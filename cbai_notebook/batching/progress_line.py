"""The line that says how far a batch is."""

from __future__ import annotations

from cbai_notebook.batching.progress import Progress
from cbai_notebook.i18n import PYTHON, Place, Words, said_now, say
from cbai_notebook.text import one_line

SHOWN_REASONS = 3
"""The most reasons of failed rows that are shown, the most frequent ones."""

SHOWN_REASON_CHARS = 300
"""The most characters of a reason that are shown; the ``error`` column has all."""

_MINUTE = 60
_HOUR = 3600


def line_of(progress: Progress) -> str:
    """Return how far a batch is, such as ``"1,204 of 2,000 rows · 4 failed · 2 min left"``."""
    return " · ".join(facts_of(progress))


def facts_of(progress: Progress) -> list[str]:
    """Return the parts of the line."""
    found: list[str] = [done_of(progress)]
    if progress.status in ("interrupted", "stopped"):
        found.insert(0, say(f"batches.is_{progress.status}"))
    for name in ("failed", "known", "missing"):
        if count := getattr(progress, name):
            found.append(say(f"batch.{name}", n=count, count=f"{count:,}"))
    if progress.running and progress.status == "running":
        found.append(say("batch.running", count=progress.running))
    if progress.tokens:
        found.append(say("batch.tokens", count=short_number(progress.tokens)))
    if progress.status != "running":
        found.append(duration(progress.seconds))
    elif (left := progress.seconds_left) is not None:
        found.append(say("batch.left", time=duration(left)))
    return found


def sentences_of(
    progress: Progress, place: Place = PYTHON, *, with_reason: bool = True
) -> list[str]:
    """Return what is to be said about a batch that has ended: why, what failed, and hints.

    Args:
        progress: The counts.
        place: Where it is shown.
        with_reason: Whether nobody else says why it stopped.
    """
    found = [progress.reason] if progress.reason and with_reason else []
    if progress.status == "interrupted":
        found.append(_go_on(progress))
    every = [*found, *_failures(progress, place), *progress.hints]
    return [said_now(sentence, place) for sentence in every]


def _go_on(progress: Progress) -> Words:
    done = progress.answered
    return say("batch.go_on", n=done, done=f"{done:,}", rows=_count(progress.rows))


def _failures(progress: Progress, place: Place) -> list[str]:
    known = [each for each in progress.reasons.items() if each[0]]
    shown = sorted(known, key=lambda each: -each[1])[:SHOWN_REASONS]
    found = [
        f"{count:,} × {one_line(said_now(reason, place), SHOWN_REASON_CHARS)}"
        for reason, count in shown
    ]
    if others := sum(progress.reasons.values()) - sum(count for _, count in shown):
        found.append(say("batch.other_reasons", n=others, count=f"{others:,}"))
    if progress.failed and progress.status == "complete":
        found.append(say("batch.send_failed", n=progress.failed, count=f"{progress.failed:,}"))
    return found


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def percent_of(progress: Progress) -> float:
    """Return how much of the rows is done, from 0 to 100; 0 while their number is not known."""
    if progress.rows is None:
        return 0.0
    return 100.0 * min(1.0, progress.done / progress.rows) if progress.rows else 100.0


def done_of(progress: Progress) -> Words:
    """Return how many rows are done: ``"1,204 of 2,000 rows"``."""
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
