"""What the client's tests share: a model of the gateway, over each of the two transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cbai_notebook.client import Model, Settings, Timeout, create_model
from cbai_notebook.client.transport import HTTPTransport
from tests.gateway import Gateway

MESSAGES = [{"role": "user", "content": "Introduce Li Bai"}]

MakeModel = Callable[..., Model]


@pytest.fixture(autouse=True)
def nothing_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Keep the credentials and the environment of whoever runs the tests out of them."""
    monkeypatch.setenv("CBAI_CONFIG_DIR", str(tmp_path))
    for name in (
        "CLOUDBASE_ENV_ID", "TCB_ENV", "CLOUDBASE_API_KEY", "CLOUDBASE_APIKEY", "TCB_REGION",
        "CBAI_BASE_URL", "CBAI_PROVIDER", "CBAI_MODEL",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["plain", "fast"])
def make_model(request: pytest.FixtureRequest, gateway: Gateway) -> MakeModel:
    """Return a function that makes a model of the gateway; every test runs on both transports."""
    transport = HTTPTransport(fast=request.param == "fast")

    def make(
        provider: str = "cloudbase",
        *,
        base_url: str = gateway.base_url,
        api_key: str = "test-key",
        timeout: Timeout | float | dict[str, float] | None = None,
    ) -> Model:
        settings = Settings(base_url=base_url, api_key=api_key, timeout=Timeout.of(timeout))
        return create_model(provider, settings=settings, transport=transport)

    return make


@pytest.fixture
def model(make_model: MakeModel) -> Model:
    """Return the gateway's model with the usual settings."""
    return make_model()
