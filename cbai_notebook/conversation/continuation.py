"""Continue an answer that was stopped, broken off or cut at the token limit.

The request has the conversation, the answer so far, and a message of the user that asks to go on:
many servers refuse a conversation that ends with a message of the assistant, or begin a new message
after it. The continued answer is a new version of its turn, which begins with the text of the old
one. So the old version is kept, the usage of each request is known, and the turns after it become
stale, as with every new version.
"""

from __future__ import annotations

from typing import Any

from cbai_notebook.client.endings import Ending
from cbai_notebook.conversation.conversation import Conversation
from cbai_notebook.conversation.turn import STREAMING, Turn, user_message
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

GO_ON = (
    "Continue your answer exactly where it stopped, without repeating anything and without any "
    "introduction. If a new word begins there, begin with a space."
)
"""The user's message that asks for the rest of an answer. It is sent, and not kept."""


def messages_for(turn: Turn) -> list[dict[str, Any]]:
    """Return the messages that ask for the rest of a turn's answer; without earlier turns."""
    return [*turn.sent(), user_message(GO_ON)]


def turn_to_continue(conversation: Conversation, cell_id: str | None = None) -> Turn:
    """Return the turn whose answer is to be continued: the last one, or the one of the cell.

    Args:
        conversation: The conversation.
        cell_id: The id of the cell that continues. If it did so before, the same turn is meant
            again, also when other turns follow, unless only the last answer is unfinished.

    Raises:
        UsageError: The conversation is empty.
    """
    versions = conversation.versions()
    active = {number: version for number, version, is_active in versions if is_active}
    if not active:
        raise UsageError(say("conversation.nothing_to_continue", name=conversation.name))
    own = {
        version: number
        for number, version, _ in versions
        if cell_id is not None and version.continued_by == cell_id
    }
    last = active[max(active)]
    newest = conversation.added_last(own)
    turn = last if newest is None else active[own[newest]]
    return last if last.can_continue and not turn.can_continue else turn


def was_continued_by(conversation: Conversation, turn: Turn, cell_id: str | None) -> bool:
    """Return whether the cell has continued this turn, or another version of it, before."""
    versions = conversation.alternatives(turn)
    return cell_id is not None and any(each.continued_by == cell_id for each in versions)


def check_continuable(turn: Turn) -> None:
    """Check that the answer of a turn can be continued.

    Raises:
        UsageError: It cannot; the message says why.
    """
    if turn.can_continue:
        return
    if turn.status == STREAMING:
        raise UsageError(say("conversation.still_arriving"))
    if turn.drawn:
        raise UsageError(say("conversation.is_a_picture"))
    if not turn.final_text.strip():
        raise UsageError(say("conversation.no_text_to_continue"))
    if turn.ending is Ending.FILTERED:
        raise UsageError(say("conversation.was_filtered"))
    if turn.ending is Ending.REFUSED:
        raise UsageError(say("conversation.was_refused"))
    raise UsageError(say("conversation.is_complete"))


def begin(turn: Turn, source: Turn, *, cell_id: str | None) -> None:
    """Let a new turn begin with the answer of another one, which it continues."""
    turn.system = source.system
    turn.cell_id, turn.cell_turn = source.cell_id, source.cell_turn
    turn.continued_by = cell_id
    turn.steps, turn.reply = source.steps, source.reply
    turn.request = source.request
    turn.add(source.text, source.reasoning)
    turn.carried = len(source.text)
