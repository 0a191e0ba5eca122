"""``chat.messages``: a list of what was said, through which more can be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, SupportsIndex

from cbai_notebook.conversation.records import Records
from cbai_notebook.errors import UsageError

_INSTEAD = "chat.undo(), chat.delete(turn) and chat.copy(name) change a conversation"


class Messages(Records):
    """The messages of a conversation as flat dicts, at the moment they were asked for.

    It reads like any list. ``append`` and ``extend`` go into the conversation as well. Other changes are
    refused, because they would leave a list that is no conversation; a copy of the list is yours.

    Args:
        records: The messages.
        add: Adds messages to the conversation and returns all that are in it then.
    """

    def __init__(
        self,
        records: Iterable[dict[str, Any]],
        add: Callable[[list[Mapping[str, Any]]], list[dict[str, Any]]],
    ) -> None:
        super().__init__(records)
        self._add = add

    def append(self, message: Mapping[str, Any]) -> None:
        """Add a message to the conversation.

        Args:
            message: A dict with ``role`` and ``content``. A user's waits for its answer; an
                assistant's answers the user's message before it.

        Raises:
            UsageError: It does not fit behind what is there; nothing was added.
        """
        self.extend([message])

    def extend(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Add messages to the conversation, all or none.

        Raises:
            UsageError: One does not fit; the message says which.
        """
        super().__init__(self._add(list(messages)))

    def __iadd__(self, messages: Iterable[Mapping[str, Any]]) -> Messages:  # type: ignore[misc,override]
        self.extend(messages)
        return self

    def copy(self) -> Records:
        """Return a list that belongs to the caller alone."""
        return Records(self)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise UsageError(
            f"This list shows a conversation and can only be added to. {_INSTEAD}; "
            "chat.messages.copy() is a list of your own."
        )

    insert = pop = remove = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __imul__ = _refuse

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return Records, (list(self),)
