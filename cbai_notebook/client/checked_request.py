"""A request that was checked, and can be sent without checking it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cbai_notebook.client.providers import Provider
from cbai_notebook.client.request_options import RequestOptions
from cbai_notebook.client.settings import Settings
from cbai_notebook.client.wire_format import WireFormat


@dataclass(frozen=True)
class CheckedRequest:
    """What `Model.check` returns, and `Model.generate_text` and `Model.stream_text` take.

    It is sent as it was checked: to this provider, with the settings and the key of that moment.

    Args:
        provider: The provider.
        wire_format: The format of its requests.
        model: The name of the model; None for the provider's default.
        settings: The settings, with the time limits.
        options: The options of the client.
        params: The parameters to send.
    """

    provider: Provider
    wire_format: WireFormat
    model: str | None
    settings: Settings
    options: RequestOptions
    params: Mapping[str, Any]
