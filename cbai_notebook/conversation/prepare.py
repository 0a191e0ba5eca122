"""Prepares a prompt: settings, model, context and parameters are resolved here, once for each prompt.

Cells, drawings, panels and scripts prepare a prompt in the same way, and hand the result to `ask` or
to `draw`, which resolve nothing again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cbai_notebook.client.secret_values import known_secrets
from cbai_notebook.conversation import continuation, secrets
from cbai_notebook.conversation.context import Context, ContextLimits
from cbai_notebook.conversation.conversation import Conversation, Message
from cbai_notebook.conversation.prompt import Prompt
from cbai_notebook.conversation.replay import fingerprint
from cbai_notebook.conversation.turn import EarlierTurns, user_message
from cbai_notebook.i18n import joined, listed, say
from cbai_notebook.preferences import preferences

if TYPE_CHECKING:
    from cbai_notebook.client.images.model import ImageModel
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.settings import Settings

M = TypeVar("M", "Model", "ImageModel")

IMAGE_PROVIDER = "hunyuan-image"
"""The provider of drawings whose prompt names none."""


@dataclass(frozen=True)
class PreparedPrompt(Generic[M]):
    """A prompt that is ready to be sent.

    Attributes:
        conversation: The conversation that gets the turn, if the prompt is remembered.
        prompt: The prompt; its `model` is only a name now, or ``None``.
        provider: The name of the provider.
        model: The client's model or image model.
        asked_model: The model's name, also where the prompt names none; ``None`` leaves the choice
            to the provider.
        settings: The settings of the request.
        secrets: All keys and header values that are known, by their names for the user.
        context: The messages before the prompt.
        params: The parameters of the request, without the client's own options.
        hints: Sentences about the prompt for the user.
        earlier: The turns of an earlier session in the context, if the user is to be told of them.
        lacks_past: Whether turns of an earlier session could not be read, which the hints say.
    """

    conversation: Conversation
    prompt: Prompt
    provider: str
    model: M
    asked_model: str | None
    settings: Settings
    secrets: Mapping[str, str]
    context: Context
    params: Mapping[str, Any]
    hints: tuple[str, ...] = ()
    earlier: EarlierTurns | None = None
    lacks_past: bool = False

    async def screened_params(self) -> Mapping[str, Any]:
        """Return the parameters with what the user's ``before_send`` makes of them.

        Raises:
            PromptRefusedError: ``before_send`` refuses the request.
        """
        if (before_send := self.settings.before_send) is None:
            return self.params
        from cbai_notebook.client.before_send import screened, screened_text

        sent: dict[str, Any]
        if "messages" in self.params:
            sent = {"messages": await screened(self.params["messages"], before_send)}
        else:
            sent = {"prompt": await screened_text(self.params["prompt"], before_send)}
        return {**self.params, **sent}

    def fingerprint(self, params: Mapping[str, Any]) -> str:
        """Return the hash by which an equal request is found in the history.

        Args:
            params: What `screened_params` returned.
        """
        params = self.request_params(params)
        if self.prompt.sample > 1:
            params["sample"] = self.prompt.sample
        return fingerprint(self.provider, self.asked_model, params, self.settings)

    def request_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters with the options that change the request, as the model gets them."""
        return {**params, **_option_fields(self.prompt.options, self.secrets)[0]}

    def with_options(self, options: Mapping[str, Any]) -> PreparedPrompt[M]:
        """Return this prompt with more of the client's own options."""
        return replace(
            self, prompt=replace(self.prompt, options={**self.prompt.options, **options})
        )


