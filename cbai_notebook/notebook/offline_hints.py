"""What the user is told once about the offline model, in cells and in panels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.providers import LOCAL
from cbai_notebook.i18n import say
from cbai_notebook.text import CJK

if TYPE_CHECKING:
    from cbai_notebook.conversation import PreparedPrompt

_CJK = re.compile(f"[{CJK}]")
_LOGIN = "%cbai login"

_told: set[str] = set()


def for_cell(prepared: PreparedPrompt[Any], *, by_default: bool) -> tuple[str, ...]:
    """Return what a cell says under an answer of the offline model, in one sentence at most.

    Args:
        prepared: The prompt.
        by_default: Whether the prompt names no model.
    """
    is_default = by_default and not prepared.settings.configured
    english = knows_english_only(prepared)
    # The first hint says of the language what the second one says.
    return (_once("offline_answered", command=_LOGIN) if is_default else ()) or english


def knows_english_only(prepared: PreparedPrompt[Any]) -> tuple[str, ...]:
    """Return the hint about a prompt in another script, which the demo model cannot read; once."""
    is_demo = prepared.provider == LOCAL and prepared.prompt.model in (None, "", LOCAL)
    if is_demo and _CJK.search(prepared.prompt.text):
        if prepared.settings.configured:
            return _once("offline_knows_english")
        return _once("offline_knows_english_connect", command=_LOGIN)
    return ()


def _once(name: str, **values: str) -> tuple[str, ...]:
    if name in _told:
        return ()
    _told.add(name)
    return (say(f"cell.{name}", **values),)
