"""Rebuild the requests of a conversation with the client's request builder, for export."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.context import ContextLimits
from cbai_notebook.conversation.turn import COMPLETE, user_message
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.turn import Turn

_BASE = "https://base"
_ENV = "ENV-ID"
_NOT_A_LETTER = re.compile(r"[^A-Z0-9]+")
_NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class ExportedServer:
    """The address of exported requests, and the environment variables with its secrets.

    A script never sends the key of one address to another: ``CBAI_BASE_URL`` has ``CBAI_API_KEY``.

    Attributes:
        base: The base URL in three parts: before the environment's id, a placeholder, after the
            id. If the whole URL is known, it is the first part; if nothing is, all are empty.
        key: The variable with the API key.
        needs_key: Whether the server needs an API key.
        headers: The server's own headers: the variable with the value, by the name of the header.
        fixed: Whether ``CBAI_BASE_URL`` is not for this server, because it is one with a name.
    """

    base: tuple[str, str, str]
    key: str
    needs_key: bool
    headers: Mapping[str, str]
    fixed: bool = False

    @property
    def key_meaning(self) -> str:
        """What the variable with the API key must be set to, in words for the user."""
        if self.key == "CLOUDBASE_API_KEY":
            return say("export.cloudbase_key")
        return say("export.server_key")


@dataclass(frozen=True)
class ExportedRequest:
    """A request without its secrets.

    Attributes:
        server: Where it is sent.
        path: The URL after the base URL.
        body: The body, as plain JSON values.
        headers: The headers without ``Authorization`` and the server's own.
        replaced_provider: The turn's provider if CloudBase replaces it in the export; else ``""``.
    """

    server: ExportedServer
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    replaced_provider: str = ""

    @property
    def comment(self) -> str:
        """A comment line for shell or Python if CloudBase replaces the provider; else ``""``."""
        if not self.replaced_provider:
            return ""
        provider = one_line(self.replaced_provider)
        return f"# {say('export.replaced_provider', provider=provider)}\n"


@dataclass(frozen=True)
class Target:
    """The provider and the model of an exported request.

    Attributes:
        provider: The name of the provider.
        model: The name of the model; None leaves the choice to the provider.
        replaced_provider: The turn's provider if CloudBase replaces it in the export; else ``""``.
    """

    provider: str
    model: str | None
    replaced_provider: str = ""


def turns_of(conversation: Conversation) -> tuple[Turn, ...]:
    """Return the turns of a conversation.

    Raises:
        UsageError: The conversation is empty.
    """
    turns = conversation.turns
    if not turns:
        raise UsageError(say("export.empty_conversation", name=conversation.name))
    return turns


def model_of(turn: Turn) -> str | None:
    """Return the model that an export asks for, or None if the turn names none.

    The model that the user asked for wins over the model that the server reported: the server may
    report the version behind an alias, and that version may be removed later.
    """
    return turn.asked_model or turn.model


def target_of(turn: Turn, settings: Settings, *, custom: bool) -> Target:
    """Return the provider and the model for a turn's request outside the notebook.

    A provider that works only in the notebook, such as the offline model, is replaced by CloudBase
    with its default model.

    Args:
        turn: The turn.
        settings: Settings with the defaults for a provider or a model that the turn does not name.
        custom: Whether the export can send requests to the user's own servers.
    """
    from cbai_notebook.client.providers import default_model, in_cloud, is_server

    provider = turn.provider or settings.default_provider
    if in_cloud(provider, settings) or (custom and is_server(provider, settings)):
        return Target(provider, model_of(turn) or default_model(provider, settings))
    return Target("cloudbase", default_model("cloudbase", settings), replaced_provider=provider)


def requests_of(
    conversation: Conversation, settings: Settings, *, every_turn: bool
) -> list[ExportedRequest]:
    """Return the request of the last turn with its context, or the request of every turn.

    Raises:
        UsageError: The conversation is empty.
        ConfigurationError: Neither the turn nor the settings name a model.
    """
    turns = turns_of(conversation)
    chosen = turns if every_turn else turns[-1:]
    return [_request(conversation, turn, settings) for turn in chosen]


def _server_of(provider: str, settings: Settings) -> ExportedServer:
    """Return where the requests to a provider go, with the names of variables for its secrets."""
    from cbai_notebook.client.providers import base_url_of

    server = settings.servers.get(provider)
    if server:
        prefix = _variable_prefix(provider, settings)
        names = {name: _NOT_A_LETTER.sub("_", name.upper()) for name in server.headers}
        return ExportedServer(
            (server.base_url, "", ""),
            f"{prefix}_API_KEY",
            needs_key=bool(server.api_key),
            headers={name: f"{prefix}_HEADER_{variable}" for name, variable in names.items()},
            fixed=True,
        )
    if settings.base_url and (provider == "custom" or not settings.at_gateway):
        needs_key = provider != "custom" or bool(settings.api_key)
        return ExportedServer((base_url_of(settings), "", ""), "CBAI_API_KEY", needs_key, {})
    if provider == "custom":
        return ExportedServer(("", "", ""), "CBAI_API_KEY", needs_key=False, headers={})
    if settings.base_url or settings.env_id:
        base = base_url_of(settings), "", ""
    else:
        before, _, after = base_url_of(replace(settings, env_id=_ENV)).partition(_ENV)
        base = before, _ENV, after
    return ExportedServer(base, "CLOUDBASE_API_KEY", needs_key=True, headers={})


def _variable_prefix(name: str, settings: Settings) -> str:
    """Return the beginning of the names of a server's environment variables; no two share one."""
    prefix = _NOT_A_LETTER.sub("_", name.upper())
    taken = [other for other in settings.servers if _NOT_A_LETTER.sub("_", other.upper()) == prefix]
    if len(taken) > 1:
        prefix += f"_{taken.index(name) + 1}"
    # A name of a variable must not begin with a digit; CBAI_API_KEY is that of CBAI_BASE_URL.
    return f"SERVER_{prefix}" if prefix[:1].isdigit() or prefix == "CBAI" else prefix


