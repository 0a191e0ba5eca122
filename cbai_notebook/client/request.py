"""A request, exactly as it will be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook._version import __version__
from cbai_notebook.client import chat_wire, server_quirks, thinking
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.secret import Secret
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import say

# Parameters of the client, under the names of this package and of the SDKs.
_NEVER_SENT = frozenset({"abortSignal", "stream", "timeout", "think"})

BODILESS = frozenset({"GET", "DELETE"})
"""Methods of requests without a body."""


@dataclass(frozen=True)
class Request:
    """A request: method, URL, headers, and the body as a dict.

    The key and a server's own values in ``headers`` are `Secret`: they compare equal to the plain
    text and print as dots. ``secrets`` are these values: errors mask those that are no placeholders.
    ``messages`` are those of the caller, without a system prompt that the provider adds.
    ``connection`` is the number of the connections to use, where requests do not share them.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    messages: Sequence[Any] = field(default=(), repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    connection: int = 0

    @property
    def streams(self) -> bool:
        """Whether this request is for a stream."""
        return bool(self.body.get("stream"))

    def content(self) -> bytes:
        """Return the body as bytes; empty for a method without a body.

        Raises:
            UsageError: A parameter cannot be written as JSON.
        """
        if self.method in BODILESS:
            return b""
        try:
            return chat_wire.dump(self.body)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise UsageError(say("request.cannot_be_json", reason=str(error))) from None

    def shown(self) -> dict[str, Any]:
        """Return the request as a plain dict for display, with the secrets masked."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": {name: str(value) for name, value in self.headers.items()},
            "body": dict(self.body),
        }


def build(
    endpoint: Endpoint,
    *,
    stream: bool,
    params: Mapping[str, Any],
) -> Request:
    """Return the request to an endpoint.

    Args:
        endpoint: The endpoint.
        stream: Whether to request a stream.
        params: The parameters; None removes a default of the endpoint.

    Raises:
        UsageError: There are no messages.
        ConfigurationError: Neither the parameters nor the endpoint name a model.
    """
    think = params.get("think")
    by_think = {} if think is None else thinking.parameters(endpoint.style, think)
    given = {**endpoint.defaults, **by_think, **params}
    given = {
        name: value
        for name, value in given.items()
        if value is not None and name not in _NEVER_SENT
    }
    model = given.pop("model", None) or endpoint.default_model
    if not model:
        raise ConfigurationError(say("request.needs_a_model", provider=endpoint.provider))
    messages = _messages(given.pop("messages", None))
    body: dict[str, Any] = {
        "model": model,
        "messages": _with_system(messages, endpoint.system),
        **given,
        "stream": stream,
    }
    if stream and endpoint.usage_in_stream and "stream_options" not in params:
        body["stream_options"] = dict(server_quirks.USAGE_IN_STREAM)
    body = server_quirks.without(body, server_quirks.refused(endpoint.url))
    return Request(
        "POST",
        endpoint.url,
        headers_of(endpoint, stream),
        body,
        messages,
        secrets=endpoint.secrets,
    )


def headers_of(endpoint: Endpoint, stream: bool) -> dict[str, str]:
    """Return the headers of a request with a body, including the API key and the server's own."""
    headers = {
        "Content-Type": "application/json",
        # Without this header the gateway cuts a stream after 60 s.
        "Accept": "text/event-stream" if stream else "*/*",
        "User-Agent": f"cbai-notebook/{__version__}",
    }
    if stream:
        # A compressor would delay tokens until its block is full.
        headers["Accept-Encoding"] = "identity"
    own = {name.lower() for name in endpoint.headers}
    headers = {name: value for name, value in headers.items() if name.lower() not in own}
    headers |= endpoint.headers
    if endpoint.api_key:
        headers["Authorization"] = Secret("Bearer " + endpoint.api_key)
    return headers


def _messages(messages: Any) -> list[Any]:
    if isinstance(messages, (str, bytes, Mapping)) or not messages:
        raise UsageError(say("request.messages_are_no_list"))
    return list(messages)


def _with_system(messages: list[Any], system: str | None) -> list[Any]:
    has_system = any(
        isinstance(each, Mapping) and each.get("role") in ("system", "developer")
        for each in messages
    )
    if system and not has_system:
        return [{"role": "system", "content": system}, *messages]
    return messages
