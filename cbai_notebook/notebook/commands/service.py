"""The commands about the service: `%cbai config`, `login`, `logout` and `models`."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cbai_notebook import bridge
from cbai_notebook._version import __version__
from cbai_notebook.errors import CbaiError, UsageError
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.notebook.frontend import NO_INPUT

if TYPE_CHECKING:
    from cbai_notebook.client.servers import Server
    from cbai_notebook.client.settings import Settings

MOST_MODELS = 200
"""The most models of one server that are listed."""


def show_config() -> None:
    """Show every setting and its source; of keys and headers only whether they are set."""
    from dataclasses import asdict

    from cbai_notebook.client.address_advice import shown
    from cbai_notebook.client.settings import settings
    from cbai_notebook.conversation.store import current_store, history_file
    from cbai_notebook.preferences import preferences

    now = settings()
    values = {
        "env_id": now.env_id,
        "api_key": _key_state(now),
        "region": now.region,
        "base_url": now.base_url and shown(now.base_url),
        "provider": now.default_provider,
        "model": now.model,
        "before_send": None
        if now.before_send is None
        else getattr(now.before_send, "__name__", "set"),
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
    rows += [
        (f"server {name}", _server_state(server), server.source)
        for name, server in now.servers.items()
    ]
    rows += [(name, str(value), "") for name, value in asdict(preferences()).items()]
    rows.append(
        ("history", str(history_file() or current_store().notice or "off: in memory only"), "")
    )
    write_table(("setting", "value", "from"), rows)
    if not now.configured:
        write(
            "\nNothing is configured, so the offline demo model answers. `%cbai login` connects to CloudBase."
        )


def show_version() -> None:
    """Show the versions that a report of a problem needs."""
    import IPython

    write(
        f"cbai-notebook {__version__}, Python {platform.python_version()}, IPython {IPython.__version__}"
    )


def login(name: str | None = None) -> None:
    """Read an address and its key (hidden) from the user; store them outside the notebook.

    Args:
        name: The name of a server; None is CloudBase, whose address is the environment's id.

    Raises:
        UsageError: Nobody can type, or nothing was typed; nothing is stored.
        ConfigurationError: The name or the address is not valid; nothing is stored.
    """
    if name is not None:
        _login_server(name)
        return
    from cbai_notebook.client import credentials
    from cbai_notebook.client.address_advice import shown
    from cbai_notebook.client.settings import settings

    env_id, api_key = _typed(
        ("CloudBase environment id: ", "API key (hidden): "),
        "Set CLOUDBASE_ENV_ID and CLOUDBASE_API_KEY in the environment instead.",
    )
    if not env_id or not api_key:
        raise UsageError("Nothing was stored: both the environment id and the API key are needed.")
    where = credentials.save(env_id, api_key)
    now = settings()
    if now.at_gateway:
        write(f"Stored in {where}. `%%cbai` now asks CloudBase; try `%cbai Hello`.")
    else:
        write(
            f"Stored in {where}. It is not sent to {shown(now.base_url or '')}, which is set as base_url "
            f"({now.sources['base_url']}) and asked in place of CloudBase."
        )


def logout(name: str | None = None) -> None:
    """Remove what `login` has stored.

    Args:
        name: The name of a server; None is CloudBase.
    """
    from cbai_notebook.client import credentials

    if credentials.forget(name):
        what = (
            "The environment and key of CloudBase"
            if name is None
            else f"The address and key of {name!r}"
        )
        write(f"{what} are no longer stored on this machine.")
        return
    stored = credentials.load_servers()
    what = "CloudBase" if name is None else repr(name)
    others = f" Stored servers: {', '.join(stored)}." if stored else ""
    write(f"Nothing is stored for {what}.{others}")


def show_models(provider: str | None) -> None:
    """Show suggested models, and the models of the user's servers as the servers list them.

    Args:
        provider: The name of a provider; None shows all.

    Raises:
        CbaiError: The list of the named server could not be read.
    """
    from cbai_notebook.client.providers import SUGGESTED_MODELS, is_server
    from cbai_notebook.client.settings import settings

    now = settings()
    if provider is not None and is_server(provider, now):
        _show_lists([provider], now)
        return
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
    if provider is None:
        custom = ["custom"] if now.default_provider == "custom" else []
        _show_lists([*custom, *now.servers], now)


def _login_server(name: str) -> None:
    from cbai_notebook.client import credentials
    from cbai_notebook.client.servers import checked_base_url, checked_name
    from cbai_notebook.client.settings import settings

    checked_name(name)
    address, api_key = _typed(
        (f"Address of {name}, up to its /v1: ", "API key (hidden; empty if it needs none): "),
        "Call cbai.configure(servers={…}) instead.",
        checked_base_url,
    )
    if not address:
        raise UsageError("Nothing was stored: the address is needed, such as https://host/v1.")
    where = credentials.save_server(name, address, api_key)
    used = settings().servers.get(name)
    if used is not None and used.origin.kind == "argument":
        write(
            f"Stored in {where}, but not in use: cbai.configure names {name!r} in this kernel, and it "
            f"wins. Take it out there, or call cbai.configure(servers={{{name!r}: None}})."
        )
        return
    write(f"Stored in {where}. Ask it with `%%cbai -m {name}/MODEL`; `%cbai models {name}` lists.")


def _typed(
    questions: tuple[str, str], instead: str, check: Callable[[str], object] = str
) -> tuple[str, str]:
    """Return an address and a key as the user types them; the key is only asked for an address.

    Args:
        questions: What to ask.
        instead: What to do where nobody can type.
        check: Raises an error for an address that is not valid, before the key is asked for.
    """
    from getpass import getpass

    from cbai_notebook.client.secret import checked_key

    try:
        address = input(questions[0]).strip()
        if address:
            check(address)
        key = getpass(questions[1]) if address else ""
    except NO_INPUT as error:
        raise UsageError(f"Nobody can type here. {instead}") from error
    return address, checked_key(key) or ""


def _key_state(now: Settings) -> str | None:
    if now.api_key:
        return "set, hidden"
    if now.base_url and not now.at_gateway and now.other_keys:
        return "none for this base_url; the key of CloudBase is not sent there"
    return None


def _server_state(server: Server) -> str:
    key = "key set, hidden" if server.api_key else "no key"
    parts = [server.base_url, "its key cannot be read" if server.problem else key]
    if server.headers:
        parts.append(f"headers {', '.join(server.headers)} set, hidden")
    if server.model:
        parts.append(f"model {server.model}")
    return " · ".join(parts)


def _show_lists(names: Sequence[str], now: Settings) -> None:
    """Ask servers for their models, all at once, and show what they answer.

    Raises:
        CbaiError: There is only one server, and its list could not be read.
    """
    from cbai_notebook.client.model_list import list_models

    async def ask() -> list[tuple[str, ...] | BaseException | None]:
        lists = (list_models(name, settings=now) for name in names)
        return await asyncio.gather(*lists, return_exceptions=True)

    for name, found in zip(names, bridge.run(ask(), nested=False), strict=True):
        if isinstance(found, BaseException) and not isinstance(found, CbaiError):
            raise found
        if isinstance(found, CbaiError):
            write(f"\n{name}: {found.message}")
        elif found is None:
            write(f"\n{name}: this server has no list of its models. Name one: -m {name}/MODEL")
        elif not found:
            write(f"\n{name}: this server has no model yet.")
        else:
            lines = [f"{name}/{model}" for model in found[:MOST_MODELS]]
            rest = len(found) - len(lines)
            more = [f"… and {rest:,} more"] if rest else []
            write("\n" + "\n".join([f"{name} has", *(f"  {line}" for line in [*lines, *more])]))