def _request(conversation: Conversation, turn: Turn, settings: Settings) -> ExportedRequest:
    from cbai_notebook.client.providers import endpoint_below
    from cbai_notebook.client.request import build
    from cbai_notebook.client.servers import Server

    target = target_of(turn, settings, custom=True)
    server = settings.servers.get(target.provider)
    if target.provider == "custom":
        server = Server(_BASE)
    endpoint = endpoint_below(_BASE, target.provider, settings, server)
    context = conversation.context(turn.prompt, None, _limits(conversation, turn), turn)
    request = build(
        endpoint,
        stream=_was_streamed(turn),
        params={
            "model": target.model,
            "messages": [*context.messages, user_message(turn.prompt, turn.images)],
            **turn.params,
        },
    )
    headers = {name: request.headers[name] for name in ("Content-Type", "Accept")}
    return ExportedRequest(
        server=_server_of(target.provider, settings),
        path=request.url.removeprefix(_BASE),
        body=json.loads(request.content()),
        headers=headers,
        replaced_provider=target.replaced_provider,
    )


def _limits(conversation: Conversation, turn: Turn) -> ContextLimits:
    """Return limits that drop as many turns from the context as when the turn was sent."""
    turns = conversation.turns
    answered = [earlier for earlier in turns[: turns.index(turn)] if earlier.text]
    return ContextLimits(max(len(answered) - turn.dropped_turns, 0), chars=_NO_LIMIT)


def _was_streamed(turn: Turn) -> bool:
    # Only an answer without streaming has a duration and no time of a first token.
    in_one_piece = turn.duration_s is not None and turn.first_token_s is None
    return not (in_one_piece and turn.status == COMPLETE)
