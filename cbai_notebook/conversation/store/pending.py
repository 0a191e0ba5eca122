"""Changes of a conversation on their way to the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass

from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store.database import QUICK_S
from cbai_notebook.conversation.store.store import Changes, PlacedSlot
from cbai_notebook.conversation.tree import Slot
from cbai_notebook.conversation.turn import Turn
from cbai_notebook.errors import UsageError


@dataclass(frozen=True)
class TreeChange:
    """What was changed in a tree.

    Attributes:
        turns: Turns that are new or have changed.
        slots: Slots that are new or have changed.
        removed: Turns that have left the tree.
    """

    turns: Sequence[Turn] = ()
    slots: Sequence[Slot] = ()
    removed: Sequence[Turn] = ()


class Write(Future[None]):
    """A change on its way to the store: done when it is stored, or could not be.

    Args:
        change: The change.
        redo: Makes it again, in the tree that another process has written meanwhile.
    """

    def __init__(self, change: TreeChange, redo: Callable[[], TreeChange] | None = None) -> None:
        super().__init__()
        self.change = change
        self.redo = redo

    def wait(self, seconds: float = QUICK_S) -> None:
        """Wait until the change is stored, at most for some seconds; it is written in any case.

        Raises:
            UsageError: Another process has changed the conversation, so that the change is not
                possible any more. It was not made.
        """
        try:
            self.result(timeout=seconds)
        except FutureTimeoutError:
            self._leave()
        except BaseException:
            self._leave()
            raise

    async def stored(self, seconds: float = QUICK_S) -> None:
        """Wait on an event loop; see :meth:`wait`."""
        waiting = asyncio.wrap_future(self)
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            if not waiting.done():
                waiting.cancel()
        if not waiting.cancelled():
            waiting.result()

    def _leave(self) -> None:
        self.cancel()  # nobody waits any more: a redo that fails must not lose the turn

    def end(self) -> None:
        """Let those who wait go on."""
        if not self.done() and self.set_running_or_notify_cancel():
            self.set_result(None)

    def refuse(self, error: UsageError) -> bool:
        """Raise an error where the change is waited for; return whether somebody waits."""
        if self.done() or not self.set_running_or_notify_cancel():
            return False
        self.set_exception(error)
        return True


class Pending:
    """Changes that are not written yet, each turn with the masker for its secrets."""

    def __init__(self) -> None:
        self.turns: dict[Turn, Masker] = {}
        self.slots: dict[Slot, None] = {}
        self.removed: list[Turn] = []
        self.writes: list[Write] = []
        self.was_tried = False

    def __bool__(self) -> bool:
        return bool(self.turns or self.slots or self.removed)

    @property
    def can_be_redone(self) -> bool:
        """Whether a change can be made again in a newer tree."""
        return any(write.redo for write in self.writes)

    def add(self, change: TreeChange, masked: Mapping[Turn, Masker]) -> None:
        """Add a change, and its turns with their maskers."""
        self.turns.update(masked)
        self.slots.update(dict.fromkeys(change.slots))
        for turn in change.removed:
            self.turns.pop(turn, None)
            self.removed.append(turn)

    def insert(self, earlier: Pending) -> None:
        """Take changes that were made before these."""
        kept = {turn: mask for turn, mask in earlier.turns.items() if turn not in self.removed}
        self.turns = {**kept, **self.turns}
        self.slots = {**earlier.slots, **self.slots}
        self.removed = earlier.removed + self.removed
        self.writes = earlier.writes + self.writes
        self.was_tried = True

    def changes(self) -> Changes:
        """Return what is to be written, as the tree is now; the lock is held."""
        return Changes(
            dict(self.turns),
            [PlacedSlot.of(slot) for slot in self.slots if slot.versions],
            [turn.id for turn in self.removed if turn.id is not None],
        )

    def end(self) -> None:
        """Let all go on that wait for these changes."""
        for write in self.writes:
            write.end()
