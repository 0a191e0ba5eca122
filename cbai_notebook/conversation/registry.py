"""Registry of conversations by name, with the current one, which gets prompts by default."""

from __future__ import annotations

import itertools
import secrets
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.kernel_notebook import KernelNotebook, kernel_notebook
from cbai_notebook.conversation.own_conversation import OwnConversation, find_own_conversation
from cbai_notebook.conversation.store import Owner, Store, current_store, history_file
from cbai_notebook.conversation.store.database import BusyError
from cbai_notebook.conversation.store.store import Stored
from cbai_notebook.conversation.store.sync import StoreSync
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import HistoryError, UsageError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import say
from cbai_notebook.session import leaves_entries
from cbai_notebook.text import first_words

DEFAULT = "default"
"""The name of the default conversation where no other kernel shares the history."""


class ConversationRegistry:
    """The conversations of one store: those in use in this process, and those that are stored.

    Args:
        store: The history.
        notebook: The kernel and the notebook that it runs for, if any.
        listed: Returns whether conversations that are written now appear in pickers and lists; asked
            only where the notebook is not known.
    """

    def __init__(
        self,
        store: Store,
        notebook: KernelNotebook | None = None,
        listed: Callable[[], bool] = leaves_entries,
    ) -> None:
        self._store = store
        self._notebook = notebook or KernelNotebook()
        self._listed = listed if self._notebook.path is None else lambda: True
        self._lock = fork_safe_lock(self)
        self._in_use: dict[str, Conversation] = {}
        # A panel may still use a deleted conversation: the same name must give it the same object.
        self._deleted: weakref.WeakValueDictionary[str, Conversation] = (
            weakref.WeakValueDictionary()
        )
        self._default: Conversation | None = None
        self._current: Conversation | None = None

    def current(self) -> Conversation:
        """Return the conversation that gets prompts when no other is named."""
        with self._lock:
            if self._current is None:
                self._current = self.default()
            self._current.refresh()
            return self._current

    def default(self) -> Conversation:
        """Return the default conversation: that of this notebook, else of this kernel."""
        with self._lock:
            if self._default is None:
                self._default = self._open_default()
            return self._default

    def _open_default(self) -> Conversation:
        own = self._find_own()
        name = (
            own.stored.name if own.stored else self._default_name(own.owner, replaces=own.replaces)
        )
        if (found := self._in_use.get(name)) is not None:  # an empty conversation is false
            return found
        if own.original is not None and (copy := self._copy_of(own.original, name, own.owner)):
            return copy
        return self._add(name, own.stored, owner=own.owner, unread=own.unread)

    def _find_own(self) -> OwnConversation:
        owner = Owner(self._notebook.path, self._notebook.kernel)
        if self._store.file is None:  # in memory there is nothing of an earlier kernel
            return OwnConversation(owner)
        try:
            return find_own_conversation(self._store, self._notebook)
        except BusyError as error:
            # The notebook's conversation stays its own, for a kernel that can read it.
            return OwnConversation(Owner(), unread=error.words or str(error))
        except HistoryError as error:
            return OwnConversation(owner, unread=error.words or str(error))

    def _copy_of(self, stored: Stored, name: str, owner: Owner) -> Conversation | None:
        """Return a copy of a notebook's conversation, for a copy of that notebook.

        Only the turns of the copied cells are copied. There is no copy if these never asked.
        """
        original = Conversation(stored.name, sync=self._create_sync(stored.name, stored))
        if not any(turn.cell_id in owner.cells for turn in original.turns):
            return None
        sync = self._create_sync(name, None, owner=owner)
        sync.set_forked_from(stored.id)
        copy = self._in_use[name] = original.copy(name, cells=owner.cells, sync=sync)
        copy.begin_session()
        return copy

    def get(self, name: str) -> Conversation:
        """Return a conversation by name; create it if it does not exist yet."""
        with self._lock:
            if name in self._deleted:
                self._in_use.setdefault(name, self._deleted.pop(name))
            found = self._in_use.get(name)
            if found is None:
                return self._add_stored(name)
            found.refresh()
            return found

    def use(self, conversation: Conversation) -> None:
        """Make a conversation the current one, which gets prompts when no other is named."""
        with self._lock:
            self._current = conversation

    def new(self, stem: str) -> Conversation:
        """Create an empty conversation with a free name: `stem`, or `stem` with a number."""
        with self._lock:
            return self._add(self._free_name(stem), None)

    def names(self, *, every: bool = False) -> tuple[str, ...]:
        """Return the names of the conversations; those in use in this process come last.

        Args:
            every: Whether to include those that only runs without a notebook have used.
        """
        with self._lock:
            in_use = [each.name for each in self._in_use.values()]
            stored = [each.name for each in self._stored() if every or each.listed]
            return tuple(dict.fromkeys([*(n for n in stored if n not in in_use), *in_use]))

    def in_use(self) -> list[Conversation]:
        """Return the conversations that are in use in this process."""
        with self._lock:
            return list(self._in_use.values())

    def each(self) -> Iterator[Conversation]:
        """Yield every conversation; one that is not in use is only read, and not in use afterwards."""
        in_use = {each.name: each for each in self.in_use()}
        for stored in self._stored():
            if stored.name not in in_use:
                yield Conversation(stored.name, sync=self._create_sync(stored.name, stored))
        yield from in_use.values()

    def rename(self, conversation: Conversation, name: str) -> None:
        """Rename a conversation, in this process and in the store.

        Raises:
            UsageError: Another conversation has the name, or the name is blank.
            HistoryError: The file could not be written.
        """
        name = _checked_name(name)
        with self._lock:
            old = conversation.name
            if name == old:
                return
            if self._is_taken(name):
                raise UsageError(say("history.name_taken", name=name))
            if conversation.id is not None:
                self._store.rename(conversation.id, name)
            conversation.rename(name)
            self._in_use.pop(old, None)
            self._in_use[name] = conversation

    def rename_freely(self, conversation: Conversation, stem: str) -> None:
        """Rename a conversation to `stem`, or to `stem` with a number if that name is taken."""
        with self._lock:
            self.rename(conversation, self._free_name(stem))

    def delete(self, conversation: Conversation) -> None:
        """Delete a conversation, in this process and in the store.

        Raises:
            HistoryError: The file could not be written. Delete it again once the disk has space.
        """
        with self._lock:
            conversation.forget()
            if conversation is not self._default:
                self._in_use.pop(conversation.name, None)
                self._deleted[conversation.name] = conversation
            if self._current is conversation:
                self._current = None

    def delete_all(self, ids: Iterable[int]) -> None:
        """Delete conversations by their ids in the store.

        Raises:
            HistoryError: The file could not be written; delete them again once the disk has space.
        """
        with self._lock:
            doomed = set(ids)
            for conversation in self.in_use():
                if conversation.id in doomed:
                    doomed.discard(conversation.id)
                    self.delete(conversation)
            if doomed:
                self._store.delete(*doomed)

    def fork(
        self, conversation: Conversation, name: str | None, until: Turn | None
    ) -> Conversation:
        """Copy the turns of a conversation into a new one.

        Args:
            conversation: The conversation to copy.
            name: The name of the copy; derived from the old name by default.
            until: The last turn to copy; all by default.

        Raises:
            UsageError: Another conversation has the name, or `until` is not on the active path.
        """
        with self._lock:
            if name is None:
                name = self._free_name(f"{conversation.name}-fork")
            elif self._is_taken(_checked_name(name)):
                raise UsageError(say("history.name_taken", name=name))
            sync = self._create_sync(name, None)
            sync.set_forked_from(conversation.id)
            fork = conversation.copy(name, until, sync=sync)
            self._in_use[name] = fork
            return fork

    def _add_stored(self, name: str) -> Conversation:
        try:
            return self._add(name, self._store.find(name=name))
        except HistoryError as error:
            return self._add(name, None, unread=error.words or str(error))

    def _add(
        self, name: str, stored: Stored | None, *, owner: Owner | None = None, unread: str = ""
    ) -> Conversation:
        sync = self._create_sync(name, stored, owner=owner)
        sync.unread = unread if self._store.may_have_past else ""
        conversation = self._in_use[name] = Conversation(name, sync=sync)
        return conversation

    def _create_sync(
        self, name: str, stored: Stored | None, *, owner: Owner | None = None
    ) -> StoreSync:
        return StoreSync(self._store, name, owner=owner, stored=stored, listed=self._listed)

    def _find_stored(self, name: str) -> Stored | None:
        try:
            return self._store.find(name=name)
        except HistoryError:
            return None  # reported when the conversation is written

    def _stored(self) -> list[Stored]:
        try:
            return self._store.conversations()
        except HistoryError:
            return []

    def _default_name(self, owner: Owner, *, replaces: bool) -> str:
        if self._store.file is None:
            return DEFAULT
        if path := owner.path:
            parts = Path(path).parts
            if replaces:  # a longer name would not tell it from the older notebook of this path
                return self._free_name(parts[-1])
            # The shortest end of the path that no other conversation has as its name.
            for count in range(1, len(parts) + 1):
                name = "/".join(parts[-count:])
                if not self._is_taken(name):
                    return name
        now = datetime.now()  # local time: the name is for people
        return f"session-{now:%Y%m%d-%H%M}-{secrets.token_hex(2)}"

    def _free_name(self, stem: str) -> str:
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        # A deleted conversation that is still in use, as by a panel, keeps its name.
        return next(
            name for name in names if name not in self._deleted and not self._is_taken(name)
        )

    def _is_taken(self, name: str) -> bool:
        return name in self._in_use or self._find_stored(name) is not None


