"""Fixtures for the tests of batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cbai_notebook.batching.answer_store import AnswerStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the stored answers, which do not exist yet."""
    return tmp_path / "data" / "answers.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[AnswerStore]:
    """The store of the file."""
    opened = AnswerStore(file)
    yield opened
    opened.close()


@pytest.fixture(params=["file", "memory"])
def any_store(request: pytest.FixtureRequest, file: Path) -> Iterator[AnswerStore]:
    """A store in a file, and one in memory."""
    opened = AnswerStore(file if request.param == "file" else None)
    yield opened
    opened.close()
