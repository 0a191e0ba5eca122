"""Build the requests to agents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cbai_notebook.client.providers import Endpoint, cloudbase
from cbai_notebook.client.request import BODILESS, Request, headers_of
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import UsageError

if TYPE_CHECKING:
    from cbai_notebook.client.error_mapping import ErrorContext

# An id becomes a part of the path, so it must not hold "/" or "..".
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")


def build_request(
    method: str,
    agent_id: str | None,
    path: str,
    values: Mapping[str, Any],
    settings: Settings,
    *,
    stream: bool = False,
) -> tuple[Request, ErrorContext]:
    """Build a request and its error context.

    Args:
        method: The HTTP method.
        agent_id: The agent's id; None for the list of all agents.
        path: The path below the agent.
        values: The body, or the query of a method without a body. None values are not sent.
        settings: The settings with the environment and the key.
        stream: Whether the response is a stream.

    Raises:
        ConfigurationError: The environment or the key is missing.

    Source: the paths are those of the official SDK's ``Bot``.
    """
    from cbai_notebook.client.error_mapping import ErrorContext

    base, key = cloudbase(settings)
    url = "/".join(part for part in (f"{base}/aibot/bots", agent_id, path) if part)
    given = {name: value for name, value in values.items() if value is not None}
    endpoint = Endpoint("agent", url, key)
    headers = headers_of(endpoint, stream)
    if method in BODILESS:
        del headers["Content-Type"]
        if given:
            url += "?" + urlencode({name: _query_value(value) for name, value in given.items()})
            given = {}
    error_context = ErrorContext(
        provider="agent",
        model=agent_id or "",
        url=url,
        secrets=endpoint.secrets,
        missing=_missing(agent_id, path),
        cloud=True,
    )
    return Request(method, url, headers, given, secrets=endpoint.secrets), error_context


def checked_id(name: Any, what: str) -> str:
    """Return an id that is safe in a path.

    Raises:
        UsageError: It cannot be an id.
    """
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the id of {what}: letters, digits, '-', '_', '.' and ':' only."
        )
    return str(name)


def _missing(agent_id: str | None, path: str) -> str:
    if agent_id is None:
        return "There are no agents at this address. Check the environment id or the base URL."
    without = f", or it has no {path}" if path else ""
    return (
        f"There is no agent {agent_id!r} in this environment{without}. "
        "`await cbai.agent().list()` shows the agents."
    )


def _query_value(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
