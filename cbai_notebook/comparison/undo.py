"""Take the newest turn of a conversation back; of the last comparison, all its answers."""

from __future__ import annotations

from dataclasses import dataclass

from cbai_notebook.comparison.compare import last_comparison
from cbai_notebook.conversation import Conversation, Turn


@dataclass(frozen=True)
class TakenBack:
    """What an undo has taken out of a conversation.

    Attributes:
        turn: The turn that was added last.
        answers: How many answers of a comparison were taken back; 0 if there was none.
        earlier: The earlier version or branch that is now in the place of the turn; ``None`` if
            nothing is there.
    """

    turn: Turn
    answers: int
    earlier: Turn | None


def take_back(conversation: Conversation) -> TakenBack | None:
    """Undo one step of a conversation; not on an event loop.

    One step is the newest turn, the newest version of a turn that was asked or continued again, or all
    answers of the last comparison of this process.

    Returns:
        What was taken back; ``None`` if the conversation is empty.
    """
    conversation.refresh()  # another kernel may have added turns
    newest = conversation.added_last(set(conversation.turns))
    if newest is None:
        return None
    alternatives = conversation.alternatives(newest)
    made, answers, taken = last_comparison(), 0, newest
    if made is not None and made.conversation is conversation and made.undo():
        answers = len(made.candidates)
    elif (removed := conversation.undo()) is not None:
        taken = removed
    else:
        return None  # another thread was faster
    there = (turn for turn in conversation.turns if turn in alternatives)
    return TakenBack(taken, answers, next(there, None) if taken is newest else None)
