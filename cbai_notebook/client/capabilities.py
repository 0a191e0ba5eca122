"""What a model cannot do, and the refusal of requests for more, before anything is sent or started.

A service in the cloud says itself what its models cannot do. A model that runs on this machine would
ignore tools without a word, and be started in vain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import joined, say

Feature = Literal["tools", "images", "thinking"]

_CANNOT: dict[Feature, str] = {
    "tools": "call_tools",
    "images": "see_images",
    "thinking": "think",
}


@dataclass(frozen=True)
class Capabilities:
    """What a model cannot do.

    Args:
        name: The model, at the beginning of a sentence.
        lacking: What it cannot do, each with the reason; ``""`` where there is none to tell.
    """

    name: str
    lacking: Mapping[Feature, str]


@runtime_checkable
class LimitedProvider(Protocol):
    """A provider that knows what its models can do."""

    def capabilities(self, model: str | None) -> Capabilities | None:
        """Return what a model cannot do, without starting it; None if that is not known."""
        ...


def check(
    provider: LimitedProvider,
    model: str | None,
    params: Mapping[str, Any],
    *,
    configured: bool = True,
) -> None:
    """Refuse a request for what its model cannot do.

    Args:
        provider: The provider.
        model: The name of the model; None for the provider's default.
        params: The parameters of the request.
        configured: Whether another provider is connected already.

    Raises:
        UsageError: The model cannot do it; the message says how to go on.
    """
    wanted = _wanted(params)
    known = provider.capabilities(model) if wanted else None
    if known is None:
        return
    missing = next((feature for feature in wanted if feature in known.lacking), None)
    if missing is None:
        return
    cannot, name, reason = _CANNOT[missing], known.name, known.lacking[missing]
    message = joined(
        say(f"provider.cannot_{cannot}_because", name=name, reason=reason)
        if reason
        else say(f"provider.cannot_{cannot}", name=name),
        say("provider.name_another_model")
        if configured
        else say("provider.name_another_model_or_connect"),
    )
    if missing == "images" and not _has_image(params["messages"][-1]):
        message = joined(message, say("provider.image_is_in_an_earlier_message"))
    raise UsageError(message)


def _wanted(params: Mapping[str, Any]) -> list[Feature]:
    """Return what a request needs of its model, besides text."""
    messages = params.get("messages")
    wanted: dict[Feature, bool] = {
        "tools": bool(params.get("tools")),
        "images": isinstance(messages, (list, tuple)) and any(map(_has_image, messages)),
        "thinking": params.get("think") is True,
    }
    return [feature for feature, is_wanted in wanted.items() if is_wanted]


def _has_image(message: Any) -> bool:
    content = message.get("content") if isinstance(message, Mapping) else None
    return isinstance(content, (list, tuple)) and any(
        isinstance(part, Mapping) and "image" in str(part.get("type")) for part in content
    )
