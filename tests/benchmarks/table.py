"""Rows of the table of figures, and child processes that measure one figure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row of the table: what was measured, the goal, and the measured value."""

    what: str
    goal: str
    measured: str

    def __str__(self) -> str:
        return f"| {self.what} | {self.goal} | {self.measured} |"


def child(
    module: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Any:
    """Run ``python -m MODULE ARGUMENTS…`` and return the JSON value in the last line of its output."""
    done = subprocess.run(
        [python, "-m", module, *arguments],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=600,
    )
    return json.loads(done.stdout.splitlines()[-1])


def in_turns(
    modules: Mapping[str, Sequence[str]], rounds: int, env: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Run child processes alternately for several rounds; return the median figure of each."""
    figures: dict[str, list[float]] = {name: [] for name in modules}
    for _ in range(rounds):
        for name, command in modules.items():
            figures[name].append(float(child(*command, env=env)))
    return {name: median(values) for name, values in figures.items()}
