"""The commands about past messages: history and usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.endings import Ending, ending_of
from cbai_notebook.client.providers import model_label
from cbai_notebook.conversation import chat, names
from cbai_notebook.conversation.records import Records
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.i18n import say
from cbai_notebook.notebook.command_line.parser import Command
from cbai_notebook.notebook.commands.conversations import existing, newest_of
from cbai_notebook.notebook.commands.printing import PREVIEW_CHARS, write, write_table
from cbai_notebook.text import shortened

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

FOUND_LIMIT = 50
"""How many messages a search over all conversations shows without ``--limit``: the newest."""

BRIEF_CHARS = 32
"""The most characters of a prompt, and of an answer, when one line shows both."""

BAR_CHARS = 16
"""The width of the chart's longest bar, in characters."""

_FILTERS = ("search", "since", "model", "role", "status", "limit")


def history(shell: InteractiveShell, command: Command) -> None:
    """Show the messages of a conversation, or search all; with ``--pandas``, store them as a DataFrame."""
    options = command.options
    everywhere = bool(options.get("all") or options.get("search")) and not command.conversation
    if variable := options.get("pandas"):
        found = _found(command, everywhere, limit=None)
        shell.user_ns[variable] = found.to_pandas()
        write(say("command.messages_are_in", variable=variable, n=len(found)))
        return
    if options.get("versions") and not everywhere:
        _show_versions(command.conversation)
        return
    found = _found(command, everywhere, limit=FOUND_LIMIT if everywhere else None)
    if not found:
        _show_nothing(command, everywhere)
        return
    _show(found, everywhere)
    if not everywhere and (
        others := [name for name in names() if name != found[0]["conversation"]]
    ):
        write(f"\n{say('command.other_conversations', names=newest_of(others))}")
    if problem := chat(command.conversation).not_stored:
        write(f"\n{say('command.not_stored', problem=problem)}")


def _found(command: Command, everywhere: bool, limit: int | None) -> Records:
    from cbai_notebook.conversation.history import history as find_messages

    filters = {name: command.options[name] for name in _FILTERS if name in command.options}
    if not everywhere:
        conversation = existing(command.conversation)
        if not filters:
            return conversation.messages
        filters["conversation"] = conversation.name
    filters.setdefault("limit", limit)
    return find_messages(versions=bool(command.options.get("versions")), **filters)


def _show(found: Records, everywhere: bool) -> None:
    header = ("turn", "role", "status", "content")
    rows = [
        (
            "" if message["turn"] < 0 else str(message["turn"]),
            message["role"],
            _status(message["status"], _ending(message), stale=message["stale"]),
            shortened(message["content"], PREVIEW_CHARS),
        )
        for message in found
    ]
    if everywhere:
        header = ("conversation", *header)  # type: ignore[assignment]
        rows = [(message["conversation"], *row) for message, row in zip(found, rows, strict=True)]  # type: ignore[misc]
    write_table(header, rows)


def _ending(message: Mapping[str, Any]) -> Ending | None:
    reason, reasoning = message["finish_reason"], message["reasoning"] or ""
    return ending_of(reason, text=message["content"], reasoning=reasoning)


def _status(status: str, ending: Ending | None, *, stale: bool) -> str:
    marks = (status, ending.mark if ending else "", say("command.stale") if stale else "")
    return ", ".join(filter(None, marks))


def _show_versions(name: str | None) -> None:
    conversation = existing(name)
    rows = [
        (
            str(number),
            "→" if active else "",
            f"{in_zone(turn.created_at):%Y-%m-%d %H:%M:%S}",
            _status(turn.status, turn.ending, stale=False),
            shortened(turn.prompt, BRIEF_CHARS),
            shortened(turn.text, BRIEF_CHARS),
        )
        for number, turn, active in conversation.versions()
    ]
    write_table(("turn", "", "asked", "status", "prompt", "answer"), rows)


def _show_nothing(command: Command, everywhere: bool) -> None:
    filtered = any(name in command.options for name in _FILTERS)
    if everywhere or filtered:
        write(say("command.no_message_fits"))
    else:
        write(say("command.conversation_is_empty", name=chat(command.conversation).name))


def usage(shell: InteractiveShell, command: Command) -> None:
    """Show requests, tokens and time by day and model, as a table with a bar chart.

    Batches and evaluations have rows of their own; with the name of a conversation there are none.
    """
    found = _usage(command)
    if variable := command.options.get("pandas"):
        from cbai_notebook.conversation.history import usage_frame

        shell.user_ns[variable] = usage_frame(found)
        write(say("command.rows_are_in", variable=variable, n=len(found)))
        return
    if not found:
        write(say("command.nothing_was_asked"))
        return
    write_table(
        ("day", "model", "requests", "tokens_in", "cached", "tokens_out", "seconds", ""),
        _usage_rows(found),
    )
    write("\n" + say("command.usage_legend", n=max(row["total_tokens"] for row in found)))
    if any(row["kind"] != "conversation" for row in found):
        write(say("command.usage_of_batches"))
    if unanswered := sum(row["unanswered_tokens"] for row in found):
        write(say("command.usage_unanswered", n=unanswered))
    if not command.conversation:
        write(say("command.usage_not_counted"))


def _usage(command: Command) -> list[dict[str, Any]]:
    from cbai_notebook.batching.usage import batch_usage
    from cbai_notebook.conversation.history import checked_moment
    from cbai_notebook.conversation.history import usage as usage_of_conversations

    since = checked_moment("since", command.options.get("since"))
    if command.conversation:
        name = existing(command.conversation).name
        return usage_of_conversations(conversation=name, since=since)
    found = [*usage_of_conversations(since=since), *batch_usage(since)]
    return sorted(found, key=lambda row: row["day"])  # stable: conversations come first


def _usage_label(row: Mapping[str, Any]) -> str:
    label = model_label(row["provider"], row["model"])
    kind = row["kind"]
    return label if kind == "conversation" else f"{label} · {say(f'command.usage_{kind}')}"


def _usage_rows(found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    most = max(row["total_tokens"] for row in found) or 1
    rows = [
        (
            row["day"],
            _usage_label(row),
            f"{row['requests']:,}",
            f"{row['prompt_tokens']:,}",
            f"{row['cached_tokens']:,}",
            f"{row['completion_tokens']:,}",
            f"{row['duration_s']:.1f}",
            "█" * round(BAR_CHARS * row["total_tokens"] / most) or "▏",
        )
        for row in found
    ]
    keys = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens")
    sums = (f"{sum(row[key] for row in found):,}" for key in keys)
    seconds = f"{sum(row['duration_s'] for row in found):.1f}"
    return [*rows, (say("command.all_days"), "", *sums, seconds, "")]
