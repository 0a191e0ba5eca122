"""The commands about conversations: use, fork, rename, undo, reset, delete, diff, panel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cbai_notebook.conversation import Conversation, Turn, chat, conversations, names
from cbai_notebook.conversation.registry import use as use_by_name
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.printing import PREVIEW_CHARS, write, write_table
from cbai_notebook.notebook.frontend import NO_INPUT
from cbai_notebook.text import counted, is_yes, shortened

if TYPE_CHECKING:
    from cbai_notebook.conversation.store.queries import Summary

MOST_NAMES = 8
"""The most names of conversations that one line shows."""


def existing(name: str | None) -> Conversation:
    """Return an existing conversation; a typo in a name must not create a new one.

    Args:
        name: Its name; ``None`` for the current conversation.

    Raises:
        UsageError: There is no conversation of this name.
    """
    if name is not None and name not in names(every=True):
        from cbai_notebook.notebook.command_line.options import did_you_mean

        meant = (
            did_you_mean(name, names(every=True))
            or f" Conversations: {', '.join(names()[-10:]) or 'none yet'}."
        )
        raise UsageError(f"There is no conversation {name!r}.{meant}")
    return chat(name)


def turn_at(conversation: Conversation, number: int) -> Turn:
    """Return a turn by its number: 0 is the first, -1 the last.

    Raises:
        UsageError: There is no turn of this number.
    """
    turns = conversation.turns
    try:
        return turns[number]
    except IndexError:
        have = f"0 to {len(turns) - 1}" if turns else "none yet"
        raise UsageError(
            f"There is no turn {number} in {conversation.name!r}; it has {have}."
        ) from None


def use(command: Command) -> None:
    """Make a conversation the current one, and create it if it is new; without a name, list all."""
    if command.word is None:
        _list(every=bool(command.options.get("all")))
        return
    known = command.word in names(every=True)
    conversation = use_by_name(command.word)
    turns = counted(len(conversation.turns), "turn") if known else "new"
    write(f"Prompts now go to {conversation.name!r} ({turns}).")


def _list(*, every: bool) -> None:
    from cbai_notebook.conversation.history import summaries

    current = chat().name
    found = summaries()
    shown = found if every else [each for each in found if each.name in names()]
    rows = [
        (
            "→" if each.name == current else "",
            each.name,
            str(each.turns),
            f"{in_zone(each.last):%Y-%m-%d %H:%M}" if each.last else "",
            f"from {each.forked_from}" if each.forked_from else "",
        )
        for each in shown
    ]
    write_table(("", "conversation", "turns", "last", ""), rows)
    write("\n`%cbai use NAME` goes on in one; `%cbai -c NAME …` asks there once.")
    if hidden := len(found) - len(shown):
        write(f"{hidden} more of scripts and consoles: `%cbai use --all` lists them.")


def fork(command: Command) -> None:
    """Copy a conversation and make the copy the current one."""
    conversation = existing(command.conversation)
    at = command.options.get("at")
    until = None if at is None else turn_at(conversation, at)
    made = conversations().fork(conversation, command.word, until)
    conversations().use(made)
    write(
        f"Copied {counted(len(made.turns), 'turn')} of {conversation.name!r} to {made.name!r}, "
        "where prompts go now."
    )


def rename(command: Command) -> None:
    """Rename a conversation."""
    if command.word is None:
        raise UsageError("The new name is missing: %cbai rename NAME.")
    conversation = existing(command.conversation)
    before = conversation.name
    conversations().rename(conversation, command.word)
    write(f"{before!r} is now called {conversation.name!r}.")


def undo(command: Command) -> None:
    """Remove the newest turn."""
    conversation = existing(command.conversation)
    turn = conversation.undo()
    if turn is None:
        write(f"There is nothing to take back in {conversation.name!r}.")
    else:
        write(f"Took back: {shortened(turn.prompt, PREVIEW_CHARS)}")


def reset(command: Command) -> None:
    """Empty a conversation; its turns are kept as a branch."""
    conversation = existing(command.word or command.conversation)
    turns = len(conversation.turns)
    conversation.reset()
    if not turns:
        write(f"{conversation.name!r} is empty already.")
        return
    write(
        f"{conversation.name!r} begins again. Its {counted(turns, 'turn')} are kept as a branch: ‹ › "
        f"in a panel goes back. `%cbai delete` forgets for good."
    )


def delete(command: Command) -> None:
    """Delete conversations for good, after a yes of the user or with ``--yes``.

    Raises:
        UsageError: Nobody can answer, there is no such conversation, or it is not clear which are
            meant; nothing is deleted.
    """
    older, everything = command.options.get("older"), command.options.get("all")
    if older is not None or everything:
        if (command.word or command.conversation) or (everything and older is not None):
            raise UsageError(
                "Say which to forget in one way: a name, --older AGE or --all. Nothing was forgotten."
            )
        _delete_many(older, yes=bool(command.options.get("yes")))
        return
    conversation = existing(command.word or command.conversation)
    name = conversation.name
    turns = counted(len(conversation.turns), "turn")
    if not command.options.get("yes") and not _confirmed(
        f"Forget {name!r} with {turns} for good?", f"%cbai delete -c {name!r} --yes"
    ):
        write("Nothing was forgotten.")
        return
    conversations().delete(conversation)
    write(f"Forgot {name!r} ({turns}).")


def _delete_many(older: timedelta | None, *, yes: bool) -> None:
    found = _unused(older)
    if not found:
        write("No conversation is that old." if older is not None else "There is no conversation.")
        return
    question = f"Forget {_described(found)} for good?"
    if not yes and not _confirmed(question, "add --yes."):
        write("Nothing was forgotten.")
        return
    # Another kernel may have gone on with one of them since.
    still = {each.id for each in _unused(older)}
    found = [each for each in found if each.id in still]
    conversations().delete_all(each.id for each in found if each.id is not None)
    write(f"Forgot {_described(found)}." if found else "Nothing was forgotten.")


def _unused(older: timedelta | None) -> list[Summary]:
    """Return the stored conversations that were not used for so long; all without an age."""
    from cbai_notebook.conversation.history import summaries

    stored = [each for each in summaries() if each.id is not None]
    if older is None:
        return stored
    before = datetime.now(timezone.utc) - older
    return [each for each in stored if each.used is not None and each.used < before]


def _described(found: Sequence[Summary]) -> str:
    turns = counted(sum(each.turns for each in found), "turn")
    listed = ", ".join(repr(each.name) for each in found[-MOST_NAMES:])
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return f"{counted(len(found), 'conversation')} with {turns} ({listed}{more})"


def diff(command: Command) -> None:
    """Show the differences between two answers."""
    from cbai_notebook.notebook.diff_view import show

    conversation = existing(command.conversation)
    first, second = (*map(int, command.words), *(-2, -1)[len(command.words) :])
    show(turn_at(conversation, first).text, turn_at(conversation, second).text)


def panel(command: Command) -> None:
    """Show a chat panel for a conversation; create the conversation if it does not exist."""
    from IPython.display import display

    from cbai_notebook.notebook.panel import ChatPanel

    display(ChatPanel(command.conversation))  # type: ignore[no-untyped-call]


def _confirmed(question: str, without_asking: str) -> bool:
    try:
        return is_yes(input(f"{question} [y/N] "))
    except NO_INPUT as error:
        raise UsageError(f"Nobody can answer here. To forget it: {without_asking}.") from error
