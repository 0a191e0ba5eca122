"""The commands about several answers to one prompt: pick, and diff between two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from cbai_notebook.client.providers import model_label
from cbai_notebook.comparison.compare import last_comparison
from cbai_notebook.comparison.comparison import Comparison
from cbai_notebook.conversation import Conversation, Turn
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import listed, say
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.conversations import existing
from cbai_notebook.notebook.commands.history import BRIEF_CHARS
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.text import shortened


@dataclass(frozen=True)
class _Choice:
    """An answer that can be picked.

    Attributes:
        number: Its number, from 1.
        label: What tells it from the others.
        models: The names by which its model can be written.
        turn: Its turn.
        ended_well: Whether it is a complete answer.
        pick: Lets the conversation go on with it.
    """

    number: int
    label: str
    models: tuple[str | None, ...]
    turn: Turn
    ended_well: bool
    pick: Callable[[], None]


def pick(command: Command) -> None:
    """Let the conversation go on with one of the answers to a prompt; without a word, list them.

    Raises:
        UsageError: There is no such answer.
    """
    conversation = existing(command.conversation)
    choices = _choices(conversation)
    if command.word is None:
        _list(conversation, choices)
        return
    chosen = _chosen(choices, command.word)
    chosen.pick()
    label = f"{chosen.number} ({chosen.label})"
    write(say("command.picked", name=conversation.name, label=label))


def diff(command: Command) -> None:
    """Show the differences between two answers to one prompt.

    Raises:
        UsageError: There is no such answer.
    """
    from cbai_notebook.notebook.diff_view import show

    choices = _choices(existing(command.conversation))
    usual = [str(each.number) for each in choices if each.turn.text][:2]
    if len(words := [*command.words, *usual[len(command.words) :]]) < 2:
        raise UsageError(say("command.one_answer_only"))
    first, second = (_chosen(choices, word) for word in words)
    titles = (f"{each.number} · {each.label}" for each in (first, second))
    show(first.turn.text, second.turn.text, *titles)


def _choices(conversation: Conversation) -> list[_Choice]:
    """Return the answers of the last comparison in a conversation.

    Where this process has made none there, those to the prompt of the conversation's last turn, such as
    the versions of a comparison that was made before the kernel was restarted.

    Raises:
        UsageError: The conversation has no turns.
    """
    made = last_comparison()
    if made is not None and made.conversation is conversation:
        return list(_of_comparison(made))
    if not conversation.turns:
        raise UsageError(say("command.no_answers", name=conversation.name))
    last = conversation.turns[-1]
    same = [each for each in conversation.alternatives(last) if each.prompt == last.prompt]
    return [
        _Choice(
            number,
            model_label(turn.provider, turn.asked_model or turn.model),
            (turn.asked_model, turn.model),
            turn,
            bool(turn.text) and turn.ending is None and not turn.error,
            partial(conversation.choose, turn),
        )
        for number, turn in enumerate(same, start=1)
    ]


def _of_comparison(made: Comparison) -> Sequence[_Choice]:
    return [
        _Choice(
            each.number,
            each.label,
            (each.variant.model, each.prepared.asked_model, each.turn.model),
            each.turn,
            each.ended_well,
            partial(made.pick, each),
        )
        for each in made.candidates
        if each.turn is not None
    ]


def _chosen(choices: Sequence[_Choice], word: str) -> _Choice:
    """Return the answer that a word names: its number, or its model.

    Of several answers of a model it is the first that ended well.
    """
    named = [each for each in choices if word in (str(each.number), *each.models)]
    found = next((each for each in named if each.ended_well), None) or next(iter(named), None)
    if found is None:
        known = listed([f"{each.number} ({each.label})" for each in choices], "or")
        raise UsageError(say("command.no_answer", word=word, known=known))
    return found


def _list(conversation: Conversation, choices: Sequence[_Choice]) -> None:
    turns = conversation.turns
    rows = [
        (
            str(each.number),
            "→" if each.turn in turns else "",
            each.label,
            each.turn.status,
            shortened(each.turn.text, BRIEF_CHARS),
        )
        for each in choices
    ]
    write_table(("number", "", "variant", "status", "answer"), rows)
