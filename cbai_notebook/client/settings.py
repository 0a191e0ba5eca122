"""The settings: explicit values, then environment variables, then the stored credentials.

A key belongs to an address, and both are resolved together: the key of CloudBase goes to CloudBase's
gateway only, and another base URL gets the key that was given with it, or none.

Only cheap modules are imported, so that loading the extension stays cheap.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cbai_notebook.client.secret import Secret as Secret
from cbai_notebook.client.secret import checked_key, is_plain_words
from cbai_notebook.client.servers import (
    ARGUMENT,
    DEFAULT,
    Origin,
    Server,
    checked_servers,
    from_argument,
)
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.forks import fork_safe_lock
from cbai_notebook.i18n import Words, say

if TYPE_CHECKING:
    from cbai_notebook.client.before_send import BeforeSend

_SERVER_KEY = "server_key"
"""The name of the key of ``base_url``, where values of one origin are collected."""

# The variables of the official tools come first, in their order; then those of this package.
_ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "env_id": ("CLOUDBASE_ENV_ID", "TCB_ENV"),
    "api_key": ("CLOUDBASE_API_KEY", "CLOUDBASE_APIKEY"),
    "region": ("TCB_REGION",),
    "base_url": ("CBAI_BASE_URL",),
    "provider": ("CBAI_PROVIDER",),
    "model": ("CBAI_MODEL",),
    "max_total_tokens": ("CBAI_MAX_TOTAL_TOKENS",),
    "max_cost": ("CBAI_MAX_COST",),
    _SERVER_KEY: ("CBAI_API_KEY",),
}

# The hosts of CloudBase's gateway begin with the environment's id.
_GATEWAY_HOST = re.compile(
    r"(?P<env_id>[a-z0-9][a-z0-9-]*)\.api\.(?:intl\.)?tcloudbasegateway\.com"
)


@dataclass(frozen=True)
class Timeout:
    """Time limits in seconds.

    Args:
        connect: Until the connection is made, TLS included.
        first_token: From the request to the first token of its stream.
        between_tokens: From one event of a stream to the next.
        answer: Until an answer that is not streamed is complete.
    """

    connect: float = 10.0
    first_token: float = 120.0
    between_tokens: float = 60.0
    answer: float = 600.0

    def __post_init__(self) -> None:
        for each in fields(self):
            seconds = getattr(self, each.name)
            number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
            if not number or not seconds > 0:
                raise ConfigurationError(
                    say("client.timeout_is_no_time", name=each.name, value=repr(seconds))
                )

    @classmethod
    def of(cls, value: Timeout | float | Mapping[str, float] | None) -> Timeout:
        """Return the timeout for a value that a user gives.

        Args:
            value: A `Timeout`; a mapping with some of its fields; or one number of seconds for
                every limit (``connect`` stays at most at its default of 10 s).

        Raises:
            ConfigurationError: A name is unknown or a value is not a positive number.
        """
        if value is None:
            return cls()
        if isinstance(value, Timeout):
            return value
        if isinstance(value, Mapping):
            known = [each.name for each in fields(cls)]
            unknown = [name for name in value if name not in known]
            if unknown:
                raise ConfigurationError(
                    say("client.no_such_timeout", name=unknown[0], known=", ".join(known))
                )
            return cls(**value)
        base = cls(first_token=value, between_tokens=value, answer=value)
        return replace(base, connect=min(base.connect, value))


@dataclass(frozen=True)
class Settings:
    """The settings of a request, resolved at one moment.

    Args:
        env_id: The CloudBase environment.
        api_key: The key of ``base_url`` or, without one, of CloudBase.
        base_url: Another address than that of CloudBase's gateway.
        region: The environment's region.
        provider: The provider for prompts that name none.
        model: The model for prompts that name none.
        timeout: The time limits.
        servers: Named servers, each a `Server` or a dict of its fields. Their names are providers.
        other_keys: Keys that are known and belong to none of these addresses, by their names for
            the user. They are not sent, only looked for in prompts and masked.
        before_send: A function that gets a copy of the messages of each request and returns those
            that are sent, or raises an error to refuse the request; may be asynchronous.
        max_total_tokens: The most tokens that all requests of this process may use.
        max_cost: The most money that they may cost, in the unit of ``prices``.
        prices: For each model the prices of a million tokens, sent and answered.
        origins: For each field where its value came from.
    """

    env_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    region: str | None = None
    provider: str | None = None
    model: str | None = None
    timeout: Timeout = field(default_factory=Timeout)
    servers: Mapping[str, Server] = field(default_factory=dict)
    other_keys: Mapping[str, Secret] = field(default_factory=dict, repr=False, compare=False)
    before_send: BeforeSend | None = field(default=None, repr=False, compare=False)
    max_total_tokens: int | None = None
    max_cost: float | None = None
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.api_key is not None and not isinstance(self.api_key, Secret):
            object.__setattr__(self, "api_key", Secret(self.api_key.strip()))
        object.__setattr__(self, "timeout", Timeout.of(self.timeout))
        servers = {}
        if self.servers != {}:
            servers = {name: each for name, each in checked_servers(self.servers).items() if each}
        object.__setattr__(self, "servers", servers)

    @property
    def configured(self) -> bool:
        """Whether the settings say where to send prompts; if not, the offline model is used."""
        return bool(self.provider) or self.default_provider != "local"

    @property
    def default_provider(self) -> str:
        """The provider for prompts that name none: without CloudBase, the first of the servers."""
        if self.provider or self.env_id or self.api_key or self.base_url:
            return self.provider or "cloudbase"
        return next(iter(self.servers), "local")

    @property
    def default_setting(self) -> str:
        """The setting that decides about the default provider; empty where servers decide, or nothing."""
        names = ("provider", "env_id", "api_key", "base_url")
        return next((name for name in names if getattr(self, name)), "")

    @property
    def default_origin(self) -> Origin:
        """Where the default provider comes from: that of the setting or of the server that decides."""
        if self.default_setting:
            return self.origins.get(self.default_setting, DEFAULT)
        first = self.servers.get(self.default_provider)
        return first.origin if first else DEFAULT

    @property
    def at_gateway(self) -> bool:
        """Whether CloudBase is asked at its own gateway, not at another base URL."""
        return _is_gateway(self.base_url, self.env_id)

    def address_of(self, provider: str) -> str | None:
        """Return the address of a provider, or the environment of CloudBase; None if none is set."""
        server = self.servers.get(provider)
        return server.base_url if server else self.base_url or self.env_id

    def has_key_for(self, provider: str) -> bool:
        """Return whether a provider gets a key, or headers, which are secrets too."""
        server = self.servers.get(provider)
        return bool(server.api_key or server.headers if server else self.api_key)

    def without_keys(self) -> Settings:
        """Return these settings as another process may get them: addresses, and nothing secret."""
        servers = {
            name: replace(each, api_key=None, headers={}) for name, each in self.servers.items()
        }
        return replace(self, api_key=None, servers=servers, other_keys={}, before_send=None)

    @property
    def sources(self) -> Mapping[str, Words]:
        """For each field where its value came from, in words for the user."""
        return {name: origin.words for name, origin in self.origins.items()}

    @cached_property
    def secrets(self) -> Mapping[str, str]:
        """All keys and header values that no text should hold, by their names for the user."""
        found: dict[str, str] = {}
        if self.api_key:
            found[say("key.api_key")] = self.api_key
        for name, server in self.servers.items():
            if server.api_key:
                found[say("key.api_key_of", name=name)] = server.api_key
            for header, value in server.headers.items():
                if not is_plain_words(value):
                    found[say("key.header_of", header=header, name=name)] = value
        return {**found, **{name: key for name, key in self.other_keys.items() if key}}


# A key in the environment is checked for every prompt.
_checked_key = lru_cache(maxsize=8)(checked_key)

_NOT_GIVEN: Any = object()
_explicit: dict[str, Any] = {}
# The servers that were stored when `configure` first named others: the first one stays the first.
_stored_before: tuple[str, ...] = ()
_lock = fork_safe_lock(sys.modules[__name__])


def configure(
    *,
    env_id: str | None = _NOT_GIVEN,
    api_key: str | None = _NOT_GIVEN,
    base_url: str | None = _NOT_GIVEN,
    provider: str | None = _NOT_GIVEN,
    model: str | None = _NOT_GIVEN,
    timeout: Timeout | float | Mapping[str, float] | None = _NOT_GIVEN,
    region: str | None = _NOT_GIVEN,
    servers: Mapping[str, Any] | None = _NOT_GIVEN,
    before_send: BeforeSend | None = _NOT_GIVEN,
    max_total_tokens: int | None = _NOT_GIVEN,
    max_cost: float | None = _NOT_GIVEN,
    prices: Mapping[str, Sequence[float]] | None = _NOT_GIVEN,
) -> None:
    """Set the provider, its address and its key for this process. Only the given values change.

    None clears a value.

    Args:
        env_id: The CloudBase environment, such as ``"my-env-1a2b3c"``.
        api_key: The API key. With ``base_url`` in the same call it belongs to that address, with
            ``env_id`` alone to CloudBase. A key that is given alone belongs to the ``base_url`` that
            an earlier call has set, if one is in force, else to CloudBase. It is sent nowhere else:
            an address that is given later without a key is asked without one. It is masked in every
            output.
        base_url: Another base URL, up to and including its ``/v1``.
        provider: The provider for prompts that name none, such as ``"cloudbase"``.
        model: The model for prompts that name none.
        timeout: Seconds: one number, a `Timeout`, or a dict with some of its fields.
        region: The environment's region; outside China the international address is used.
        servers: Servers by name, each a dict with ``base_url`` and, as needed, ``api_key``,
            ``headers`` and ``model``. Servers of other names stay; None in place of a dict removes
            one. Those that a login has stored before come first.
        before_send: A function that gets a copy of the messages of each request and returns those
            that are sent, or raises an error to refuse the request; may be asynchronous.
        max_total_tokens: The most tokens that all requests of this process may use, those before
            this call included.
        max_cost: The most money that they may cost, in the unit of ``prices``.
        prices: For each model the prices of a million tokens: ``{"hy3": (0.8, 2.0)}`` for those that
            are sent and those of the answer. A price is never guessed.

    Raises:
        ConfigurationError: A value is not valid.
    """
    global _stored_before
    given = {
        name: value
        for name, value in {
            "env_id": env_id,
            "api_key": api_key,
            "base_url": base_url,
            "provider": provider,
            "model": model,
            "timeout": timeout,
            "region": region,
            "servers": servers,
            "before_send": before_send,
            "max_total_tokens": max_total_tokens,
            "max_cost": max_cost,
            "prices": prices,
        }.items()
        if value is not _NOT_GIVEN
    }
    changes = {name: _checked(name, value) for name, value in given.items()}
    with _lock:
        _assign_key(changes)
        if "servers" in changes and "servers" not in _explicit:
            from cbai_notebook.client import credentials

            _stored_before = credentials.server_names()
        if changes.get("servers") is not None:
            merged = {**_explicit.get("servers", {}), **changes["servers"]}
            changes["servers"] = {name: each for name, each in merged.items() if each} or None
        _explicit.update(changes)
        for name, value in changes.items():
            if value is None:
                del _explicit[name]


def settings() -> Settings:
    """Return the current settings.

    An explicit value overrides an environment variable, which overrides the stored credentials.
    """
    with _lock:
        values = dict(_explicit)
    origins = dict.fromkeys(values, ARGUMENT)
    for name, variables in _ENVIRONMENT.items():
        for variable in variables:
            value = os.environ.get(variable, "").strip()
            if name not in values and value:
                values[name] = _checked(name, value)
                origins[name] = Origin("environment", variable)
    _add_stored(values, origins)
    _pair_key(values, origins)
    for each in fields(Settings):
        origins.setdefault(each.name, DEFAULT)
    del origins["origins"], origins["other_keys"]
    return Settings(**values, origins=origins)


def request_settings(
    given: Settings | None, timeout: Timeout | float | Mapping[str, float] | None
) -> Settings:
    """Return the settings of one request.

    Args:
        given: The settings; the current ones by default.
        timeout: Seconds to wait, for this request only.
    """
    current = given or settings()
    return current if timeout is None else replace(current, timeout=Timeout.of(timeout))


# Which key belongs to which address ---------------------------------------------------------------


def _assign_key(changes: dict[str, Any]) -> None:
    """Decide whether a key of `configure` is that of ``base_url`` or CloudBase's; the lock is held."""
    address = _explicit.get("base_url")
    if "base_url" in changes and changes["base_url"] != address:
        # A key stays with the address that it was given for.
        address, changes[_SERVER_KEY] = changes["base_url"], None
    if "api_key" not in changes:
        pass
    elif changes["api_key"] is None:
        changes[_SERVER_KEY] = None
    elif address is not None and ("base_url" in changes or not changes.get("env_id")):
        changes[_SERVER_KEY] = changes.pop("api_key")


