"""Servers that a user names: an address, with the key and the headers that belong to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from cbai_notebook.client.secret import Secret, checked_key
from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import Words, say

RESERVED = frozenset({"agent", "cloudbase", "custom", "demo", "hunyuan-image", "local"})
"""Names of providers that no server may have."""

PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""The shape of a provider's name; it becomes a part of a path."""

_FIELDS = ("base_url", "api_key", "headers", "model")

# The characters of a header's name (RFC 9110, section 5.6.2).
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Headers that this client or the HTTP library sets. A second value would change how the request is
# read, or replace the key.
_NOT_OWN = frozenset({
    "accept", "accept-encoding", "connection", "cookie", "expect", "host",
    "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip


class Origin(NamedTuple):
    """Where a value of the settings comes from.

    Attributes:
        kind: The kind of place.
        where: The name of the variable, or where it is stored.
    """

    kind: Literal["argument", "environment", "store", "default"]
    where: str = ""

    @property
    def words(self) -> Words:
        """The place, in words for the user."""
        if self.kind == "environment":
            return say("key.from_environment", variable=self.where)
        if self.kind == "store":
            return say("key.from_store", where=self.where)
        return say("key.from_argument") if self.kind == "argument" else say("key.from_default")


ARGUMENT, DEFAULT = Origin("argument"), Origin("default")


@dataclass(frozen=True)
class Server:
    """A server with the chat completions protocol.

    Args:
        base_url: Its address, up to and including its ``/v1``.
        api_key: Its key; None or empty sends none.
        headers: Additional headers for it, by name. The values are secrets.
        model: The model for requests that name none.
        origin: Where these values come from.
        problem: Why its stored key cannot be read; empty if it can.

    Raises:
        ConfigurationError: A value is not valid.
    """

    base_url: str
    api_key: Secret | None = field(default=None, repr=False)
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    model: str | None = None
    origin: Origin = field(default=DEFAULT, compare=False)
    problem: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        key = None if self.api_key is None else checked_key(self.api_key)
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))
        object.__setattr__(self, "api_key", key)
        object.__setattr__(self, "headers", _checked_headers(self.headers))
        object.__setattr__(self, "model", _checked_model(self.model))

    @property
    def source(self) -> str:
        """Where these values come from, in words for the user; empty if that is not known."""
        return "" if self.origin == DEFAULT else self.origin.words


def checked_servers(value: Any) -> dict[str, Server | None]:
    """Return servers by name, as a user gives them: each a `Server`, a dict of its fields, or None.

    Raises:
        ConfigurationError: A name or a value is not valid.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(say("client.servers_are_no_dict"))
    return {checked_name(name): _server(name, given) for name, given in value.items()}


def checked_name(name: Any) -> str:
    """Return the name of a server.

    Raises:
        ConfigurationError: It is not a valid name, or it is that of a provider.
    """
    if not isinstance(name, str) or not PROVIDER_NAME.fullmatch(name):
        raise ConfigurationError(say("client.no_name_of_a_server", name=repr(name)))
    if name.lower() in RESERVED:
        raise ConfigurationError(say("client.server_has_the_name_of_a_provider", name=name))
    return name


def checked_base_url(url: Any) -> str:
    """Return the URL without a slash at its end.

    Raises:
        ConfigurationError: The URL is not a valid http or https base URL.
    """
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if usable and (parts.username or parts.password):
        raise ConfigurationError(say("client.base_url_holds_a_password"))
    if not usable or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise ConfigurationError(say("client.base_url_is_wrong", url=repr(url)))
    return str(url).rstrip("/")


def _server(name: str, given: Any) -> Server | None:
    if given is None or isinstance(given, Server):
        return given
    if not isinstance(given, Mapping):
        raise ConfigurationError(say("client.server_is_no_dict", name=name))
    unknown = [each for each in given if each not in _FIELDS]
    if unknown:
        raise ConfigurationError(
            say(
                "client.server_has_no_such_field",
                name=name,
                field=repr(unknown[0]),
                known=", ".join(_FIELDS),
            )
        )
    if not given.get("base_url"):
        raise ConfigurationError(say("client.server_needs_an_address", name=name))
    values = {each: value for each, value in given.items() if value is not None}
    try:
        return Server(**values)
    except ConfigurationError as error:
        raise ConfigurationError(
            say("client.server_is_wrong", name=name, problem=error.words or error.message)
        ) from None


def from_argument(server: Server | None) -> Server | None:
    """Return the server with the origin of an argument."""
    return None if server is None else replace(server, origin=ARGUMENT)


def _checked_headers(headers: Any) -> dict[str, Secret]:
    if not isinstance(headers, Mapping):
        raise ConfigurationError(say("client.headers_are_no_dict"))
    found: dict[str, Secret] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            # Not quoted: a user may have put the value in the place of the name.
            raise ConfigurationError(say("client.header_name_is_wrong"))
        lower = name.lower()
        if lower == "authorization":
            raise ConfigurationError(say("client.header_is_the_key", name=name))
        if lower in _NOT_OWN or lower.startswith("content-"):
            raise ConfigurationError(say("client.header_is_ours", name=name))
        if lower in map(str.lower, found):
            raise ConfigurationError(say("client.header_is_given_twice", name=name))
        found[name] = _checked_value(name, value)
    return found


def _checked_model(model: Any) -> str | None:
    if model is not None and not (isinstance(model, str) and model.strip()):
        raise ConfigurationError(say("client.model_of_a_server_is_no_name"))
    return model.strip() if model else None


def _checked_value(name: str, value: Any) -> Secret:
    text = Secret(value).reveal().strip(" ") if isinstance(value, str) else ""
    # The message must not contain the value.
    if not text or not all(" " <= character <= "~" for character in text):
        raise ConfigurationError(say("client.header_value_is_wrong", name=name))
    return Secret(text)
