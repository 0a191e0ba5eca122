"""Which stored conversation is that of this kernel's notebook; in doubt it is none.

The rules, in their order:

1. The kernel's id is stored with a conversation: it is the same notebook, restarted, even if it was
   renamed and nothing was saved.
2. A conversation has the notebook's path, and cells of it are in the file: it is the same notebook.
3. At least half of the cells are those of another notebook's conversation, and that notebook's own
   file is gone, or has none of them: the notebook was renamed or moved.
4. At least half of them are, and that notebook's own file has them too: this one is a copy, and begins
   with a copy of the turns that its cells know.
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
    """

    owner: Owner
    stored: Stored | None = None
    original: Stored | None = None
    replaces: bool = False


def find_own_conversation(store: Store, notebook: KernelNotebook) -> OwnConversation:
    """Find the conversation of a kernel's notebook, and store that it is this notebook's.

    Raises:
        HistoryError: The store cannot be used.
    """
    path, cells = notebook.path, notebook.cells()
    if path and (running := running_cell()):
        cells |= {running}  # it may not be saved yet
    owner = Owner(path, notebook.kernel, cells)
    former = store.find(notebook=path) if path else None
    related = store.with_cells(cells) if cells else []
    ids = [each.conversation.id for each in related]

    restarted = store.find(kernel=notebook.kernel) if notebook.kernel else None
    if restarted is not None:
        if former is not None and restarted.id not in ids:
            # The path may be that of the kernel's first start, and belong to another notebook now.
            owner = Owner(None, notebook.kernel)
        store.claim(restarted.id, owner)
        return OwnConversation(owner, restarted)
    if former is not None and former.id in ids:
        store.claim(former.id, owner)
        return OwnConversation(owner, former)
    alike = [each.conversation for each in related if _is_alike(each, len(cells))][:MOST_FILES]
    moved = next((each for each in alike if not _is_in_its_file(each, store, notebook)), None)
    if moved is not None:
        store.claim(moved.id, owner)
        return OwnConversation(owner, moved)
    if former is not None and path:
        store.release(path)
    return OwnConversation(owner, original=next(iter(alike), None), replaces=former is not None)


def _is_alike(related: CellsInCommon, cells: int) -> bool:
    """Return whether a file with so many cells is that of a conversation's notebook, or a copy.

    A single cell may have been moved to another notebook; it keeps its id there.
    """
    return 2 * related.common >= min(cells, related.known)


def _is_in_its_file(conversation: Stored, store: Store, notebook: KernelNotebook) -> bool:
    """Return whether cells of a conversation are in the file of its own notebook."""
    if conversation.notebook is None or conversation.notebook == notebook.path:
        return False
    found = store.with_cells(notebook.cells(conversation.notebook))
    return any(each.conversation.id == conversation.id for each in found)
