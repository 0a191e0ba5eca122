"""The command about stored batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbai_notebook.conversation.times import in_zone
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.commands import SYNTAX_OF
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.asking import confirmed
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.text import shortened

if TYPE_CHECKING:
    from cbai_notebook.batching.runs import StoredRun

MOST_BATCHES = 30
"""The most batches that the table shows: the newest."""

BRIEF_CHARS = 32
"""The most characters of a prompt in the table, and of the name of its rows."""


def batches(command: Command) -> None:
    """Show the stored batches, or delete one or all after a yes of the user or with ``--yes``.

    Raises:
        UsageError: It is not said which to delete, nobody can answer, there is no such batch, or one
            still runs; nothing is deleted.
    """
    if command.word is None:
        _show()
    elif len(command.words) == 1:
        raise UsageError(
            say("option.usage", usage=SYNTAX_OF[command.name].usage, name=command.name)
        )
    else:
        _delete(command.words[1], yes=bool(command.options.get("yes")))


def _show() -> None:
    from cbai_notebook.batching.answer_store import current_answers

    found = current_answers().runs()
    if not found:
        write(say("batches.none"))
        return
    header = (
        *("number", "began", "rows_from", "prompt", "model"),
        *("rows", "answered", "failed", "tokens", "status"),
    )
    write_table(header, map(_cells, found[-MOST_BATCHES:]))
    if len(found) > MOST_BATCHES:
        write(f"\n{say('batches.earlier', n=len(found) - MOST_BATCHES)}")
    last = found[-1]
    if last.facts.reason:
        write(f"\n{say('batches.reason', number=last.number, reason=last.facts.reason)}")


def _cells(run: StoredRun) -> tuple[str, ...]:
    facts = run.facts
    return (
        str(run.number),
        f"{in_zone(run.started):%Y-%m-%d %H:%M}",
        shortened(facts.frame, BRIEF_CHARS),
        shortened(facts.prompt, BRIEF_CHARS),
        shortened(facts.model or "", BRIEF_CHARS),
        "" if facts.rows is None else f"{facts.rows:,}",
        f"{facts.answered:,}",
        f"{facts.failed:,}",
        f"{facts.tokens:,}",
        _status(facts.status),
    )


def _status(status: str) -> str:
    from cbai_notebook.batching.runs import COMPLETE, INTERRUPTED, RUNNING, STOPPED

    known = (RUNNING, COMPLETE, STOPPED, INTERRUPTED)
    return say(f"batches.is_{status}") if status in known else status


def _delete(which: str, *, yes: bool) -> None:
    from cbai_notebook.batching.answer_store import current_answers

    store, number = current_answers(), None if which == "all" else int(which)
    found = [run for run in store.runs() if number in (None, run.number)]
    if not found and number is None:
        write(say("batches.none"))
        return
    if not found:
        raise UsageError(say("batches.no_batch", number=number))
    what = (
        say("batches.all_of_them", n=len(found))
        if number is None
        else say("batches.one_of_them", number=number, frame=found[0].facts.frame)
    )
    if not yes and not confirmed(
        say("batches.may_delete", what=what),
        say("command.nobody_answers", command=f"%cbai batches delete {which} --yes"),
    ):
        write(say("command.nothing_deleted"))
        return
    store.delete(number)
    write(say("command.deleted_many", what=what))
