"""Skip a test whose requirements are missing on this machine; in continuous integration, fail it."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

Found = TypeVar("Found")


def in_ci() -> bool:
    """Return whether this run is continuous integration (``CI=true``), where no test may be skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def require(found: Found | None, missing: str) -> Found:
    """Return `found` if it is true; otherwise skip the test, or fail it when ``CI=true``.

    Args:
        found: The requirement, such as the path of a program; any false value counts as missing.
        missing: One line that says what is missing and how to get it.
    """
    if found:
        return found
    if in_ci():
        pytest.fail(f"CI=true and {missing}", pytrace=False)
    pytest.skip(missing)