def prepare(
    conversation: Conversation | None,
    prompt: Prompt,
    *,
    settings: Settings | None = None,
    model: Model | None = None,
    limits: ContextLimits | None = None,
) -> PreparedPrompt[Model]:
    """Prepare a prompt for a chat model or an agent. Nothing is sent, and no turn is made.

    Args:
        conversation: The conversation of the prompt; ``None`` asks without one.
        prompt: The prompt and how to ask it.
        settings: Settings of its own, also for the model that is given; by default those of the
            model, or else the current ones.
        model: The model to ask; by default it is made from the prompt's provider and model.
        limits: How much context is sent; by default as the preferences say.

    Raises:
        UsageError: The model's name is not valid, or ``prompt.branch_of`` or ``prompt.replaces`` is
            no longer in the conversation.
        SecretRefusedError: The request would contain a secret.
    """
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.providers import AGENT, default_model, parse_model_spec

    start = _start(conversation, prompt, settings, model, parse_model_spec)
    conversation, prompt, settings = start.conversation, start.prompt, start.settings
    made = start.model or Model(prompt.provider or settings.default_provider, settings=settings)
    asked_model = prompt.model or default_model(made.provider, settings)
    context = _context(conversation, prompt, limits)
    params = _parameters(prompt, asked_model, context)
    fields, hints = _option_fields(prompt.options, start.secrets)
    _check_secrets(prompt, {**params, **fields}, start.secrets)
    unread = conversation.unread if prompt.remember else ""
    if unread:
        hints.append(joined(say("conversation.past_not_seen"), unread))
    if made.provider == AGENT and params["messages"][0]["role"] == "system":
        hints.append(say("conversation.system_prompt_not_sent"))
    return PreparedPrompt(
        conversation=conversation,
        prompt=prompt,
        provider=made.provider,
        model=made,
        asked_model=asked_model,
        settings=settings,
        secrets=start.secrets,
        context=context,
        params=params,
        hints=tuple(hints),
        earlier=conversation.earlier_turns(context),
        lacks_past=bool(unread),
    )


def prepare_drawing(
    conversation: Conversation | None,
    prompt: Prompt,
    *,
    settings: Settings | None = None,
    model: ImageModel | None = None,
) -> PreparedPrompt[ImageModel]:
    """Prepare a prompt for an image model. Nothing is sent, and no turn is made.

    Args:
        conversation: As for `prepare`; no context is sent.
        prompt: The prompt. A model without a provider is one of :data:`IMAGE_PROVIDER`.
        settings: As for `prepare`.
        model: As for `prepare`.

    Raises:
        UsageError: The model's name is not valid.
        SecretRefusedError: The request would contain a secret.
    """
    from cbai_notebook.client.images.model import create_image_model
    from cbai_notebook.client.providers import default_model

    start = _start(conversation, prompt, settings, model, _image_model)
    conversation, prompt, settings = start.conversation, start.prompt, start.settings
    _check_secrets(
        prompt, {"messages": [user_message(prompt.text)], **prompt.params}, start.secrets
    )
    named = {"model": prompt.model} if prompt.model else {}
    made = start.model or create_image_model(prompt.provider or IMAGE_PROVIDER, settings=settings)
    return PreparedPrompt(
        conversation=conversation,
        prompt=prompt,
        provider=made.provider,
        model=made,
        asked_model=prompt.model or default_model(made.provider, settings),
        settings=settings,
        secrets=start.secrets,
        context=Context([], dropped_turns=0),
        params={**prompt.params, **named, "prompt": prompt.text},
    )


@dataclass(frozen=True)
class _Start(Generic[M]):
    """What text and drawings begin with: prompt and conversation, settings and known secrets."""

    conversation: Conversation
    prompt: Prompt
    settings: Settings
    secrets: Mapping[str, str]
    model: M | None


