"""The commands about the service: `%cbai config`, `login` and `models`."""

from __future__ import annotations

from cbai_notebook.errors import UsageError
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.notebook.frontend import NO_INPUT


def show_config() -> None:
    """Show every setting and its source; of the API key only whether it is set."""
    from dataclasses import asdict

    from cbai_notebook.client.settings import settings
    from cbai_notebook.conversation.store import history_file
    from cbai_notebook.preferences import preferences

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
    rows.append(("history", str(history_file() or "off: in memory only"), ""))
    write_table(("setting", "value", "from"), rows)
    if not now.configured:
        write(
            "\nNothing is configured, so the offline demo model answers. `%cbai login` connects to CloudBase."
        )


def login() -> None:
    """Read the environment id and the API key (hidden) from the user; store them outside the notebook.

    Raises:
        UsageError: Nobody can type, or nothing was typed; nothing is stored.
    """
    from getpass import getpass

    from cbai_notebook.client import credentials

    try:
        env_id = input("CloudBase environment id: ").strip()
        api_key = getpass("API key (hidden): ").strip() if env_id else ""
    except NO_INPUT as error:
        raise UsageError(
            "Nobody can type here. Set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment instead."
        ) from error
    if not env_id or not api_key:
        raise UsageError("Nothing was stored: both the environment id and the API key are needed.")
    where = credentials.save(env_id, api_key)
    write(f"Stored in {where}. `%%cbai` now asks CloudBase; try `%cbai Hello`.")


def show_models(provider: str | None) -> None:
    """Show suggested models of one provider or of all providers."""
    from cbai_notebook.client.providers import SUGGESTED_MODELS

    chosen = {
        name: models
        for name, models in SUGGESTED_MODELS.items()
        if provider is None or name == provider
    }
    if not chosen:
        write(
            f"No suggestions for {provider!r}. Any model that your environment has works by its name."
        )
        return
    write_table(
        ("provider", "models"), [(name, ", ".join(models)) for name, models in chosen.items()]
    )
    write("\nThese are suggestions; any name works: `%%cbai -m PROVIDER/MODEL`.")
