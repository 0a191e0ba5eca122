"""The fixtures of this folder."""

from tests.gateway.fixtures import gateway, gateway_process

__all__ = ["gateway", "gateway_process"]
