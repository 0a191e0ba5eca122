"""The commands that write conversations to files and read them back: export and import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbai_notebook.conversation import chat, conversations, new_conversation
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.conversations import existing
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.text import counted


def export(command: Command) -> None:
    """Export a conversation to a file or a folder; ``--all`` exports all; without ``--to``, list the formats."""
    from cbai_notebook.conversation import formats

    form = command.options.get("to")
    if form is None:
        write_table(("form", "what it is"), [(each.name, each.help) for each in formats.FORMS])
        write("\nWrite one with `%cbai export --to FORM [-o PATH] [-c NAME]`.")
        return
    options: dict[str, Any] = {
        "examples": command.options.get("examples"),
        "every_turn": bool(command.options.get("every_turn")),
    }
    skipped: dict[str, ConfigurationError] = {}
    if command.options.get("all"):
        if command.conversation:
            raise UsageError("Give -c NAME or --all, not both. Nothing was written.")
        made, skipped = formats.export_all(conversations().each(), form, **options)
    else:
        made = formats.export(existing(command.conversation), form, **options)
    where = made.write(
        command.options.get("output"),
        overwrite=bool(command.options.get("force")),
    )
    write(f"Wrote {where}.")
    for name, error in skipped.items():
        write(f"Left out {name!r}: {error.message}")


def import_(command: Command) -> None:
    """Import conversations from a file."""
    from cbai_notebook.conversation import formats

    if command.word is None:
        raise UsageError("The file is missing: %cbai import PATH.")
    path = Path(command.word)
    for turns in formats.read_turns(path):
        conversation = (
            chat(command.conversation) if command.conversation else new_conversation(path.stem)
        )
        conversation.extend(turns)
        write(
            f"Read {counted(len(turns), 'turn')} into {conversation.name!r}. "
            f"`%cbai use {conversation.name}` goes on there."
        )