_registries: dict[Store, ConversationRegistry] = {}
_lock = fork_safe_lock(sys.modules[__name__])


def conversations(*, shared: bool = False) -> ConversationRegistry:
    """Return the registry for the current location of the history.

    Args:
        shared: Return that of the stored history also in an app, where visitors share it.
    """
    store = current_store(shared=shared)
    with _lock:
        if store not in _registries:
            _registries[store] = ConversationRegistry(store, kernel_notebook())
        return _registries[store]


def chat(name: str | None = None) -> Conversation:
    """Return a conversation; create it if it does not exist yet.

    Args:
        name: The name; by default the current conversation, which is that of the notebook until
            another one is chosen with :func:`use`.

    Raises:
        UsageError: The name is blank.
    """
    return conversations().current() if name is None else conversations().get(_checked_name(name))


def shared_chat(name: str) -> Conversation:
    """Return the stored conversation of a name, also in an app, where others are in memory only.

    Raises:
        UsageError: The name is blank, or no history is stored.
    """
    if history_file(shared=True) is None:
        raise UsageError(say("history.nothing_to_share"))
    return conversations(shared=True).get(_checked_name(name))


def use(name: str) -> Conversation:
    """Make a conversation the current one, which gets prompts by default, until the kernel ends.

    Args:
        name: The name; the conversation is created if it does not exist yet.

    Raises:
        UsageError: The name is blank.
    """
    conversation = chat(name)
    conversations().use(conversation)
    return conversation


