"""Keeps the API key out of every form, also where a prompt or an answer holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.turn import Turn

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings

# A shorter one could be any word, and is no key of CloudBase's.
_KEY_CHARS = 8


def without_key(conversation: Conversation, settings: Settings) -> Conversation:
    """Return the conversation, or a copy in which dots stand for the key where it holds it.

    The key is taken out before anything is escaped or wrapped: afterwards it has many spellings.
    """
    from cbai_notebook.client.settings import Secret
    from cbai_notebook.text import MASK

    key = Secret(settings.api_key or "").reveal()
    if len(key) < _KEY_CHARS:
        return conversation

    def mask(text: str) -> str:
        return text.replace(key, MASK)

    turns = conversation.turns
    name, masked = mask(conversation.name), [_masked(turn, mask) for turn in turns]
    if name == conversation.name and all(map(_same, turns, masked)):
        return conversation
    copy = Conversation(name)
    copy.extend(masked)
    return copy


def _masked(turn: Turn, mask: Callable[[str], str]) -> Turn:
    values = {field.name: _deep(getattr(turn, field.name), mask) for field in fields(turn)}
    # The key may have arrived in pieces.
    return Turn(**{**values, "_text": [mask(turn.text)], "_reasoning": [mask(turn.reasoning)]})


def _same(turn: Turn, masked: Turn) -> bool:
    # The one thing that a form may name and that no record has.
    same_model = turn.asked_model == masked.asked_model
    return same_model and turn.records("", 0) == masked.records("", 0)


def _deep(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {_deep(name, mask): _deep(one, mask) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_deep(one, mask) for one in value])
    return value
