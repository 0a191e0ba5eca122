"""How a service takes requests and sends answers: chat completions, unless a provider has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cbai_notebook.client import request as request_module
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.request import Request

if TYPE_CHECKING:
    from cbai_notebook.client.accumulator import Accumulator
    from cbai_notebook.client.decoder import StreamDecoder


class WireFormat:
    """The format of chat completions.

    ``declares_end`` tells whether CloudBase ends each stream of this format with ``[DONE]``, and
    ``decodes_completions`` whether the decoder of streams reads complete answers too.
    """

    declares_end = True
    decodes_completions = False

    def check(self, params: Mapping[str, Any]) -> None:
        """Check all parameters of a request, those that the client itself handles included.

        Raises:
            UsageError: The format has no place for one of them.
        """

    def build(self, endpoint: Endpoint, *, stream: bool, params: Mapping[str, Any]) -> Request:
        """Return the request to an endpoint; see `cbai_notebook.client.request.build`."""
        return request_module.build(endpoint, stream=stream, params=params)

    def accumulator(self) -> Accumulator:
        """Return an empty accumulator for the chunks of one stream."""
        from cbai_notebook.client.accumulator import Accumulator

        return Accumulator()

    def decoder(self) -> StreamDecoder:
        """Return a new decoder for the events of one stream."""
        from cbai_notebook.client.decoder import ChatDecoder

        return ChatDecoder()


@runtime_checkable
class OwnFormatProvider(Protocol):
    """A provider whose service has a format of its own."""

    wire_format: WireFormat


def format_of(provider: object) -> WireFormat:
    """Return the format of a provider's requests and answers."""
    return provider.wire_format if isinstance(provider, OwnFormatProvider) else WireFormat()