def new_conversation(stem: str = "chat") -> Conversation:
    """Create an empty conversation with a free name."""
    return conversations().new(stem)


def is_own(conversation: Conversation) -> bool:
    """Return whether a conversation belongs to this process's own history, not to a shared one."""
    return conversation in conversations().in_use()


def rename(conversation: Conversation, name: str) -> None:
    """Rename a conversation, also one that no history has.

    Raises:
        UsageError: Another conversation has the name, or the name is blank.
        HistoryError: The file could not be written.
    """
    if is_own(conversation):
        conversations().rename(conversation, name)
    else:
        conversation.rename(_checked_name(name))


def delete(conversation: Conversation) -> None:
    """Delete a conversation for good, also one that no history has.

    Raises:
        HistoryError: The file could not be written. Delete it again once the disk has space.
    """
    if is_own(conversation):
        conversations().delete(conversation)
    else:
        conversation.forget()


def name_by_prompt(conversation: Conversation, prompt: str) -> None:
    """Name an empty conversation by the first words of its first prompt.

    Args:
        conversation: The conversation; one with turns keeps its name.
        prompt: The prompt. Without a word in it, the name stays as it is.
    """
    stem = first_words(prompt)
    if stem and not conversation.turns and is_own(conversation):
        conversations().rename_freely(conversation, stem)


def names(*, every: bool = False) -> tuple[str, ...]:
    """Return the names of the conversations, the most recently used ones last.

    Conversations that are in use in this process come after all others.

    Args:
        every: Whether to include those that only runs without a notebook have used.
    """
    return conversations().names(every=every)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise UsageError(say("history.name_needed"))
    return name
