"""Ask a server which models it has: ``GET {base_url}/models``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from cbai_notebook.client import settings as settings_module
from cbai_notebook.client.listed_models import note_models
from cbai_notebook.client.provider_registry import provider_for
from cbai_notebook.client.providers import Endpoint, ServerProvider, key_advice
from cbai_notebook.client.request import Request, headers_of
from cbai_notebook.errors import InvalidResponseError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import Response, Transport

LONGEST_S = 20.0
"""The most seconds to wait for a list."""

_LARGEST = 8 * 1024 * 1024
_LONGEST_NAME = 200

# What servers without a list answer.
_NO_LIST = frozenset({404, 405, 501})


async def list_models(
    provider: str, *, settings: Settings | None = None, transport: Transport | None = None
) -> tuple[str, ...] | None:
    """Return the names of a server's models, or None if the server has no list of them.

    Args:
        provider: The name of a server, or ``"custom"``.
        settings: The settings; the current ones by default.
        transport: Sends the request; by default `HTTPTransport`.

    Raises:
        UsageError: The provider is not a server with an address of its own.
        CbaiError: The request failed; the message says what to do.

    Source: the list is OpenAI's ``{"data": [{"id": …}]}``. Servers with ``{"models": [{"name": …}]}``
    and with a bare list exist.
    """
    from cbai_notebook.client.completion import within
    from cbai_notebook.client.error_mapping import ErrorContext
    from cbai_notebook.client.transport import HTTPTransport

    now = settings or settings_module.settings()
    found = provider_for(provider, now)
    if not isinstance(found, ServerProvider):
        raise UsageError(say("provider.has_no_list_of_models", name=provider))
    server = found.server(now)
    url = f"{server.base_url}/models"
    endpoint = Endpoint(provider, url, server.api_key or "", headers=server.headers)
    headers = headers_of(endpoint, False)
    del headers["Content-Type"]
    request = Request("GET", url, headers, {}, secrets=endpoint.secrets)
    error_context = ErrorContext(
        provider=provider,
        url=url,
        secrets=endpoint.secrets,
        key_advice=partial(key_advice, provider, now),
    )

    async def ask() -> tuple[str, ...] | None:
        sender = transport or HTTPTransport()
        response = await sender.send(request, error_context, connect_timeout=now.timeout.connect)
        try:
            names = await _read(response, error_context)
        finally:
            await response.aclose()
        note_models(server.base_url, names or ())
        return names

    return await within(min(now.timeout.answer, LONGEST_S), ask(), error_context)


async def _read(response: Response, error_context: Any) -> tuple[str, ...] | None:
    from cbai_notebook.client import chat_wire, error_mapping
    from cbai_notebook.client.transport import LARGEST_ERROR

    if response.status in _NO_LIST:
        return None
    if not 200 <= response.status < 300:
        body = await response.read(LARGEST_ERROR, cut=True)
        raise error_mapping.from_response(response.status, response.headers, body, error_context)
    try:
        value = chat_wire.load(await response.read(_LARGEST))
    except InvalidResponseError:
        return None
    if isinstance(value, dict):
        error = error_mapping.from_body(value, response.headers, error_context)
        if error is not None:
            raise error
    names = _names(value)
    if names is None:
        return None
    shown = (one_line(error_context.mask(name), _LONGEST_NAME) for name in names)
    return tuple(dict.fromkeys(filter(None, shown)))


def _names(value: Any) -> list[str] | None:
    """Return the names in a list of models, or None if this is none."""
    listed = value
    if isinstance(value, dict):
        listed = next((value[key] for key in ("data", "models") if key in value), None)
    if not isinstance(listed, list):
        return None
    found = [name for name in map(_name, listed) if name]
    return found if found or not listed else None


def _name(item: Any) -> str | None:
    values: Iterable[Any] = (item,)
    if isinstance(item, dict):
        values = (item.get(key) for key in ("id", "model", "name"))
    return next((value for value in values if isinstance(value, str) and value), None)
