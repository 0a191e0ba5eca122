"""The proxy for an address, from the environment or the settings of the system.

`urllib.request` reads the variables and the system's settings. It does not know networks
(``10.0.0.0/8``) and wildcards in ``no_proxy``, so that rule is here.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import unquote, urlsplit

from cbai_notebook.errors import ConfigurationError
from cbai_notebook.i18n import say

VARIABLES = tuple(
    spelling
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for spelling in (name, name.upper())
)
"""The environment variables that decide."""

# GNOME writes socks:// for a SOCKS proxy of either version; nearly all speak version 5.
_SCHEMES = {"http": "http", "https": "https", "socks": "socks5", "socks5": "socks5",
            "socks5h": "socks5h"}  # fmt: skip
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LOOPBACK = frozenset({"localhost", "localhost.localdomain"})


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    Args:
        url: Its URL, which may contain a user name and a password.
        address: Its host and port, for messages.
    """

    url: str = field(repr=False)
    address: str

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS, else HTTP."""
        return self.url.startswith("socks")

    @property
    def has_password(self) -> bool:
        """Whether its URL has a user name or a password."""
        return "@" in urlsplit(self.url).netloc

    def mask(self, text: str) -> str:
        """Return the text without the user name and the password of the proxy."""
        parts = urlsplit(self.url)
        secrets = {
            secret
            for given in (parts.netloc.rpartition("@")[0], parts.password or "")
            for secret in (given, unquote(given))
            if len(secret) > 2
        }
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "…")
        return text


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for requests to this URL, or None. This machine is reached without a proxy.

    Raises:
        ConfigurationError: The proxy's URL cannot be used.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if _is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found:
        return None
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if urllib.request.getproxies_environment():
        bypassed = is_excluded(host, port, proxies.get("no", ""))
    else:
        bypassed = bool(urllib.request.proxy_bypass(parts.netloc))
    return None if bypassed else _proxy(found.strip())


def is_excluded(host: str, port: int, no_proxy: str) -> bool:
    """Return whether ``no_proxy`` excludes a host from the use of a proxy.

    Args:
        host: A name or an IP address, without brackets.
        port: The port of the request.
        no_proxy: Entries with commas or blanks between them: ``*``, a domain (``corp`` and
            ``.corp`` and ``*.corp`` are the domain with all names below it), a name with other
            wildcards, an address, a network such as ``10.0.0.0/8``; each may end with a port.
    """
    host = host.lower().rstrip(".")
    address = _ip_address(host)
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        name, wanted = _split_port(entry)
        if not name or (wanted and wanted != port):
            continue
        if name == "*":
            return True
        if address is not None:
            network = _network(name)
            if network is not None and address in network:
                return True
        domain = name.removeprefix("*").strip(".")
        if host == domain or host.endswith(f".{domain}") or fnmatchcase(host, name):
            return True
    return False


def _proxy(url: str) -> Proxy:
    if "://" not in url:
        url = f"http://{url}"
    scheme, _, rest = url.partition("://")
    known = _SCHEMES.get(scheme.lower())
    try:
        parts = urlsplit(f"{known}://{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if known is None or not host:
        shown = rest.rpartition("@")[2].partition("/")[0]
        raise ConfigurationError(say("client.proxy_is_wrong", proxy=f"{scheme}://{shown}"))
    shown = f"[{host}]" if ":" in host else host
    netloc = parts.netloc if port else f"{parts.netloc.rstrip(':')}:{_PORTS[known]}"
    return Proxy(f"{known}://{netloc}", f"{shown}:{port or _PORTS[known]}")


def _is_loopback(host: str) -> bool:
    address = _ip_address(host)
    return host in _LOOPBACK or (address is not None and address.is_loopback)


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _network(name: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(name, strict=False)
    except ValueError:
        return None


def _split_port(entry: str) -> tuple[str, int]:
    """Return the name and the port of an entry; the port is 0 if it has none."""
    entry = entry.rpartition("://")[2].rstrip("/") if "://" in entry else entry
    found = re.fullmatch(r"\[(.*)\](?::(\d+))?|([^:]*)(?::(\d+))?", entry)
    if found is None:  # an IPv6 address without brackets
        return entry, 0
    return found[1] or found[3] or "", int(found[2] or found[4] or 0)
