"""Errors as values: they are copied, pickled, and raised in another process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cbai_notebook import errors
from cbai_notebook.client.images.image import GeneratedImage, ImageAnswer
from cbai_notebook.errors import CbaiError, ImageDownloadError

FACTS: dict[str, Any] = {
    "status": 429,
    "code": "TOO_MANY",
    "request_id": "req-1",
    "retry_after": 2.5,
    "partial": "Once upon",
    "server_message": "Slow down.",
    "answer_began": True,
}
DRAWN = ImageAnswer(
    images=(GeneratedImage(b"\x89PNG", "image/png"), GeneratedImage(b"", "", "https://a.example")),
    model="m",
    provider="p",
)
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {number}": lambda error, number=number: pickle.loads(pickle.dumps(error, number))
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


class OfAUser(CbaiError):
    """An error with a required argument of its own."""

    def __init__(self, row: int, *, why: str) -> None:
        super().__init__(f"Row {row}: {why}", **FACTS)
        self.row = row


def classes(base: type[CbaiError] = CbaiError) -> Iterator[type[CbaiError]]:
    yield base
    for each in base.__subclasses__():
        yield from classes(each)


OURS = [each for each in classes() if each.__module__ == errors.__name__]


def made(kind: type[CbaiError]) -> CbaiError:
    if kind is OfAUser:
        return OfAUser(3, why="empty")
    more = {"answer": DRAWN} if kind is ImageDownloadError else {}
    return kind("It failed. Try again.", **FACTS, **more)


def fail_with(kind: type[CbaiError]) -> None:
    raise made(kind)


@pytest.mark.parametrize("kind", [*OURS, OfAUser], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_an_error_is_copied_with_all_that_it_says(
    kind: type[CbaiError], copied: Callable[[CbaiError], CbaiError]
) -> None:
    error = made(kind)
    error.noticed = ["by a user"]  # type: ignore[attr-defined]
    other = copied(error)
    assert type(other) is kind
    assert other is not error
    assert (str(other), other.args, other.details) == (str(error), error.args, error.details)
    assert vars(other) == vars(error)


# A program of its own: a shell of IPython in the tests' process replaces its main module, which a
# spawned process looks for.
FROM_ANOTHER_PROCESS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from cbai_notebook.errors import CbaiError, ImageDownloadError
from tests.test_errors import OfAUser, fail_with, made

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for kind in (CbaiError, ImageDownloadError, OfAUser):
            error = pool.submit(fail_with, kind).exception(60)
            assert isinstance(error, kind), error
            assert vars(error) == vars(made(kind)), vars(error)
    print("good")
"""


def test_an_error_comes_back_from_another_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FROM_ANOTHER_PROCESS],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "good\n", done.stderr
