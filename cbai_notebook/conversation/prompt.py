"""A prompt and how to ask it, as a cell, a drawing, a panel or a script writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cbai_notebook.conversation import continuation
from cbai_notebook.conversation.turn import Turn


@dataclass(frozen=True)
class Prompt:
    """A prompt and how to ask it.

    Attributes:
        text: The user's message, as it is sent.
        system: The system prompt from this turn on; ``""`` removes it, ``None`` keeps the current
            one.
        model: The model: with a provider, the name of one of its models; without, a spec such as
            ``"hy3"`` or ``"deepseek/deepseek-v4-pro"``. ``None`` leaves the choice to the provider.
        provider: The provider's name; ``None`` if `model` is a spec.
        params: Other parameters of the request, such as ``temperature``.
        remember: Send earlier turns as context and keep the turn in the conversation.
        stream: Request a stream; otherwise the whole answer at once.
        cell_id: The id of the cell that asks.
        cell_turn: Index of the prompt within this run of the cell, from 0.
        branch_of: The turn next to which this one begins a branch; only the turns before it are
            sent.
        replaces: The turn of which this one is a new version; only the turns before it are sent.
        continues: The turn whose answer is continued, if one is; `text`, `system` and `images` are
            then those of this turn, and `replaces` is this turn.
        sample: The number of this answer among several to the same request, from 1; a stored answer
            is replayed for its own number only.
        cached: Replay the answer from the history if the same request was answered before.
        allow_secrets: The user sends a secret on purpose; the history then stores it too.
        images: URLs of images that are sent with the prompt, ``data:`` URLs included.
        options: Options that the client handles itself: ``tools``, ``max_steps``, ``approve``,
            ``call_nested``, ``response_type``, ``think``; see
            :meth:`cbai_notebook.Model.generate_text`.
    """

    text: str
    system: str | None = None
    model: str | None = None
    provider: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    remember: bool = True
    stream: bool = True
    cell_id: str | None = None
    cell_turn: int = 0
    branch_of: Turn | None = None
    replaces: Turn | None = None
    continues: Turn | None = None
    sample: int = 1
    cached: bool = False
    allow_secrets: bool = False
    images: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def continuing(turn: Turn, *, params: Mapping[str, Any], cell_id: str | None = None) -> Prompt:
    """Return the prompt that continues the answer of a turn.

    Args:
        turn: The turn.
        params: Parameters of the request that differ from those of the turn.
        cell_id: The id of the cell that continues.

    Raises:
        UsageError: The answer cannot be continued.
    """
    continuation.check_continuable(turn)
    return Prompt(
        text=turn.prompt,
        system=turn.system,
        model=turn.asked_model or turn.model,
        provider=turn.provider,
        params={**turn.params, **params},
        cell_id=cell_id,
        replaces=turn,
        continues=turn,
        allow_secrets=turn.allow_secrets,
        images=turn.images,
    )
