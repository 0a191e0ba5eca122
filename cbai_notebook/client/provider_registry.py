"""Find the provider of a name.

A provider is looked up in this order: ``custom``; the servers that the user has named; the providers
registered in this process; the agents of CloudBase; the demo model; those announced by an installed package (entry
point group ``cbai_notebook.providers``, as for the offline model). Every other name is a provider of
CloudBase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.client import providers
from cbai_notebook.errors import MissingDependencyError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings


def provider_for(name: str, settings: Settings | None = None) -> providers.Provider:
    """Return the provider of this name.

    Args:
        name: Such as ``"cloudbase"``, ``"agent"``, ``"local"``, ``"demo"`` or ``"custom"``, or that of a server.
        settings: Where the servers are named.

    Raises:
        UsageError: The name is not a valid provider name.
        MissingDependencyError: The package that announces it cannot be loaded.
    """
    providers.checked_name(name)
    if providers.is_server(name, settings):
        return providers.ServerProvider(name)
    if (registered := providers.registered(name)) is not None:
        return registered
    if name == providers.AGENT:
        from cbai_notebook.client.agents.provider import AgentProvider

        return AgentProvider()
    if name == providers.DEMO:
        from cbai_notebook.client.demo.provider import DemoProvider

        return DemoProvider()
    entry = providers.announced().get(name)
    if entry is not None:
        try:
            provider: providers.Provider = entry.load()
        except ImportError as error:
            raise MissingDependencyError(
                say("provider.cannot_be_loaded", name=name, reason=str(error))
            ) from error
        return provider
    providers.check_no_server_is_meant(name, settings)
    return providers.CloudBaseProvider(name)