def _start(
    conversation: Conversation | None,
    prompt: Prompt,
    given: Settings | None,
    model: M | None,
    parse: Callable[[str | None, Settings], tuple[str, str | None]],
) -> _Start[M]:
    """Resolve the settings, and the provider and the model that the prompt names."""
    from cbai_notebook.client.settings import settings

    given = given or (model.settings if model is not None else None)
    current = given or settings()
    # A prompt with settings of its own must not hold a key of the usual ones either.
    known = current.secrets
    if given is not None:
        usual = settings().secrets.items()
        others = {name: key for name, key in usual if key not in known.values()}
        others = {say("conversation.usual_secret", name=name): key for name, key in others.items()}
        known = {**others, **known}
    if current.before_send is not None:
        from cbai_notebook.client.before_send import once

        before_send = current.before_send
        if not prompt.allow_secrets:
            before_send = secrets.guarded(before_send, api_key=known)
        current = replace(current, before_send=once(before_send))
    if model is not None:
        prompt = replace(prompt, provider=model.provider)
        model = model.with_settings(current)
    elif prompt.provider is None:
        provider, name = parse(prompt.model, current)
        prompt = replace(prompt, provider=provider, model=name)
    if conversation is None:
        conversation, prompt = Conversation(""), replace(prompt, remember=False)
    return _Start(conversation, prompt, current, known, model)


def _check_secrets(prompt: Prompt, params: Mapping[str, Any], known: Mapping[str, str]) -> None:
    if not prompt.allow_secrets:
        secrets.check_request(params, api_key=known, environ=os.environ)


def _context(conversation: Conversation, prompt: Prompt, limits: ContextLimits | None) -> Context:
    """Return the messages that are sent before the prompt."""
    if not prompt.remember:
        system = prompt.system
        return Context([{"role": "system", "content": system}] if system else [], dropped_turns=0)
    if limits is None:
        prefs = preferences()
        limits = ContextLimits(prefs.history_turns, prefs.history_chars)
    if (turn := prompt.continues) is not None:  # this turn is sent in any case
        left = limits.chars - len(turn.prompt) - len(turn.text)
        limits = replace(limits, turns=max(0, limits.turns - 1), chars=max(0, left))
    return conversation.context(
        prompt.text, prompt.system, limits, prompt.branch_of, prompt.replaces
    )


def _parameters(prompt: Prompt, model: str | None, context: Context) -> dict[str, Any]:
    """Return the parameters of the request for a prompt."""
    asked = (
        [user_message(prompt.text, prompt.images)]
        if prompt.continues is None
        else continuation.messages_for(prompt.continues)
    )
    messages: list[Message] = [*context.messages, *asked]
    named = {"model": model} if model else {}
    return {**named, "messages": messages, **prompt.params}


def _image_model(spec: str | None, settings: Settings) -> tuple[str, str | None]:
    """Return the provider and the model of a drawing."""
    from cbai_notebook.client.providers import (
        DEMO,
        check_model_is_no_server,
        parse_model_spec,
    )

    if spec is None or spec == IMAGE_PROVIDER:
        return IMAGE_PROVIDER, None
    if "/" in spec or spec.startswith("local") or spec == DEMO or spec in settings.servers:
        return parse_model_spec(spec, settings)
    check_model_is_no_server(spec, IMAGE_PROVIDER, settings)
    return IMAGE_PROVIDER, spec


def _option_fields(
    options: Mapping[str, Any], keys: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the options that change the request, in the form that the model receives.

    Returns:
        The fields, and a sentence for the user about each default of a tool that is left out.
    """
    found: dict[str, Any] = {}
    hints: list[str] = []
    if tools := options.get("tools"):
        from cbai_notebook.client.tools.secret_defaults import without_secret_defaults
        from cbai_notebook.client.tools.tool import Tool, tools_of

        sent = [tool.sent if isinstance(tool, Tool) else tool for tool in tools_of(tools)]
        known = known_secrets(keys, os.environ)
        found["tools"], left_out = without_secret_defaults(sent, known)
        hints = [
            say(
                "conversation.default_is_secret",
                parameter=default.parameter,
                tool=default.tool,
                names=listed(default.secrets),
            )
            for default in left_out
        ]
    if (kind := options.get("response_type")) is not None:
        from cbai_notebook.client.structured.response_type import response_type_of

        found["response_type"] = response_type_of(kind).format
    if "think" in options:
        found["think"] = options["think"]
    return found, hints
