"""Build the requests to agents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal
from urllib.parse import urlencode

from cbai_notebook.client.providers import AGENT, Endpoint, cloudbase
from cbai_notebook.client.request import BODILESS, Request, headers_of
from cbai_notebook.client.settings import Settings
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import Words, say

# An id becomes a part of the path, so it must not hold "/" or "..".
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")


def endpoint_of(agent_id: str | None, path: str, settings: Settings) -> Endpoint:
    """Return the endpoint of an agent.

    Args:
        agent_id: The agent's id; None for the list of all agents.
        path: The path below the agent.
        settings: The settings with the environment and the key.

    Raises:
        ConfigurationError: The environment or the key is missing.

    Source: the paths are those of the official SDK's ``Bot``.
    """
    base, key = cloudbase(settings)
    return Endpoint(
        AGENT,
        "/".join(part for part in (f"{base}/aibot/bots", agent_id, path) if part),
        key,
        default_model=agent_id,
        always_stream=True,
        label=say("agent.label", agent_id=agent_id) if agent_id else AGENT,
        cloud=True,
        missing=partial(_missing, agent_id, path),
    )


def build_request(
    method: str, endpoint: Endpoint, values: Mapping[str, Any], *, stream: bool = False
) -> Request:
    """Build a request to an agent.

    Args:
        method: The HTTP method.
        endpoint: The endpoint of the agent.
        values: The body, or the query of a method without a body. None values are not sent.
        stream: Whether the response is a stream.
    """
    url = endpoint.url
    given = {name: value for name, value in values.items() if value is not None}
    headers = headers_of(endpoint, stream)
    if method in BODILESS:
        del headers["Content-Type"]
        if given:
            url += "?" + urlencode({name: _query_value(value) for name, value in given.items()})
            given = {}
    return Request(method, url, headers, given, secrets=endpoint.secrets)


def build_message(
    endpoint: Endpoint,
    msg: str,
    *,
    history: Sequence[Mapping[str, Any]] = (),
    search: bool | None = None,
    files: Sequence[str] = (),
    conversation_id: str | None = None,
    **params: Any,
) -> Request:
    """Build the request that sends a message; the arguments are those of `Agent.send_message`.

    Raises:
        UsageError: The history is not one.
    """
    messages = [_history_message(message) for message in history]
    body = {
        # The official SDK sends the agent's id in the path and in the body.
        "botId": endpoint.default_model,
        "msg": msg,
        "history": messages,
        "searchEnable": search,
        "files": list(files) or None,
        "conversationId": conversation_id,
        **params,
    }
    request = build_request("POST", endpoint, body, stream=True)
    return replace(request, messages=[*messages, {"role": "user", "content": msg}])


def checked_message(msg: Any) -> str:
    """Return a message that says something.

    Raises:
        UsageError: It is empty.
    """
    if not isinstance(msg, str) or not msg.strip():
        raise UsageError(say("agent.message_is_empty"))
    return str(msg)


def _history_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Reduce an earlier message to the two fields that an agent takes.

    Raises:
        UsageError: It is not a message.
    """
    try:
        return {"role": message["role"], "content": message["content"]}
    except (TypeError, KeyError):
        raise UsageError(say("agent.history_is_wrong")) from None


def checked_id(name: Any, kind: Literal["agent", "conversation"]) -> str:
    """Return an id that is safe in a path.

    Args:
        name: The id.
        kind: What it is the id of.

    Raises:
        UsageError: It cannot be an id.
    """
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise UsageError(say(f"agent.id_of_{kind}_is_wrong", name=repr(name)))
    return str(name)


def _missing(agent_id: str | None, path: str) -> Words:
    if agent_id is None:
        return say("agent.no_agents_here")
    if path:
        return say("agent.no_such_agent_or_path", agent_id=agent_id, path=path)
    return say("agent.no_such_agent", agent_id=agent_id)


def _query_value(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
