"""Measure evaluations: the time of one whose answers are all stored.

``python -m tests.benchmarks.evaluate FIGURE`` measures one figure in a process of its own, and prints it as
JSON. ``CBAI_HISTORY`` is the file beside which the answers are stored.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Row, child

CASES, VARIANTS = 5_000, 4
MODULE = "tests.benchmarks.evaluate"


def evaluation(name: str) -> Any:
    """Evaluate four prompts on many cases with a demo model that knows some of them."""
    import cbai_notebook as cbai

    cases = [{"text": f"case {at}", "expected": f"intent-{at % 7}"} for at in range(CASES)]
    variants = {f"variant {number}": f"{number} {{text}}" for number in range(VARIANTS)}
    checks = [cbai.check.equals("expected"), cbai.check.matches(r"^intent-\d$")]
    cbai.demo(_answer, pace=0)
    return cbai.evaluate(cases, variants, models="demo", checks=checks, name=name, progress=False)


def _answer(messages: list[dict[str, Any]]) -> str:
    number, _, case = messages[-1]["content"].split()
    known = int(case) % 10 < 6 + int(number)
    return f"intent-{int(case) % 7}" if known else "intent-none"


def again() -> tuple[float, float, int]:
    """Return the seconds of a second run, those of statistics and table alone, and the requests it sent."""
    evaluation("benchmark")
    started = time.perf_counter()
    found = evaluation("benchmark")
    found._repr_html_()
    whole = time.perf_counter() - started
    # Without a name no statistics are made for the stored run.
    unstored = evaluation("")
    started = time.perf_counter()
    unstored._repr_html_()
    return whole, time.perf_counter() - started, found.counts.requests


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        history = str(Path(folder) / "history.sqlite")
        whole, shown, requests = child(MODULE, "again", env={"CBAI_HISTORY": history})
    yield Row(
        f"an evaluation of {CASES:,} cases × {VARIANTS} variants from the store",
        "statistics and table ≤ 2 s",
        f"{shown:.2f} s, with answers, checks and the stored run {whole:.2f} s, {requests} requests",
    )


FIGURES: dict[str, Callable[..., Any]] = {"again": again}


if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](*sys.argv[2:])))
