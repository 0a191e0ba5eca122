"""The conversations, by name, and the one that prompts go to when none is named."""

from __future__ import annotations

import itertools
import os
import secrets
import threading
import weakref
from datetime import datetime
from pathlib import Path

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.store import Store, current_store
from cbai_notebook.conversation.store.store import Stored
from cbai_notebook.conversation.store.sync import StoreSync
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import HistoryError, UsageError

DEFAULT = "default"
"""The name of the conversation of a process that keeps no history."""

NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""Where a Jupyter server tells a kernel which notebook it runs for."""


class ConversationRegistry:
    """The conversations of one place: those in use here, and those on disk.

    Args:
        archive: The history on disk; ``None`` keeps them in memory only.
        notebook: The path of the notebook that this kernel runs for, if for one.
    """

    def __init__(self, store: Store | None, notebook: str | None) -> None:
        self._store = store
        self._notebook = notebook
        self._lock = threading.RLock()
        self._in_use: dict[str, Conversation] = {}
        # Whoever still holds a conversation that was deleted, a panel say, goes on with the same one.
        self._deleted: weakref.WeakValueDictionary[str, Conversation] = (
            weakref.WeakValueDictionary()
        )
        self._default: Conversation | None = None
        self._current: Conversation | None = None

    def current(self) -> Conversation:
        """Return the conversation that prompts go to when none is named."""
        with self._lock:
            if self._current is None:
                self._current = self.default()
            self._current.refresh()
            return self._current

    def default(self) -> Conversation:
        """Return the conversation of this notebook, or of this kernel where there is no notebook."""
        with self._lock:
            if self._default is None:
                stored = self._find_stored(notebook=self._notebook) if self._notebook else None
                name = stored.name if stored else self._default_name()
                found = self._in_use.get(name)
                self._default = found or self._add(name, stored, notebook=self._notebook)
            return self._default

    def get(self, name: str) -> Conversation:
        """Return a conversation by name, made when it does not exist yet."""
        with self._lock:
            if self._default is None and self._store is None:
                self.default()
            if name in self._deleted:
                self._in_use.setdefault(name, self._deleted.pop(name))
            found = self._in_use.get(name)
            if found is None:
                return self._add(name, self._find_stored(name=name))
            found.refresh()
            return found

    def use(self, conversation: Conversation) -> None:
        """Let prompts go to a conversation when none is named."""
        with self._lock:
            self._current = conversation

    def new(self, stem: str) -> Conversation:
        """Return a new, empty conversation under a name that is free: `stem`, or with a number."""
        with self._lock:
            return self._add(self._free_name(stem), None)

    def names(self) -> tuple[str, ...]:
        """Return the names of the conversations, those that are used here last."""
        with self._lock:
            in_use = [each.name for each in self._in_use.values()]
            return tuple(
                dict.fromkeys([*(n for n in self._stored_names() if n not in in_use), *in_use])
            )

    def in_use(self) -> list[Conversation]:
        """Return the conversations that are in use in this process."""
        with self._lock:
            return list(self._in_use.values())

    def rename(self, conversation: Conversation, name: str) -> None:
        """Give a conversation another name.

        Raises:
            UsageError: Another one has it, or it is blank.
            HistoryError: It could not be written.
        """
        name = _checked_name(name)
        with self._lock:
            old = conversation.name
            if name == old:
                return
            if self._is_taken(name):
                raise UsageError(f"There is a conversation {name!r} already. Choose another name.")
            if self._store is not None and conversation.id is not None:
                self._store.rename(conversation.id, name)
            conversation.rename(name)
            self._in_use.pop(old, None)
            self._in_use[name] = conversation

    def delete(self, conversation: Conversation) -> None:
        """Forget a conversation, on disk as well.

        Raises:
            HistoryError: It could not be written. Delete it again, once there is room.
        """
        with self._lock:
            conversation.forget()
            if conversation is not self._default:
                self._in_use.pop(conversation.name, None)
                self._deleted[conversation.name] = conversation
            if self._current is conversation:
                self._current = None

    def fork(
        self, conversation: Conversation, name: str | None, until: Turn | None
    ) -> Conversation:
        """Copy a conversation's turns into a new one.

        Args:
            conversation: The conversation.
            name: The new one's name; made from the old one's by default.
            until: The last turn that goes along; all by default.

        Raises:
            UsageError: There is a conversation of that name, or `until` is not on show.
        """
        with self._lock:
            if name is None:
                name = self._free_name(f"{conversation.name}-fork")
            elif self._is_taken(_checked_name(name)):
                raise UsageError(f"There is a conversation {name!r} already. Choose another name.")
            sync = self._create_sync(name, None)
            if sync is not None:
                sync.set_forked_from(conversation.id)
            fork = conversation.copy(name, until, sync=sync)
            self._in_use[name] = fork
            return fork

    def _add(
        self, name: str, stored: Stored | None, *, notebook: str | None = None
    ) -> Conversation:
        sync = self._create_sync(name, stored, notebook=notebook)
        conversation = self._in_use[name] = Conversation(name, sync=sync)
        return conversation

    def _create_sync(
        self, name: str, stored: Stored | None, *, notebook: str | None = None
    ) -> StoreSync | None:
        if self._store is None:
            return None
        return StoreSync(self._store, name, notebook=notebook, stored=stored)

    def _find_stored(
        self, *, name: str | None = None, notebook: str | None = None
    ) -> Stored | None:
        if self._store is None:
            return None
        try:
            return self._store.find(name=name, notebook=notebook)
        except HistoryError:
            return None  # said when the conversation is to be kept

    def _stored_names(self) -> list[str]:
        if self._store is None:
            return []
        try:
            return [stored.name for stored in self._store.conversations()]
        except HistoryError:
            return []

    def _default_name(self) -> str:
        if self._store is None:
            return DEFAULT
        if self._notebook:
            # As much of the path as it takes to tell it from another notebook of the same name.
            parts = Path(self._notebook).parts
            for count in range(1, len(parts) + 1):
                name = "/".join(parts[-count:])
                if not self._is_taken(name):
                    return name
        now = datetime.now()  # in the user's own time, for it is read by a person
        return f"session-{now:%Y%m%d-%H%M}-{secrets.token_hex(2)}"

    def _free_name(self, stem: str) -> str:
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        # Whoever still holds a conversation that was deleted goes on under its name.
        return next(
            name for name in names if name not in self._deleted and not self._is_taken(name)
        )

    def _is_taken(self, name: str) -> bool:
        return name in self._in_use or self._find_stored(name=name) is not None


_registries: dict[Path | None, ConversationRegistry] = {}
_lock = threading.Lock()


def conversations() -> ConversationRegistry:
    """Return the conversations of the place where history is kept now."""
    found = current_store()
    place = found.file if found else None
    with _lock:
        if place not in _registries:
            _registries[place] = ConversationRegistry(found, notebook_path())
        return _registries[place]


def notebook_path() -> str | None:
    """Return the path of the notebook that this kernel runs for; ``None`` where nothing tells.

    Jupyter's server names the session in the kernel's environment; a console's is no notebook.
    """
    name = os.environ.get(NOTEBOOK_VARIABLE, "")
    return name if name.endswith(".ipynb") else None


def chat(name: str | None = None) -> Conversation:
    """Return a conversation, made when it does not exist yet.

    Args:
        name: The conversation's name; the current conversation by default, which is the notebook's own
            until another one is chosen with :func:`use`.

    Raises:
        UsageError: The name is blank.
    """
    return conversations().current() if name is None else conversations().get(_checked_name(name))


def use(name: str) -> Conversation:
    """Let prompts go to a conversation when none is named, for as long as this kernel runs.

    Args:
        name: Its name; it is made when it does not exist yet.

    Raises:
        UsageError: The name is blank.
    """
    conversation = chat(name)
    conversations().use(conversation)
    return conversation


def new_conversation(stem: str = "chat") -> Conversation:
    """Return a new, empty conversation under a name that is free."""
    return conversations().new(stem)


def names() -> tuple[str, ...]:
    """Return the names of the conversations that exist, those that were last used last."""
    return conversations().names()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise UsageError("A conversation needs a name, such as `poems`.")
    return name
