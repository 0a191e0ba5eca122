"""Fixtures: ``pytest_plugins = ["tests.gateway.fixtures"]`` in the top ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.hosting import serve, serve_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.gateway import Gateway
    from tests.gateway.hosting import GatewayProcess


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Return a fresh gateway on a thread of its own, for tests with and without a loop."""
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def gateway_process() -> Iterator[GatewayProcess]:
    """Return a gateway in a process of its own, shared by the session."""
    with serve_process() as running:
        yield running
