"""Which model answers the next prompt, and which setting says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import joined, say

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings


def next_model(now: Settings) -> str:
    """Return a sentence about the model of a prompt that names none, and how to ask another one."""
    from cbai_notebook.client.providers import LOCAL, default_model, model_label, parse_model_spec

    if not now.configured and not now.model:
        return say("service.nothing_is_configured")
    try:
        provider, model = parse_model_spec(None, now)
    except UsageError as error:
        return say("service.next_prompt_fails", problem=error.words or error.message)
    model = model or default_model(provider, now)
    why = _why(provider, now)
    if model is None and provider != LOCAL:
        example = f"-m {provider}/MODEL"
        return say("service.next_needs_a_model", provider=provider, why=why, example=example)
    return joined(
        say("service.next_model", label=model_label(provider, model), why=why),
        say("service.ask_another", option="-m MODEL", setting="cbai.configure(model=…)"),
    )


def _why(provider: str, now: Settings) -> str:
    """Return the settings that have decided, each with where it came from."""
    used = ["model"] if now.model else []
    decides = now.default_setting
    if decides and (now.provider or provider in ("cloudbase", now.default_provider)):
        used.append(decides)
    if not used:
        return say("service.first_server", source=now.servers[provider].source)
    return ", ".join(f"{name}: {now.sources[name]}" for name in used)
