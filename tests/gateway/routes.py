"""Find the provider of a path."""

from __future__ import annotations

import re

#: Providers whose API has a different path.
_OWN_PATHS = {
    "hunyuan-beta": "openapi/v1/chat/completions",
    "zhipu": "api/paas/v4/chat/completions",
    "dashscope": "compatible-mode/v1/chat/completions",
    "ark": "api/v3/chat/completions",
}
_PROVIDER = re.compile(r"(?:/v1)?/ai/([^/]+)/(.+)")
_COMPATIBLE = re.compile(r"(?:/v1)?/chat/completions")


def provider_of(path: str) -> str | None:
    """Return the provider that a chat path names.

    Returns:
        ``""`` for the OpenAI-compatible path, None for a path that is no chat path.
    """
    if _COMPATIBLE.fullmatch(path):
        return ""
    match = _PROVIDER.fullmatch(path)
    if match is None:
        return None
    provider, rest = match.groups()
    known = ("chat/completions", "v1/chat/completions", _OWN_PATHS.get(provider))
    return provider if rest in known else None
