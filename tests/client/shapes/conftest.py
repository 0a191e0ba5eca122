"""The gateway of these tests runs on the event loop of the test, so that many small writes are fast."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway import Gateway


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """Return a new gateway on the event loop of the test."""
    async with Gateway() as running:
        yield running
