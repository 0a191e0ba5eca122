"""Fixtures of the client's tests: a model of the test gateway, over each of the two transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina

from cbai_notebook.client.model import Model
from cbai_notebook.client.model_factory import create_model
from cbai_notebook.client.retry import ATTEMPTS
from cbai_notebook.client.settings import Timeout
from cbai_notebook.client.transport import HTTPTransport
from tests.gateway import Gateway
from tests.gateway_access import gateway_settings

MESSAGES = [{"role": "user", "content": "Introduce Li Bai"}]

MakeModel = Callable[..., Model]


@pytest.fixture(autouse=True)
def nothing_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give each test an empty directory of credentials of its own."""
    monkeypatch.setenv("CBAI_CONFIG_DIR", str(tmp_path))


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Switch off the wait between attempts; the number of attempts stays."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture(params=["plain", "fast"])
def sender(request: pytest.FixtureRequest) -> HTTPTransport:
    """Return each of the two transports, so that every test that uses one runs on both."""
    return HTTPTransport(fast=request.param == "fast")


@pytest.fixture
def make_model(sender: HTTPTransport, gateway: Gateway) -> MakeModel:
    """Return a function that creates a model of the test gateway."""

    def make(
        provider: str = "cloudbase",
        *,
        base_url: str = gateway.base_url,
        api_key: str = "test-key",
        timeout: Timeout | float | dict[str, float] | None = None,
    ) -> Model:
        settings = gateway_settings(gateway, base_url=base_url, api_key=api_key, timeout=timeout)
        return create_model(provider, settings=settings, transport=sender)

    return make


@pytest.fixture
def model(make_model: MakeModel) -> Model:
    """Return a model of the test gateway with default settings."""
    return make_model()
