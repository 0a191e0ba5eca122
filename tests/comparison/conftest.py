"""Fixtures for the tests of comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batching.batches import batches_of
from tests.gateway import Gateway


@pytest.fixture(autouse=True)
def configured(gateway: Gateway, tmp_path: Path) -> Iterator[None]:
    """Send the requests of the test to the gateway, and keep its history in a file of its own."""
    with batches_of(gateway, tmp_path / "history.sqlite"):
        yield
