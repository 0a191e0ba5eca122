"""The commands about the service: `%cbai config`, `login`, `logout` and `models`."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cbai_notebook import bridge
from cbai_notebook._version import __version__
from cbai_notebook.errors import AuthenticationError, CbaiError, ConfigurationError, UsageError
from cbai_notebook.i18n import Words, joined, language, listed, say
from cbai_notebook.notebook.commands.next_model import next_model
from cbai_notebook.notebook.commands.printing import write, write_table
from cbai_notebook.notebook.frontend import NO_INPUT

if TYPE_CHECKING:
    from cbai_notebook.client.servers import Origin, Server
    from cbai_notebook.client.settings import Settings

MOST_MODELS = 200
"""The most models of one server that are listed."""

MOST_OFFERED = 30
"""The most models of one server that `%cbai login` offers."""

MOST_TRIES = 3
"""How often `%cbai login` asks the same question, where what is typed is not valid."""

_WIDEST = (22, 33, 20)
"""The most columns of a setting, its value and its source: 79 in all, with two blanks in between."""


def show_config() -> None:
    """Show every setting and its source; of keys and headers only whether they are set.

    A line fits a terminal of 80 columns: a longer value loses its middle, and stands whole below.
    """
    from dataclasses import asdict

    from cbai_notebook.client.address_advice import shown
    from cbai_notebook.client.budget import SESSION
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
        else getattr(now.before_send, "__name__", say("service.is_set")),
        "max_total_tokens": _used_of(f"{SESSION.tokens:,}", now.max_total_tokens),
        "max_cost": _used_of(f"{SESSION.cost:.4g}", now.max_cost),
        "prices": ", ".join(
            f"{model}: {sent:g} + {answered:g}" for model, (sent, answered) in now.prices.items()
        )
        or None,
        **{f"timeout.{stage}": f"{seconds:g} s" for stage, seconds in asdict(now.timeout).items()},
    }
    rows: list[tuple[str, str, str]] = [
        (
            name,
            "—" if value is None else str(value),
            _source(
                now.default_origin
                if name == "provider"
                else now.origins.get(name.partition(".")[0])
            ),
        )
        for name, value in values.items()
    ]
    for name, server in now.servers.items():
        (address, *others) = _server_state(server)
        rows.append((say("service.setting_of_server", name=name), address, _source(server.origin)))
        rows += [("", other, "") for other in others]
    chosen = asdict(preferences())
    chosen["language"] = chosen["language"] or language()
    rows += [(name, str(value), "") for name, value in chosen.items()]
    rows.append(("history", str(history_file() or say("service.only_in_memory")), ""))
    write_table(("setting", "value", "from"), rows, _WIDEST)
    if (notice := current_store().notice) and not history_file():
        write("")
        write(notice)
    write("")
    write(next_model(now))


def _used_of(used: str, most: float | None) -> str | None:
    """Return how much of a limit is used; None without a limit."""
    return None if most is None else say("budget.used_of", used=used, most=f"{most:,}")


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
        (say("service.ask_environment"), say("service.ask_key")), say("service.nobody_types")
    )
    if not env_id or not api_key:
        raise UsageError(say("service.both_are_needed"))
    where = credentials.save(env_id, api_key)
    now = settings()
    if now.at_gateway:
        write(say("service.stored", where=where))
        write(next_model(now))
    else:
        address, source = shown(now.base_url or ""), now.sources["base_url"]
        write(say("service.stored_and_not_sent", where=where, address=address, source=source))


def logout(name: str | None = None) -> None:
    """Remove what `login` has stored.

    Args:
        name: The name of a server; None is CloudBase.
    """
    from cbai_notebook.client import credentials

    if credentials.forget(name):
        write(
            say("service.forgot_cloudbase")
            if name is None
            else say("service.forgot_server", name=name)
        )
        return
    stored = credentials.load_servers()
    write(
        joined(
            say("service.cloudbase_is_not_stored")
            if name is None
            else say("service.server_is_not_stored", name=name),
            say("service.stored_servers", names=listed(stored)) if stored else "",
        )
    )


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
        write(say("service.no_suggestions", name=provider))
        return
    write_table(
        ("provider", "models"), [(name, ", ".join(models)) for name, models in chosen.items()]
    )
    write(f"\n{say('service.any_name_works')}")
    if provider is None:
        custom = ["custom"] if now.default_provider == "custom" else []
        _show_lists([*custom, *now.servers], now)


def _login_server(name: str) -> None:
    from cbai_notebook.client import credentials
    from cbai_notebook.client.servers import checked_base_url, checked_name
    from cbai_notebook.client.settings import settings

    checked_name(name)
    address, api_key = _typed(
        (say("service.ask_address", name=name), say("service.ask_key_of_server")),
        say("service.nobody_types_server"),
        checked_base_url,
    )
    if not address:
        raise UsageError(say("service.address_is_needed"))
    before = credentials.load_servers().get(name)
    model = (before.model if before is not None else None) or ""

    def save(key: str, model: str) -> str:
        return credentials.save_server(name, address, key, model)

    # Stored before the server is asked for its list: an interrupt meanwhile loses no key and no model.
    where = save(api_key, model)
    known = _offered_models(name, address, api_key)
    for _ in range(MOST_TRIES - 1):
        if known is not None or not (typed_key := _typed_other_key(name, api_key)):
            break
        api_key = typed_key
        where = save(api_key, model)
        known = _offered_models(name, address, api_key)
    if known is None:
        write(_refusal(name, api_key))
    typed = _typed_model(known or ())
    if typed is not None and typed != model:
        model = typed
        save(api_key, model)
    now = settings()
    used = now.servers.get(name)
    if used is not None and used.origin.kind == "argument":
        write(say("service.stored_and_not_used", where=where, name=name))
        return
    if known is None:
        write(say("service.stored_and_refused", where=where, name=name))
    elif model:
        write(say("service.stored_server_and_model", where=where, name=name, model=model))
    else:
        write(say("service.stored_server", where=where, name=name))
    write(next_model(now))


def _refusal(name: str, api_key: str) -> Words:
    if api_key:
        return say("service.server_refuses_key", name=name)
    return say("service.server_wants_key", name=name)


def _typed_other_key(name: str, api_key: str) -> str:
    """Return another key in place of a refused one; empty where the user has none or cannot type."""
    write(_refusal(name, api_key))
    try:
        return _typed_key(say("service.ask_key_again"))
    except NO_INPUT:
        return ""


def _typed_model(known: Sequence[str]) -> str | None:
    """Return the model of a server as the user types it, by its name or its number in the list.

    It is empty where the user wants none. It is None where nobody can type any more, as in a script,
    or where no number that was typed is in the list.

    Args:
        known: The models of the list that the user sees; empty without one.
    """

    def chosen(typed: str) -> str:
        if not known or typed in known or not typed.isdecimal():
            return typed
        # A list is short: more digits than these are in none.
        number = int(typed[:9])
        if not 0 < number <= len(known):
            raise ConfigurationError(say("service.no_such_number", number=number, n=len(known)))
        return known[number - 1]

    question = say("service.ask_model_of_list") if known else say("service.ask_model")
    try:
        return _valid(lambda: input(f"{question} ").strip(), chosen)
    except ConfigurationError as problem:
        write(problem.words or problem.message)
        return None
    except NO_INPUT:
        return None


def _offered_models(name: str, address: str, api_key: str) -> tuple[str, ...] | None:
    """Show the models that a server lists, with numbers, and return them; none if it lists none.

    The result is None where the server refuses the key, or wants one.
    """
    from cbai_notebook.client.model_list import list_models
    from cbai_notebook.client.secret import Secret
    from cbai_notebook.client.servers import Server
    from cbai_notebook.client.settings import Settings

    server = Server(address, Secret(api_key) if api_key else None)
    try:
        asked = list_models(name, settings=Settings(servers={name: server}))
        found = (bridge.run(asked, nested=False) or ())[:MOST_OFFERED]
    except AuthenticationError:
        return None
    except CbaiError as error:
        write(say("service.list_failed", name=name, problem=error.words or error.message))
        return ()
    if found:
        write(say("service.server_has", name=name))
        write("\n".join(f"  {number:2}  {model}" for number, model in enumerate(found, start=1)))
    return found


def _typed(
    questions: tuple[Words, Words], instead: Words, check: Callable[[str], object] = str
) -> tuple[str, str]:
    """Return an address and a key as the user types them; the key is only asked for an address.

    Args:
        questions: What to ask.
        instead: What to say where nobody can type.
        check: Raises a ConfigurationError for an address that is not valid; it is asked for again
            before the key is.
    """

    def checked(address: str) -> str:
        if address:
            check(address)
        return address

    try:
        address = _valid(lambda: input(f"{questions[0]} ").strip(), checked)
        return address, _typed_key(questions[1]) if address else ""
    except NO_INPUT as error:
        raise UsageError(instead) from error


def _typed_key(question: Words) -> str:
    """Return a key as the user types it, hidden; empty for none."""
    from getpass import getpass

    from cbai_notebook.client.secret import checked_key

    return _valid(lambda: getpass(f"{question} "), lambda key: checked_key(key) or "")


def _valid(ask: Callable[[], str], check: Callable[[str], str]) -> str:
    """Ask until the answer is valid, at most `MOST_TRIES` times, and return what `check` makes of it.

    Raises:
        ConfigurationError: No answer was valid, or nobody could type after one that was not.
    """
    problem: ConfigurationError | None = None
    for _ in range(MOST_TRIES):
        if problem is not None:
            write(problem.words or problem.message)
        try:
            typed = ask()
        except NO_INPUT:
            if problem is None:
                raise
            raise problem from None
        try:
            return check(typed)
        except ConfigurationError as error:
            problem = error
    assert problem is not None
    raise problem


def _key_state(now: Settings) -> str | None:
    if now.api_key:
        return say("service.key_is_set")
    if now.base_url and not now.at_gateway and now.other_keys:
        return say("service.key_is_not_sent")
    return None


def _source(origin: Origin | None) -> str:
    """Return where a value came from; a variable by its name alone, which says what it is."""
    if origin is None:
        return say("key.from_default")
    return origin.where if origin.kind == "environment" else origin.words


def _server_state(server: Server) -> list[str]:
    """Return the lines about a server; the first is its address."""
    if server.problem:
        key = say("service.server_key_is_unreadable")
    elif server.api_key:
        key = say("service.server_key_is_set")
    else:
        key = say("service.server_has_no_key")
    parts = [server.base_url, key]
    if server.headers:
        parts.append(say("service.server_headers", names=", ".join(server.headers)))
    if server.model:
        parts.append(say("service.server_model", name=server.model))
    return parts


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
            write("")
            write(say("service.list_failed", name=name, problem=found.message))
        elif found is None:
            write(f"\n{say('service.server_lists_nothing', name=name)}")
        elif not found:
            write(f"\n{say('service.server_has_no_model', name=name)}")
        else:
            lines = [f"{name}/{model}" for model in found[:MOST_MODELS]]
            rest = len(found) - len(lines)
            more = [say("service.more_models", n=rest)] if rest else []
            has = say("service.server_has", name=name)
            write("\n" + "\n".join([has, *(f"  {line}" for line in [*lines, *more])]))