def _pair_key(values: dict[str, Any], origins: dict[str, Origin]) -> None:
    """Keep as ``api_key`` the key that belongs to the address; the others are only known."""
    keys = {name: values.pop(name) for name in ("api_key", _SERVER_KEY) if name in values}
    base_url = values.get("base_url")
    # An argument belongs to an argument, a variable of the environment to one of the environment.
    is_argument = origins.get("base_url") == ARGUMENT
    if base_url and _SERVER_KEY in keys and (origins[_SERVER_KEY] == ARGUMENT) == is_argument:
        chosen = _SERVER_KEY
    else:
        chosen = "api_key" if _is_gateway(values.get("base_url"), values.get("env_id")) else ""
    values["other_keys"] = {
        say("key.api_key_of_cloudbase") if name == "api_key" else "CBAI_API_KEY": key
        for name, key in keys.items()
        if name != chosen
    }
    origin = origins.pop(chosen, DEFAULT)
    for name in ("api_key", _SERVER_KEY):
        origins.pop(name, None)
    if chosen in keys:
        values["api_key"], origins["api_key"] = keys[chosen], origin


def _is_gateway(base_url: str | None, env_id: str | None) -> bool:
    """Return whether an address is CloudBase's own gateway of the environment.

    Args:
        base_url: The address; None is the gateway.
        env_id: The environment; None is any.
    """
    if base_url is None:
        return True
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    found = _GATEWAY_HOST.fullmatch(host)
    if parts.scheme != "https" or port not in (None, 443) or not found:
        return False
    return env_id is None or found["env_id"] == env_id.lower()


