"""How the turn of a prompt gets into its conversation: alone, or as one of several versions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cbai_notebook.conversation.prompt import Prompt
from cbai_notebook.conversation.turn import Turn

if TYPE_CHECKING:
    from cbai_notebook.conversation.conversation import Conversation
    from cbai_notebook.conversation.store.pending import Write


class Placement:
    """The usual way: a new turn, or the new version or branch that the prompt asks for.

    Attributes:
        turn: The turn of the prompt, once there is one; also that of a replayed answer.
    """

    def __init__(self) -> None:
        self.turn: Turn | None = None

    async def until_due(self) -> None:
        """Wait until the turn may get into its conversation."""

    def release(self) -> None:
        """Let others no longer wait for this turn, whether there is one or not."""

    def replaces(self, prompt: Prompt) -> Turn | None:
        """Return the turn of which the new one becomes a version, or ``None``."""
        return prompt.replaces

    def open(self, conversation: Conversation, prompt: Prompt, turn: Turn) -> Write:
        """Add a turn to a conversation; raises what :meth:`Conversation.open` raises."""
        return conversation.open(turn, prompt.branch_of, prompt.replaces)

    def known(self, conversation: Conversation, prompt: Prompt, found: Turn) -> Turn | None:
        """Return the turn that has a stored answer already, so that no new version is needed.

        Args:
            conversation: The conversation.
            prompt: The prompt.
            found: The turn with the stored answer; in this or in another conversation.
        """
        replaced = prompt.replaces
        if replaced is None or (replaced.request, replaced.text) != (found.request, found.text):
            return None
        return replaced


class VersionGroup:
    """Several answers to one prompt, which become the versions of one turn, in their order."""

    def __init__(self) -> None:
        self._first: Turn | None = None
        self._placements: list[_OneOfGroup] = []

    def placement(self) -> Placement:
        """Return the placement of the next one of the answers."""
        made = _OneOfGroup(self, tuple(self._placements))
        self._placements.append(made)
        return made


class _OneOfGroup(Placement):
    """Opens the first turn of a group in the usual way, and each later one as its version.

    Args:
        group: The group.
        before: The placements before this one.
    """

    def __init__(self, group: VersionGroup, before: tuple[_OneOfGroup, ...]) -> None:
        super().__init__()
        self._group = group
        self._before = before
        self._released = asyncio.Event()

    async def until_due(self) -> None:
        # Which request is ready first says nothing: `before_send` and the store take any time.
        for each in self._before:
            await each._released.wait()

    def release(self) -> None:
        self._released.set()

    def replaces(self, prompt: Prompt) -> Turn | None:
        return self._group._first or prompt.replaces

    def open(self, conversation: Conversation, prompt: Prompt, turn: Turn) -> Write:
        if self._group._first is not None:
            write = conversation.open(turn, beside=self._group._first)
        else:
            write = super().open(conversation, prompt, turn)
            self._group._first = turn
        self.release()
        return write

    def known(self, conversation: Conversation, prompt: Prompt, found: Turn) -> Turn | None:
        replaced = prompt.replaces
        if replaced is None or found not in conversation.alternatives(replaced):
            return None
        self._group._first = self._group._first or found
        self.release()
        return found
