"""Servers that a user names: an address, with the key and the headers that belong to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from cbai_notebook.client.secret import Secret, checked_key
from cbai_notebook.errors import ConfigurationError

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
    "accept", "accept-encoding", "authorization", "connection", "cookie", "expect", "host",
    "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip


@dataclass(frozen=True)
class Server:
    """A server with the chat completions protocol.

    Args:
        base_url: Its address, up to and including its ``/v1``.
        api_key: Its key; None or empty sends none.
        headers: Additional headers for it, by name. The values are secrets.
        model: The model for requests that name none.
        source: Where these values come from, in words for the user.
        problem: Why its stored key cannot be read; empty if it can.

    Raises:
        ConfigurationError: A value is not valid.
    """

    base_url: str
    api_key: Secret | None = field(default=None, repr=False)
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    model: str | None = None
    source: str = field(default="", compare=False)
    problem: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        key = None if self.api_key is None else checked_key(self.api_key)
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))
        object.__setattr__(self, "api_key", key)
        object.__setattr__(self, "headers", _checked_headers(self.headers))
        object.__setattr__(self, "model", _checked_model(self.model))


def checked_servers(value: Any) -> dict[str, Server | None]:
    """Return servers by name, as a user gives them: each a `Server`, a dict of its fields, or None.

    Raises:
        ConfigurationError: A name or a value is not valid.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            "servers must be a dict of names, as in "
            "servers={'mine': {'base_url': 'https://host/v1', 'api_key': '…'}}."
        )
    return {checked_name(name): _server(name, given) for name, given in value.items()}


def checked_name(name: Any) -> str:
    """Return the name of a server.

    Raises:
        ConfigurationError: It is not a valid name, or it is that of a provider.
    """
    if not isinstance(name, str) or not PROVIDER_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a server: letters, digits, '.', '_' and '-' only."
        )
    if name.lower() in RESERVED:
        raise ConfigurationError(
            f"The name {name!r} is taken by a provider. Give the server another name."
        )
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
        raise ConfigurationError(
            "The base URL holds a user name or a password. Leave them out; the key is sent apart."
        )
    if not usable or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise ConfigurationError(
            f"The base URL {url!r} cannot be used. It looks like 'https://host/v1' or "
            "'http://localhost:8000/v1', "
            "with nothing after the path."
        )
    return str(url).rstrip("/")


def _server(name: str, given: Any) -> Server | None:
    if given is None or isinstance(given, Server):
        return given
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"The server {name!r} must be a dict, as in {{'base_url': 'https://host/v1', "
            "'api_key': '…'}."
        )
    unknown = [each for each in given if each not in _FIELDS]
    if unknown:
        raise ConfigurationError(
            f"The server {name!r} has no field {unknown[0]!r}. Fields: {', '.join(_FIELDS)}."
        )
    if not given.get("base_url"):
        raise ConfigurationError(
            f"The server {name!r} needs an address: 'base_url': 'https://host/v1'."
        )
    values = {each: value for each, value in given.items() if value is not None}
    try:
        return Server(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"The server {name!r}: {error.message}") from None


def from_argument(server: Server | None) -> Server | None:
    """Return the server with the source of an argument."""
    return None if server is None else replace(server, source="argument")


def _checked_headers(headers: Any) -> dict[str, Secret]:
    if not isinstance(headers, Mapping):
        raise ConfigurationError("headers must be a dict of names and values.")
    found: dict[str, Secret] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            # Not quoted: a user may have put the value in the place of the name.
            raise ConfigurationError(
                "The name of a header holds a character that no header has: letters, digits and "
                "'-' only, as in 'X-Team'."
            )
        lower = name.lower()
        if lower in _NOT_OWN or lower.startswith("content-"):
            instead = " Give the key as api_key." if lower == "authorization" else ""
            raise ConfigurationError(f"The header {name!r} is set by this client.{instead}")
        if lower in map(str.lower, found):
            raise ConfigurationError(f"The header {name!r} is given twice.")
        found[name] = _checked_value(name, value)
    return found


def _checked_model(model: Any) -> str | None:
    if model is not None and not (isinstance(model, str) and model.strip()):
        raise ConfigurationError("The model of a server must be its name, as a string.")
    return model.strip() if model else None


def _checked_value(name: str, value: Any) -> Secret:
    text = Secret(value).reveal().strip(" ") if isinstance(value, str) else ""
    # The message must not contain the value.
    if not text or not all(" " <= character <= "~" for character in text):
        raise ConfigurationError(
            f"The value of the header {name!r} must be a string of plain ASCII characters, without "
            "line breaks."
        )
    return Secret(text)