def _add_stored(values: dict[str, Any], origins: dict[str, Origin]) -> None:
    from cbai_notebook.client import credentials

    to_cloudbase = _is_gateway(values.get("base_url"), values.get("env_id"))
    needed = "api_key" not in values or (to_cloudbase and "env_id" not in values)
    stored: dict[str, str] = {}
    record: dict[str, Any] = {}
    try:
        record = credentials.read()
        if needed:  # a keyring can be slower than the model
            stored = credentials.load(record)
    except ConfigurationError:
        if needed and to_cloudbase:
            raise
    if values.get("env_id") not in (None, stored.get("env_id")):
        stored = {}  # a key and a region belong to their environment
    # At another address the stored key is not sent, but a prompt that holds it must be refused.
    for name in ("env_id", "api_key", "region") if to_cloudbase else ("api_key",):
        value = stored.get(name)
        if name not in values and value:
            values[name] = _checked(name, value)
            origins[name] = Origin("store", stored["where"])
    if servers := credentials.load_servers(record):
        given = values.get("servers", {})
        before = _stored_before if given else ()
        order = dict.fromkeys([*(name for name in before if name in servers), *given, *servers])
        values["servers"] = {name: given.get(name) or servers[name] for name in order}


def _checked(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "before_send":
        if not callable(value):
            raise ConfigurationError(
                say("client.before_send_is_no_function", kind=type(value).__name__)
            )
        return value
    if name == "timeout":
        return Timeout.of(value)
    if name in ("max_total_tokens", "max_cost", "prices"):
        from cbai_notebook.client import limits

        return limits.checked(name, value)
    if name == "servers":
        return {name: from_argument(each) for name, each in checked_servers(value).items()}
    if name in ("api_key", _SERVER_KEY):
        return _checked_key(value) if isinstance(value, str) else checked_key(value)
    if not isinstance(value, str):
        raise ConfigurationError(
            say("client.must_be_a_string", name=name, kind=type(value).__name__)
        )
    return value.strip() or None
