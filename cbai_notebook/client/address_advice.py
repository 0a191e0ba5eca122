"""What may be wrong with an address when a server says that nothing is there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cbai_notebook.i18n import say

_ENDPOINT = re.compile(
    r"/(?:(?:chat/)?completions|chat|responses|messages|embeddings|models|images/generations"
    r"|generate(?:Content)?|api/(?:chat|generate|tags))$"
)
_OUR_PATH = re.compile(
    r"(?:/ai/[^/]+)?(?:/(?:openapi/v1|api/paas/v4|compatible-mode/v1|api/v3))?"
    r"/(?:chat/completions|images/(?:ar/)?generations)$"
)
_GATEWAY = ".tcloudbasegateway.com"
_VERSION = re.compile(r"/v\d+\w*(?:/|$)")


def shown(url: str) -> str:
    """Return an address for a message: without a user name, a password and a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def provider_advice(url: str) -> str:
    """Return what is wrong when an address was asked as CloudBase's gateway; empty for the gateway.

    Args:
        url: The URL of a request to a provider of CloudBase.
    """
    if (urlsplit(url).hostname or "").endswith(_GATEWAY):
        return ""
    return say("advice.base_url_is_no_gateway")


def base_url_advice(url: str) -> str:
    """Return what is wrong with the base URL behind this address; empty if it looks right.

    Args:
        url: The URL of a request that the server did not know.
    """
    address = shown(url)
    base = _OUR_PATH.sub("", address)
    path = urlsplit(base).path
    doubled = _ENDPOINT.search(path)
    if doubled:
        better = base
        while _ENDPOINT.search(urlsplit(better).path):
            better = _ENDPOINT.sub("", better)
        if not _VERSION.search(urlsplit(better).path):
            better = f"{better.removesuffix(urlsplit(better).path)}/v1"
        return say("advice.base_url_ends_with_an_endpoint", endpoint=doubled.group(), better=better)
    if not _VERSION.search(path) and "/ai/" not in urlsplit(address).path:
        origin = base.removesuffix(path)
        return say("advice.base_url_has_no_version", better=f"{origin}/v1")
    return ""
