"""`create_model`: create a `Model` of any provider, agents included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.model import Model

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import Transport


def create_model(
    provider: str | Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> Model:
    """Create a model of a provider. No request is sent.

    Args:
        provider: A provider's name, such as ``"cloudbase"``. ``"local"`` is the offline model,
            ``"demo"`` the demo model that `demo` scripts. The models of ``"agent"`` are CloudBase's agents, by their ids. None is the configured
            provider. A mapping is a model at a path of its own, as in the Mini Program:
            ``model_name`` (its name in CloudBase), ``model_path`` (such as
            ``"/v1/chat/completions"``), ``extract_path`` (where each event has its text, such as
            ``"choices[0].delta.content"``) and, if the model thinks, ``reasoning_path``; the names
            of the Mini Program (``modelName`` …) do as well.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.

    Raises:
        UsageError: The mapping cannot be used.
    """
    if isinstance(provider, Mapping):
        from cbai_notebook.client.path_model import ModelPaths, PathModel

        return PathModel(ModelPaths.of(provider), settings=settings, transport=transport)
    if provider is None:
        provider = (settings or settings_module.settings()).default_provider
    return Model(provider, settings=settings, transport=transport)
