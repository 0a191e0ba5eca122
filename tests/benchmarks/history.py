"""Measure the CPU time to convert 100,000 messages to a DataFrame, and back.

``python -m tests.benchmarks.history FIGURE``: the figure is ``out`` or ``back``, in seconds, the median
of five runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from cbai_notebook.conversation.frames.turns import turns_of
from tests.benchmarks.table import Row, child
from tests.conversation.frames.messages import many

MESSAGES = 100_000


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of CPU that a function takes: the median of five runs after one warm-up run."""
    figures = []
    for _ in range(6):
        started = time.process_time()
        work()
        figures.append(time.process_time() - started)
    return median(figures[1:])


def out() -> float:
    """Return the seconds of CPU from records to a DataFrame."""
    return seconds(many(MESSAGES).to_pandas)


def back() -> float:
    """Return the seconds of CPU from a DataFrame to turns."""
    frame = many(MESSAGES).to_pandas()
    return seconds(lambda: turns_of(frame))


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    module = "tests.benchmarks.history"
    yield Row("100,000 messages to a DataFrame", "≤ 0.6 s", f"{child(module, 'out'):.2f} s")
    yield Row("100,000 messages back from a DataFrame", "≤ 1.5 s", f"{child(module, 'back'):.2f} s")


if __name__ == "__main__":
    print(json.dumps({"out": out, "back": back}[sys.argv[1]]()))
