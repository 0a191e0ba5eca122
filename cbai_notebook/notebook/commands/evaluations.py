"""The command about stored runs of evaluations."""

from __future__ import annotations

from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.text import shortened

MOST_LINES = 30
"""The most lines of the table: the newest."""

BRIEF_CHARS = 32
"""The most characters of a name in the table."""


def evaluations(command: Command) -> None:
    """Show the stored runs of an evaluation, or of all."""
    from cbai_notebook.evaluation.number_texts import estimate_text
    from cbai_notebook.evaluation.runs import evaluations as stored

    found = stored(command.word or "")
    if not found:
        write(say("evaluate.none_stored"))
        return
    header = (
        *("number", "ended", "name", "variant"),
        *("model", "check", "value", "cases", "failed"),
    )
    write_table(
        header,
        [
            (
                str(row["number"]),
                f"{row['ended']:%Y-%m-%d %H:%M}",
                *(shortened(row[name], BRIEF_CHARS) for name in ("name", "variant", "model")),
                shortened(row["check"], BRIEF_CHARS),
                estimate_text(
                    row["value"],
                    row["low"],
                    row["high"],
                    is_share=0 <= row["low"] <= row["high"] <= 1,
                ),
                f"{row['n']:,}",
                f"{row['errors']:,}",
            )
            for row in found[-MOST_LINES:]
        ],
    )
    if len(found) > MOST_LINES:
        write(f"\n{say('evaluate.earlier_lines', n=len(found) - MOST_LINES)}")
