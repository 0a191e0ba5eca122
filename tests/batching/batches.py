"""Batches against the test gateway, and what became of their rows."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import cbai_notebook as cbai
from cbai_notebook.batching.batch import last_batch
from cbai_notebook.batching.job import Batch
from tests.gateway import Gateway

PROMPT = "Rate {text}"

Frame = list[dict[str, Any]]

_numbers = itertools.count(1)


def rows(count: int, first: int = 0) -> Frame:
    """Return rows whose prompts the gateway tells apart."""
    return [{"text": f"row-{number}"} for number in range(first, first + count)]


def run(data: Any, prompt: Any = PROMPT, **options: Any) -> Any:
    """Run a batch without showing its progress."""
    return cbai.batch(data, prompt, **{"progress": False, **options})


def stopped(data: Any, prompt: Any = PROMPT, **options: Any) -> tuple[Frame, str]:
    """Run a batch that stops; return its rows and the sentence that says why."""
    with pytest.warns(UserWarning) as caught:
        found = run(data, prompt, **options)
    (reason,) = [str(each.message) for each in caught]
    assert last().status == "stopped"
    assert last().reason == reason
    return found, reason


def last() -> Batch:
    """Return the batch that was run last."""
    batch = last_batch()
    assert batch is not None
    return batch


def answered(found: Frame) -> set[int]:
    """Return the positions of the rows with an answer; a row without one has an error."""
    assert all(row["error"] or row["answer"] is not None for row in found)
    return {at for at, row in enumerate(found) if not row["error"]}


def errors(found: Sequence[dict[str, Any]]) -> Counter[str]:
    """Return how often each error is there."""
    return Counter(row["error"] for row in found if row["error"])


def paid_twice(gateway: Gateway) -> int:
    """Return how many answers were begun beside the first one of each row."""
    return gateway.begun.total() - len(gateway.begun)


def configure(gateway: Gateway, **changes: Any) -> None:
    """Send the requests of this process to a gateway."""
    cbai.configure(
        **{"base_url": gateway.base_url, "api_key": gateway.key, "model": "hy3", **changes}
    )


@contextlib.contextmanager
def batches_of(gateway: Gateway, history: Path, key: str = "") -> Iterator[None]:
    """Send the requests of this process to a gateway, and store their answers beside a history.

    Args:
        gateway: The gateway.
        history: The file of the history.
        key: The key of the gateway; by default a new one, so that what a test before has taught the
            gate of this address does not count.
    """
    usual, gateway.key = gateway.key, key or f"test-key-{next(_numbers)}"
    configure(gateway, history=str(history))
    yield
    gateway.key = usual
    cbai.configure(
        base_url=None, api_key=None, model=None, max_total_tokens=None, max_cost=None, prices=None,
        before_send=None, timeout=None, history=None, env_id=None,
    )  # fmt: skip
