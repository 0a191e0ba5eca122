"""Settings with which the package sends its requests to the test gateway."""

from __future__ import annotations

from typing import Any

from cbai_notebook.client.settings import Settings, Timeout
from tests.gateway import DEFAULT_KEY, Gateway, GatewayProcess


def gateway_settings(gateway: Gateway, *, timeout: Any = None, **changes: Any) -> Settings:
    """Return settings for code in this process.

    Args:
        gateway: The test gateway.
        timeout: Anything that `Timeout.of` takes; seconds.
        changes: Fields of the settings that differ.
    """
    usual = {"base_url": gateway.base_url, "api_key": DEFAULT_KEY, "timeout": Timeout.of(timeout)}
    return Settings(**{**usual, **changes})


def gateway_variables(gateway: Gateway | GatewayProcess) -> dict[str, str]:
    """Return the environment variables for a child process."""
    return {
        "CBAI_BASE_URL": gateway.base_url,
        "CBAI_API_KEY": DEFAULT_KEY,
        "CLOUDBASE_ENV_ID": "test-env",
    }
