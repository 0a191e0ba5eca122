"""Which stored conversation is that of this kernel's notebook; in doubt it is none.

A conversation knows the cells of its notebook: those that the file had when a kernel last started, and
those that have asked. A file is alike if it has at least half of them, and more than one: a single cell
may have been moved to another notebook, and keeps its id there. The rules, in their order:

1. The kernel's id is stored with a conversation: it is the same notebook, restarted, even if it was
   renamed and nothing was saved.
2. A conversation has the notebook's path, and the file is alike, or has no other cells than known
   ones: it is the same notebook.
3. The file is alike that of another notebook's conversation, and that notebook's own file is gone, or
   has none of its cells: the notebook was renamed or moved.
4. It is alike, and that notebook's own file has cells of it too: this one is a copy, and begins with a
   copy of the turns of its cells.
5. Otherwise it is another notebook, as a new one that was given the name of an older one: a new
   conversation begins. The older one is kept, under its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from cbai_notebook.conversation.kernel_notebook import KernelNotebook, running_cell
from cbai_notebook.conversation.store import CellsInCommon, Owner, Store, Stored

MOST_FILES = 10
"""The most files of other notebooks that are read to tell a copy from a renamed notebook."""


@dataclass(frozen=True)
class OwnConversation:
    """What the rules have found.

    Attributes:
        owner: What to store about the kernel and its notebook.
        stored: The conversation to go on with.
        original: The conversation of the notebook that this one is a copy of.
        replaces: Whether an older conversation had the notebook's path.
        unread: Why the store could not be searched.
    """

    owner: Owner
    stored: Stored | None = None
    original: Stored | None = None
    replaces: bool = False
    unread: str = ""


def find_own_conversation(store: Store, notebook: KernelNotebook) -> OwnConversation:
    """Find the conversation of a kernel's notebook, and store that it is this notebook's.

    Raises:
        HistoryError: The store cannot be used.
    """
    path, saved, running = notebook.path, notebook.cells(), running_cell()
    cells = saved | {running} if path and running else saved  # it may not be saved yet
    owner = Owner(path, notebook.kernel, cells)
    former = store.find(notebook=path) if path else None
    related = store.with_cells(cells) if cells else []
    alike = [each.conversation for each in related if _is_alike(each)]
    ids = [each.id for each in alike]

    restarted = store.find(kernel=notebook.kernel) if notebook.kernel else None
    if restarted is not None:
        if former is not None and restarted.id not in ids and running not in saved:
            # The path may be that of the kernel's first start, and belong to another notebook now.
            owner = Owner(path if former.id == restarted.id else None, notebook.kernel)
        store.claim(restarted.id, owner)
        return OwnConversation(owner, restarted)
    if former is not None and (former.id in ids or _has_only_known_cells(saved, former, store)):
        store.claim(former.id, owner)
        return OwnConversation(owner, former)
    alike = alike[:MOST_FILES]
    moved = next((each for each in alike if not _is_in_its_file(each, store, notebook)), None)
    if moved is not None:
        store.claim(moved.id, owner)
        return OwnConversation(owner, moved)
    if former is not None and path:
        store.release(path)
    return OwnConversation(owner, original=next(iter(alike), None), replaces=former is not None)


def _is_alike(related: CellsInCommon) -> bool:
    """Return whether a file is that of a conversation's notebook, or a copy of it."""
    if related.known == 1:
        return True
    # A notebook that is used for long has lost many of the cells that have asked.
    counts = ((related.common, related.known), (related.kept, related.saved))
    return any(common > 1 and 2 * common >= known for common, known in counts)


def _has_only_known_cells(saved: frozenset[str], former: Stored, store: Store) -> bool:
    """Return whether a file has cells, and all are known of the conversation that has its path.

    A notebook of which little is left is alike no more. A new one has a cell of its own.
    """
    found = store.with_cells(saved) if saved else []
    return any(each.conversation.id == former.id and each.common == len(saved) for each in found)


def _is_in_its_file(conversation: Stored, store: Store, notebook: KernelNotebook) -> bool:
    """Return whether cells of a conversation are in the file of its own notebook."""
    if conversation.notebook is None or conversation.notebook == notebook.path:
        return False
    found = store.with_cells(notebook.cells(conversation.notebook))
    return any(each.conversation.id == conversation.id for each in found)
