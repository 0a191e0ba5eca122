"""The commands that write conversations to files and read them back: export and import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbai_notebook.conversation import chat, conversations, new_conversation
from cbai_notebook.errors import ConfigurationError, UsageError
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.conversations import existing
from cbai_notebook.notebook.commands.printing import write, write_table


def export(command: Command) -> None:
    """Export a conversation to a file or a folder; ``--all`` exports all; without ``--to``, list the formats."""
    from cbai_notebook.conversation import formats

    form = command.options.get("to")
    if form is None:
        write_table(("form", "what"), [(each.name, each.help) for each in formats.FORMS])
        write(f"\n{say('command.how_to_export')}")
        return
    options: dict[str, Any] = {
        "examples": command.options.get("examples"),
        "every_turn": bool(command.options.get("every_turn")),
    }
    skipped: dict[str, ConfigurationError] = {}
    if command.options.get("all"):
        if command.conversation:
            raise UsageError(say("command.export_one_or_all"))
        made, skipped = formats.export_all(conversations().each(), form, **options)
    else:
        made = formats.export(existing(command.conversation), form, **options)
    where = made.write(
        command.options.get("output"),
        overwrite=bool(command.options.get("force")),
    )
    write(say("command.wrote", where=where))
    for name, error in skipped.items():
        write(say("command.left_out", name=name, problem=error.message))


def import_(command: Command) -> None:
    """Import conversations from a file."""
    from cbai_notebook.conversation import formats

    if command.word is None:
        raise UsageError(say("command.file_is_missing"))
    path = Path(command.word)
    for turns in formats.read_turns(path):
        conversation = (
            chat(command.conversation) if command.conversation else new_conversation(path.stem)
        )
        conversation.extend(turns)
        read = say("command.turns", n=len(turns))
        write(say("command.read_into", turns=read, name=conversation.name))
