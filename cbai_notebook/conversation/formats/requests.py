"""Rebuild the requests of a conversation with the client's request builder, for export."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.context import ContextLimits
from cbai_notebook.conversation.turn import COMPLETE, user_message
from cbai_notebook.errors import UsageError
from cbai_notebook.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.turn import Turn

_BASE = "https://base"
_ENV = "ENV-ID"
_NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class ExportedRequest:
    """A request without its API key.

    Attributes:
        path: The URL after the base URL.
        body: The body, as plain JSON values.
        headers: The headers without ``Authorization``.
        needs_key: Whether the server needs an API key.
        replaced_provider: The turn's provider if CloudBase replaces it in the export; else ``""``.
    """

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    needs_key: bool
    replaced_provider: str = ""

    @property
    def comment(self) -> str:
        """A comment line for shell or Python if CloudBase replaces the provider; else ``""``."""
        if not self.replaced_provider:
            return ""
        return (
            f"# This asked {one_line(self.replaced_provider)}, which is only there in the notebook; "
            "CloudBase stands in for it.\n"
        )


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
        raise UsageError(
            f"The conversation {conversation.name!r} is empty, so there is nothing to export yet. "
            "Ask something first."
        )
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
        custom: Whether the export can send requests to the user's own server at a base URL.
    """
    from cbai_notebook.client.providers import default_model, in_cloud

    provider = turn.provider or settings.default_provider
    if in_cloud(provider) or (custom and provider == "custom"):
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


def base_url(settings: Settings, requests: list[ExportedRequest]) -> tuple[str, str, str]:
    """Return the base URL in three parts: before the environment's id, a placeholder, after the id.

    If the environment or the address is known, the first part is the whole URL. If the requests go
    to the user's own server and its address is not known, all three are empty.
    """
    from cbai_notebook.client.providers import base_url_of

    if settings.base_url or settings.env_id:
        return base_url_of(settings), "", ""
    if all(request.path.startswith("/chat/") for request in requests):
        return "", "", ""
    before, _, after = base_url_of(replace(settings, env_id=_ENV)).partition(_ENV)
    return before, _ENV, after


def _request(conversation: Conversation, turn: Turn, settings: Settings) -> ExportedRequest:
    from cbai_notebook.client.providers import endpoint_below
    from cbai_notebook.client.request import build

    target = target_of(turn, settings, custom=True)
    endpoint = endpoint_below(_BASE, target.provider, settings)
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
        path=request.url.removeprefix(_BASE),
        body=json.loads(request.content()),
        headers=headers,
        needs_key=target.provider != "custom" or bool(settings.api_key),
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
