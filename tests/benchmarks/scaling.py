"""Measure how the cost of texts that were made to be slow grows with their length.

``python -m tests.benchmarks.scaling PART`` prints, as JSON, the largest cost of a text over that of
half of it, the name of the text, and the seconds of CPU for `LONGEST` characters of the slowest text.
Each length doubles the one before, from `SHORTEST` characters on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise

from tests.adversarial import CASES
from tests.benchmarks.table import Row, child

SHORTEST, LONGEST = 64 * 1024, 1024 * 1024
RUNS = 2
GOAL = 2.3

TOO_SHORT_S = 0.02
"""Shorter times, in seconds of CPU, are not compared: they are mostly noise."""


def seconds(part: str, text: str) -> float:
    """Return the seconds of CPU for a text: of the fastest run."""
    found = []
    for _ in range(RUNS):
        started = time.process_time()
        CASES[part].read(text)
        found.append(time.process_time() - started)
        if found[-1] > 0.2:
            break
    return min(found)


def growth(part: str, name: str) -> tuple[float, float]:
    """Return the largest growth of the cost at a doubling, and the seconds for the longest text."""
    sizes = [SHORTEST]
    while sizes[-1] < LONGEST:
        sizes.append(2 * sizes[-1])
    make = CASES[part].texts[name]
    CASES[part].read(make(SHORTEST))  # imports and caches
    cost = [seconds(part, make(size)) for size in sizes]
    ratios = [long / short for short, long in pairwise(cost) if short > TOO_SHORT_S]
    largest = max(ratios, default=0.0)
    print(f"{name:30} {largest:5.2f} {cost[-1]:7.2f} s", file=sys.stderr, flush=True)
    return largest, cost[-1]


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    for part, (_, texts) in CASES.items():
        ratio, name, longest, slowest = child("tests.benchmarks.scaling", part)
        what = f"the worst of {len(texts)} texts" if len(texts) > 1 else "one text"
        yield Row(
            f"scaling: {part}, {what}, CPU over that of half of it",
            f"≤ {GOAL}",
            (f"{ratio:.1f} (`{name}`); " if ratio else "too short to compare; ")
            + f"1 MB in {longest:.2f} s at most (`{slowest}`)",
        )


def main(part: str) -> None:
    """Measure the texts of one part and print the result as JSON."""
    found = {name: growth(part, name) for name in CASES[part].texts}
    worst = max(found, key=lambda name: found[name][0])
    slowest = max(found, key=lambda name: found[name][1])
    print(json.dumps([found[worst][0], worst, found[slowest][1], slowest]))


if __name__ == "__main__":
    main(*sys.argv[1:])
