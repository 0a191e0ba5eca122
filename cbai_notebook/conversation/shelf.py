"""The conversations of this process, by name."""

from __future__ import annotations

import itertools

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.errors import UsageError

DEFAULT = "default"

_conversations: dict[str, Conversation] = {}


def chat(name: str | None = None) -> Conversation:
    """Return a conversation, made when it does not exist yet.

    Args:
        name: The conversation's name; the current conversation by default.

    Raises:
        UsageError: The name is blank.
    """
    name = DEFAULT if name is None else name.strip()
    if not name:
        raise UsageError("A conversation needs a name, such as `poems`.")
    # `setdefault` is atomic, so two threads that ask at once get the same conversation.
    return _conversations.get(name) or _conversations.setdefault(name, Conversation(name))


def fresh() -> Conversation:
    """Return a new, empty conversation under a name that is free: ``chat-2`` and so on."""
    for number in itertools.count(2):
        made = Conversation(f"chat-{number}")
        if _conversations.setdefault(made.name, made) is made:
            return made
    raise AssertionError("numbers do not end")


def names() -> tuple[str, ...]:
    """Return the names of the conversations that exist, oldest first."""
    return tuple(_conversations)
