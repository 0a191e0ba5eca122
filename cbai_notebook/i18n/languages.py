"""Which language the user reads."""

from __future__ import annotations

import os
from collections.abc import Mapping

LANGUAGES = ("en", "zh")
"""The languages of the tables: English and simplified Chinese."""

VARIABLE = "CBAI_LANGUAGE"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX: the first that is set decides

_chosen: str | None = None
_page: str | None = None


def language(environ: Mapping[str, str] | None = None) -> str:
    """Return the language of the user: one of `LANGUAGES`.

    In this order: :func:`choose`, the variable ``CBAI_LANGUAGE``, the language of the page that a
    panel has told last, the locale (``LC_ALL``, ``LC_MESSAGES``, ``LANG``), English.

    Args:
        environ: Environment variables; those of the process by default.
    """
    environ = os.environ if environ is None else environ
    locale = next(filter(None, map(environ.get, _LOCALE)), None)
    for name in (_chosen, environ.get(VARIABLE), _page, locale):
        if name and (found := _known(name)):
            return found
    return "en"


def configured_language(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the language that the user has set, or ``None``: then a page has its own."""
    environ = os.environ if environ is None else environ
    return _chosen or _known(environ.get(VARIABLE) or "")


def checked(name: str) -> str | None:
    """Return the language of the tables for a name such as ``"zh"``, ``"zh-CN"`` or ``"en_US.UTF-8"``.

    ``None`` if there is none.
    """
    return _known(name)


def choose(name: str | None) -> None:
    """Set the language for the rest of this process; ``None`` leaves it to the surroundings.

    Args:
        name: One of `LANGUAGES`.
    """
    global _chosen
    _chosen = name


def note_page_language(name: str) -> None:
    """Remember the language of the page that shows a panel, as browsers name it: ``"zh-CN"``."""
    global _page
    _page = _known(name)


def _known(name: str) -> str | None:
    short = name.strip().lower()[:2]
    rest = name.strip()[2:3]
    return short if short in LANGUAGES and rest in ("", "-", "_", ".") else None
