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
    """Return a new gateway on a separate thread, for tests with and without an event loop."""
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def gateway_process() -> Iterator[GatewayProcess]:
    """Return a gateway in a separate process, shared by all tests of the session."""
    with serve_process() as running:
        yield running
