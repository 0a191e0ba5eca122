"""Evaluations with a demo model that plays a script, and with the test gateway."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbai_notebook as cbai
from cbai_notebook.evaluation.evaluation import Evaluation

SHORT, LONG = "Intent of: {text}", "Name the intent, in one word: {text}"

Row = dict[str, Any]


def cases(count: int) -> list[Row]:
    """Return cases that are told apart by their number."""
    return [{"text": f"case {at}", "expected": f"intent-{at}"} for at in range(count)]


def number_in(prompt: str) -> int:
    """Return the number of the case of a prompt."""
    return int(prompt.split()[-1])


def answers(prompt: str, knows: int) -> str:
    """Answer the prompts ``LONG`` rightly, others for the first cases only."""
    at = number_in(prompt)
    return f"intent-{at}" if prompt.startswith("Name") or at < knows else "unknown"


def play(knows: int) -> Any:
    """Let the demo model answer; return it, with the requests that it gets."""
    return cbai.demo(lambda messages: answers(messages[-1]["content"], knows), pace=0)


def evaluate(data: Any, variants: Any = None, **options: Any) -> Evaluation:
    """Evaluate with the demo model, without showing the progress."""
    variants = {"short": SHORT, "long": LONG} if variants is None else variants
    defaults = {"models": "demo", "checks": cbai.check.equals("expected"), "progress": False}
    return cbai.evaluate(data, variants, **{**defaults, **options})


@contextlib.contextmanager
def stored_beside(history: Path) -> Iterator[None]:
    """Store answers beside a history."""
    cbai.configure(history=str(history))
    yield
    cbai.configure(history=None)
    cbai.demo()
