"""`create_model`: the one place that knows every kind of model, agents included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.model import Model
from cbai_notebook.client.providers import AGENT

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import Transport


def create_model(
    provider: str | None = None,
    *,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> Model:
    """Make a model of a provider. Nothing is asked yet.

    Args:
        provider: A provider's name, such as ``"cloudbase"``; ``"local"`` is the offline model, and
            the models of ``"agent"`` are CloudBase's agents, by their ids. None takes the one that
            is configured.
        settings: Settings to use instead of those in force when a request is made.
        transport: What sends requests; the shared HTTP client by default.
    """
    if provider is None:
        provider = (settings or settings_module.settings()).default_provider
    if provider == AGENT:
        from cbai_notebook.client.agents.provider import AgentModel

        return AgentModel(settings=settings, transport=transport)
    return Model(provider, settings=settings, transport=transport)
