"""The requests of a conversation: what was sent to whom, as the client makes it."""

from __future__ import annotations

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


@dataclass(frozen=True)
class ExportedRequest:
    """A request that can be sent by anyone who has a key.

    Attributes:
        path: What follows the base URL.
        body: The body, as plain JSON values.
        headers: The headers without the key.
        needs_key: Whether the server wants a key.
        replaced_provider: The provider that was asked, where CloudBase stands in for it; else ``""``.
    """

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    needs_key: bool
    replaced_provider: str = ""

    @property
    def comment(self) -> str:
        """A comment for shell or Python that says that CloudBase stands in, with its line end, or ``""``."""
        if not self.replaced_provider:
            return ""
        return (
            f"# This asked {one_line(self.replaced_provider)}, which is only there in the notebook; "
            "CloudBase stands in for it.\n"
        )


@dataclass(frozen=True)
class Target:
    """Which provider and model to ask.

    Attributes:
        provider, model: Their names; no model leaves the choice to the provider.
        replaced_provider: The provider that was asked, where CloudBase stands in for it; else ``""``.
    """

    provider: str
    model: str | None
    replaced_provider: str = ""


def turns_of(conversation: Conversation) -> tuple[Turn, ...]:
    """Return the turns of a conversation.

    Raises:
        UsageError: There are none.
    """
    turns = conversation.turns
    if not turns:
        raise UsageError(
            f"The conversation {conversation.name!r} is empty, so there is nothing to export yet. "
            "Ask something first."
        )
    return turns


def model_of(turn: Turn) -> str | None:
    """Return the model to ask for again, where a turn names one.

    What a server reports may be the version that an alias stands for today, which it will not have for
    ever.
    """
    return turn.asked_model or turn.model


def target_of(turn: Turn, settings: Settings, *, custom: bool) -> Target:
    """Return whom a turn asks when it is taken elsewhere.

    A provider that is only known here, such as the offline model, is replaced by CloudBase with its
    usual model.

    Args:
        turn: The turn.
        settings: What fills in a provider or a model that the turn does not name.
        custom: Whether a server of the user's own, at a base URL, can be asked from there.
    """
    from cbai_notebook.client.providers import default_model, in_cloud

    provider = turn.provider or settings.default_provider
    if in_cloud(provider) or (custom and provider == "custom"):
        return Target(provider, model_of(turn) or default_model(provider, settings))
    return Target("cloudbase", default_model("cloudbase", settings), replaced_provider=provider)


def requests_of(
    conversation: Conversation, settings: Settings, *, every_turn: bool
) -> list[ExportedRequest]:
    """Return the request of the last turn, which carries what came before, or that of every turn.

    Raises:
        UsageError: The conversation is empty.
        ConfigurationError: No model is named anywhere.
    """
    turns = turns_of(conversation)
    chosen = turns if every_turn else turns[-1:]
    return [_request(conversation, turn, settings) for turn in chosen]


def base_url(settings: Settings, requests: list[ExportedRequest]) -> tuple[str, str, str]:
    """Return the base URL as what stands before, in place of, and after the environment's id.

    The first part alone is the URL where the environment or the address is known; all three are
    empty where a server of the user's own is asked and its address is not known.
    """
    from cbai_notebook.client.providers import base_url_of

    if settings.base_url or settings.env_id:
        return base_url_of(settings), "", ""
    if all(request.path.startswith("/chat/") for request in requests):
        return "", "", ""
    before, _, after = base_url_of(replace(settings, env_id=_ENV)).partition(_ENV)
    return before, _ENV, after


def _request(conversation: Conversation, turn: Turn, settings: Settings) -> ExportedRequest:
    import json

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


_NO_LIMIT = 1 << 62


def _limits(conversation: Conversation, turn: Turn) -> ContextLimits:
    """Return bounds that leave out what was left out when the turn was asked."""
    turns = conversation.turns
    answered = [earlier for earlier in turns[: turns.index(turn)] if earlier.text]
    return ContextLimits(max(len(answered) - turn.dropped_turns, 0), chars=_NO_LIMIT)


def _was_streamed(turn: Turn) -> bool:
    # Only an answer that came in one piece has a duration and no first token.
    in_one_piece = turn.duration_s is not None and turn.first_token_s is None
    return not (in_one_piece and turn.status == COMPLETE)
