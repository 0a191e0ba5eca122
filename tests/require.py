"""What a test needs from the machine: skipped on a desk, failed in continuous integration."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

Found = TypeVar("Found")


def in_ci() -> bool:
    """Tell whether this run must not skip anything (``CI=true``)."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def require(found: Found | None, missing: str) -> Found:
    """Return what was found; without it skip the test, or fail it when ``CI=true``.

    Args:
        found: The thing itself, such as a path; anything false counts as missing.
        missing: What is missing and how to get it, in one line.
    """
    if found:
        return found
    if in_ci():
        pytest.fail(f"CI=true and {missing}", pytrace=False)
    pytest.skip(missing)
