"""Remember the lists of models that servers have sent in this process, for the advice of errors."""

from __future__ import annotations

from collections.abc import Iterable

_listed: dict[str, tuple[str, ...]] = {}


def note_models(base_url: str, names: Iterable[str]) -> None:
    """Remember which models the server at a base URL has listed."""
    _listed[base_url] = tuple(names)


def listed_models(url: str) -> tuple[str, ...]:
    """Return the models that a server has listed before, without asking it; empty if none are known.

    Args:
        url: The URL of its chat completions.
    """
    return _listed.get(url.removesuffix("/chat/completions"), ())
