"""What `%cbai config`, `login`, `models`, `history`, `panel`, `reset` and `help` do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.conversation import chat, names
from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.markdown.plain import plain

PREVIEW_CHARS = 100
"""Characters of a message that `%cbai history` shows."""


def show_config() -> None:
    """Show every setting in force and where it came from; the key only as set or not set."""
    from dataclasses import asdict

    from cbai_notebook.client.settings import settings
    from cbai_notebook.notebook.preferences import preferences

    now = settings()
    values = {
        "env_id": now.env_id,
        "api_key": "set, hidden" if now.api_key else None,
        "region": now.region,
        "base_url": now.base_url,
        "provider": now.default_provider,
        "model": now.model,
        **{f"timeout.{stage}": f"{seconds:g} s" for stage, seconds in asdict(now.timeout).items()},
    }
    rows = [
        (
            name,
            "—" if value is None else str(value),
            now.sources.get(name.partition(".")[0], "default"),
        )
        for name, value in values.items()
    ]
    rows += [(name, str(value), "") for name, value in asdict(preferences()).items()]
    _write_table(("setting", "value", "from"), rows)
    if not now.configured:
        _write(
            "\nNothing is configured, so the offline demo model answers. `%cbai login` connects to CloudBase."
        )


def login() -> None:
    """Ask for the environment's id and its key, hidden, and store them outside the notebook.

    Raises:
        UsageError: Nobody can type here, or nothing was typed; nothing is stored then.
    """
    from getpass import getpass

    from cbai_notebook.client import credentials

    try:
        env_id = input("CloudBase environment id: ").strip()
        api_key = getpass("API key (hidden): ").strip() if env_id else ""
    except (EOFError, NotImplementedError, RuntimeError) as error:
        # ipykernel's StdinNotImplementedError is both of the latter, depending on its version.
        raise UsageError(
            "Nobody can type here. Set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment instead."
        ) from error
    if not env_id or not api_key:
        raise UsageError("Nothing was stored: both the environment id and the API key are needed.")
    where = credentials.save(env_id, api_key)
    _write(f"Stored in {where}. `%%cbai` now asks CloudBase; try `%cbai Hello`.")


def show_models(provider: str | None) -> None:
    """Show model names to try, of one provider or of all."""
    from cbai_notebook.client import SUGGESTED_MODELS

    chosen = {
        name: models
        for name, models in SUGGESTED_MODELS.items()
        if provider is None or name == provider
    }
    if not chosen:
        _write(
            f"No suggestions for {provider!r}. Any model that your environment has works by its name."
        )
        return
    _write_table(
        ("provider", "models"), [(name, ", ".join(models)) for name, models in chosen.items()]
    )
    _write("\nThese are suggestions; any name works: `%%cbai -m PROVIDER/MODEL`.")


def show_history(name: str | None) -> None:
    """Show the messages of a conversation, a line each.

    Raises:
        UsageError: There is no such conversation.
    """
    _must_exist(name)
    conversation = chat(name)
    if not conversation.turns:
        _write(f"The conversation {conversation.name!r} is empty. Ask something: `%cbai Hello`.")
        return
    rows = [
        (str(message["turn"]), message["role"], message["status"], _preview(message["content"]))
        for message in conversation
    ]
    _write_table(("turn", "role", "status", "content"), rows)
    others = [other for other in names() if other != conversation.name]
    if others:
        _write(f"\nOther conversations: {', '.join(others)}.")


def show_panel(name: str | None) -> None:
    """Show a chat panel on a conversation, made when it does not exist yet."""
    from IPython.display import display

    from cbai_notebook.notebook.panel import ChatPanel

    display(ChatPanel(name))  # type: ignore[no-untyped-call]


def reset(name: str | None) -> None:
    """Forget a conversation's turns.

    Raises:
        UsageError: There is no such conversation.
    """
    _must_exist(name)
    conversation = chat(name)
    turns = len(conversation.turns)
    conversation.reset()
    _write(f"Forgot {turns} turn{'' if turns == 1 else 's'} of {conversation.name!r}.")


def show_help() -> None:
    """Show options and commands."""
    from cbai_notebook.notebook.options import help_text

    _write(help_text())


def _must_exist(name: str | None) -> None:
    # A typo must not make a conversation.
    if name is not None and name not in names():
        known = ", ".join(names()) or "none yet"
        raise UsageError(f"There is no conversation {name!r}. Conversations: {known}.")


def _preview(content: str) -> str:
    line = " ".join(content.split())
    return line if len(line) <= PREVIEW_CHARS else line[: PREVIEW_CHARS - 1] + "…"


def _write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        _write("  ".join(cells).rstrip())


def _write(text: str) -> None:
    sys.stdout.write(plain(text) + "\n")
