"""The commands about conversations: use, fork, rename, undo, reset, delete, diff, panel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cbai_notebook.client.providers import model_label
from cbai_notebook.comparison.undo import take_back
from cbai_notebook.conversation import Conversation, Turn, chat, conversations, names
from cbai_notebook.conversation.registry import use as use_by_name
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import Words, joined, listed, say
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.asking import confirmed
from cbai_notebook.notebook.commands.printing import PREVIEW_CHARS, write, write_table
from cbai_notebook.text import shortened

if TYPE_CHECKING:
    from cbai_notebook.conversation.store.queries import Summary

TITLE_CHARS = 40
"""The most characters of a prompt above the difference of its answer and another one."""

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

        advice = did_you_mean(name, names(every=True))
        if not advice and (known := names()[-10:]):
            advice = say("command.conversations_are", names=listed(known))
        advice = advice or say("command.conversations_are_none")
        raise UsageError(joined(say("command.no_conversation", name=name), advice))
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
        name, last = conversation.name, len(turns) - 1
        raise UsageError(
            say("command.no_turn", number=number, name=name, last=last)
            if turns
            else say("command.no_turn_yet", number=number, name=name)
        ) from None


def use(command: Command) -> None:
    """Make a conversation the current one, and create it if it is new; without a name, list all."""
    if command.word is None:
        _list(every=bool(command.options.get("all")))
        return
    known = command.word in names(every=True)
    conversation = use_by_name(command.word)
    name, turns = conversation.name, _turns(len(conversation.turns))
    write(
        say("command.prompts_go_to", name=name, turns=turns)
        if known
        else say("command.prompts_go_to_new", name=name)
    )


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
            say("command.forked_from", name=each.forked_from) if each.forked_from else "",
        )
        for each in shown
    ]
    write_table(("", "conversation", "turns", "last", ""), rows)
    write(f"\n{say('command.how_to_use')}")
    if hidden := len(found) - len(shown):
        write(say("command.hidden", n=hidden))


def fork(command: Command) -> None:
    """Copy a conversation and make the copy the current one."""
    conversation = existing(command.conversation)
    at = command.options.get("at")
    until = None if at is None else turn_at(conversation, at)
    made = conversations().fork(conversation, command.word, until)
    conversations().use(made)
    write(
        say(
            "command.copied",
            turns=_turns(len(made.turns)),
            name=conversation.name,
            copy=made.name,
        )
    )


def rename(command: Command) -> None:
    """Rename a conversation."""
    if command.word is None:
        raise UsageError(say("command.new_name_is_missing"))
    conversation = existing(command.conversation)
    before = conversation.name
    conversations().rename(conversation, command.word)
    write(say("command.renamed", before=before, name=conversation.name))


def undo(command: Command) -> None:
    """Remove the newest turn or its newest version; of a comparison, all its answers."""
    conversation = existing(command.conversation)
    taken = take_back(conversation)
    if taken is None:
        write(say("command.nothing_to_take_back", name=conversation.name))
        return
    prompt = shortened(taken.turn.prompt, PREVIEW_CHARS)
    if taken.answers:
        write(say("command.took_back_answers", n=taken.answers, prompt=prompt))
    else:
        write(say("command.took_back", prompt=prompt))
    if taken.earlier is not None:
        earlier = shortened(taken.earlier.prompt, PREVIEW_CHARS)
        write(say("command.earlier_version", prompt=earlier))


def reset(command: Command) -> None:
    """Empty a conversation; its turns are kept as a branch."""
    conversation = existing(command.word or command.conversation)
    turns = len(conversation.turns)
    conversation.reset()
    if not turns:
        write(say("command.is_empty_already", name=conversation.name))
        return
    write(say("command.begins_again", name=conversation.name, n=turns))


def delete(command: Command) -> None:
    """Delete conversations for good, after a yes of the user or with ``--yes``.

    Raises:
        UsageError: Nobody can answer, there is no such conversation, or it is not clear which are
            meant; nothing is deleted.
    """
    older, everything = command.options.get("older"), command.options.get("all")
    if older is not None or everything:
        if (command.word or command.conversation) or (everything and older is not None):
            raise UsageError(say("command.delete_in_one_way"))
        _delete_many(older, yes=bool(command.options.get("yes")))
        return
    conversation = existing(command.word or command.conversation)
    name = conversation.name
    turns = _turns(len(conversation.turns))
    if not command.options.get("yes") and not confirmed(
        say("command.may_delete", name=name, turns=turns),
        say("command.nobody_answers", command=f"%cbai delete -c {name!r} --yes"),
    ):
        write(say("command.nothing_deleted"))
        return
    conversations().delete(conversation)
    write(say("command.deleted", name=name, turns=turns))


def _delete_many(older: timedelta | None, *, yes: bool) -> None:
    found = _unused(older)
    if not found:
        write(
            say("command.none_that_old")
            if older is not None
            else say("command.no_conversation_at_all")
        )
        return
    question = say("command.may_delete_many", what=_described(found))
    if not yes and not confirmed(question, say("command.nobody_answers_many")):
        write(say("command.nothing_deleted"))
        return
    # Another kernel may have gone on with one of them since.
    still = {each.id for each in _unused(older)}
    found = [each for each in found if each.id in still]
    conversations().delete_all(each.id for each in found if each.id is not None)
    write(
        say("command.deleted_many", what=_described(found))
        if found
        else say("command.nothing_deleted")
    )


def _unused(older: timedelta | None) -> list[Summary]:
    """Return the stored conversations that were not used for so long; all without an age."""
    from cbai_notebook.conversation.history import summaries

    stored = [each for each in summaries() if each.id is not None]
    if older is None:
        return stored
    before = datetime.now(timezone.utc) - older
    return [each for each in stored if each.used is not None and each.used < before]


def _described(found: Sequence[Summary]) -> Words:
    return say(
        "command.what_to_delete",
        conversations=say("command.conversations", n=len(found)),
        turns=_turns(sum(each.turns for each in found)),
        names=newest_of([repr(each.name) for each in found]),
    )


def newest_of(found: Sequence[str]) -> Words:
    """Return the newest of some conversations, and how many more there are."""
    more = [say("command.more", n=len(found) - MOST_NAMES)] if len(found) > MOST_NAMES else []
    return listed([*found[-MOST_NAMES:], *more])


def _turns(number: int) -> Words:
    return say("command.turns", n=number)


def diff(command: Command) -> None:
    """Show the differences between two answers, below what these are."""
    from cbai_notebook.notebook.diff_view import show

    conversation = existing(command.conversation)
    first, second = (*map(int, command.words), *(-2, -1)[len(command.words) :])
    turns = [turn_at(conversation, number) for number in (first, second)]
    titles = (_title(conversation.turns.index(turn), turn) for turn in turns)
    show(*(turn.text for turn in turns), *titles)


def _title(number: int, turn: Turn) -> Words:
    model = model_label(turn.provider, turn.model)
    prompt = shortened(turn.prompt, TITLE_CHARS)
    return say("command.diff_title", turn=number, model=model, prompt=prompt)


def panel(command: Command) -> None:
    """Show a chat panel for a conversation; create the conversation if it does not exist."""
    from IPython.display import display

    from cbai_notebook.notebook.panel import ChatPanel

    display(ChatPanel(command.conversation))  # type: ignore[no-untyped-call]
