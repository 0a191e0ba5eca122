"""One request, exactly as it will be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cbai_notebook.client import chat_wire, thinking
from cbai_notebook.client.providers import Endpoint
from cbai_notebook.client.settings import Secret
from cbai_notebook.errors import ConfigurationError, UsageError

# Meant for this side of a request, under the names of this package and of the SDKs.
_NEVER_SENT = frozenset({"abortSignal", "stream", "timeout", "think"})


BODILESS = frozenset({"GET", "DELETE"})


@dataclass(frozen=True)
class Request:
    """What would be sent: method, URL, headers and the body as a dict.

    The key in ``headers`` is a `Secret`: it compares as what it is and shows itself as dots.
    ``messages`` are the caller's own, without a system prompt that the provider added.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    messages: Sequence[Any] = field(default=(), repr=False)
    secret: Secret = field(default=Secret(""), repr=False)

    @property
    def streams(self) -> bool:
        """Whether this request asks for a stream."""
        return bool(self.body.get("stream"))

    def content(self) -> bytes:
        """Return the body as it travels; nothing for a method that has none.

        Raises:
            UsageError: A parameter has no JSON form.
        """
        if self.method in BODILESS:
            return b""
        try:
            return chat_wire.dump(self.body)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise UsageError(
                f"A parameter cannot be sent as JSON: {error}. Use plain numbers, strings, lists "
                "and dicts."
            ) from None

    def shown(self) -> dict[str, Any]:
        """Return the request as a plain dict that is safe to show: the key is masked."""
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
    """Make the request that an endpoint is asked with.

    Args:
        endpoint: Where it goes.
        stream: Whether a stream is asked for.
        params: The parameters; None takes one of the endpoint's own away.

    Raises:
        UsageError: There are no messages.
        ConfigurationError: No model is named anywhere.
    """
    think = params.get("think")
    given = {**endpoint.defaults, **thinking.parameters(endpoint.provider, think), **params}
    given = {
        name: value
        for name, value in given.items()
        if value is not None and name not in _NEVER_SENT
    }
    model = given.pop("model", None) or endpoint.default_model
    if not model:
        raise ConfigurationError(
            f"Which model of {endpoint.provider!r}? Name one: `-m {endpoint.provider}/MODEL`, "
            "model='…', or cbai.configure(model='…')."
        )
    messages = _messages(given.pop("messages", None))
    body: dict[str, Any] = {
        "model": model,
        "messages": _with_system(messages, endpoint.system),
        **given,
        "stream": stream,
    }
    if stream and endpoint.usage_in_stream and "stream_options" not in params:
        body["stream_options"] = {"include_usage": True}
    return Request(
        "POST",
        endpoint.url,
        headers_of(endpoint, stream),
        body,
        messages,
        secret=Secret(endpoint.api_key),
    )


def without_usage(request: Request) -> Request:
    """Return the same request, not asking for usage in the stream."""
    body = {name: value for name, value in request.body.items() if name != "stream_options"}
    return replace(request, body=body)


def headers_of(endpoint: Endpoint, stream: bool) -> dict[str, str]:
    """Return the headers of a request with a body, the key among them."""
    from cbai_notebook._version import __version__

    headers = {
        "Content-Type": "application/json",
        # Without this the gateway cuts a stream at 60 s.
        "Accept": "text/event-stream" if stream else "*/*",
        "User-Agent": f"cbai-notebook/{__version__}",
    }
    if stream:
        # A compressor would hold tokens back until its block is full.
        headers["Accept-Encoding"] = "identity"
    headers.update(endpoint.headers)
    if endpoint.api_key:
        headers["Authorization"] = Secret("Bearer " + endpoint.api_key)
    return headers


def _messages(messages: Any) -> list[Any]:
    if isinstance(messages, (str, bytes, Mapping)) or not messages:
        raise UsageError(
            "messages must be a list of dicts, as in "
            "messages=[{'role': 'user', 'content': 'Introduce Li Bai'}]."
        )
    return list(messages)


def _with_system(messages: list[Any], system: str | None) -> list[Any]:
    has_system = any(
        isinstance(each, Mapping) and each.get("role") in ("system", "developer")
        for each in messages
    )
    if system and not has_system:
        return [{"role": "system", "content": system}, *messages]
    return messages
