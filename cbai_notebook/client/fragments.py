"""To which call a fragment of a tool call belongs.

A stream sends the calls of a step in fragments that are joined by their ``index``. Not every provider
gives one: some tell calls apart by their id, some send whole calls with neither, and some give every
call the index 0 and an id of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec


class CallFragment(NamedTuple):
    """What a call, or a fragment of one, is known by; ``at`` is its index."""

    at: int | None
    id: str | None
    name: str | None
    arguments: str | None


def find_call(calls: Sequence[CallFragment], part: CallFragment) -> int | None:
    """Return the position in ``calls`` of the call that a fragment goes on, or None for a new call.

    Args:
        calls: The calls so far, in the order in which they began.
        part: The fragment.
    """
    if not calls:
        return None
    newest_first = range(len(calls) - 1, -1, -1)
    if part.at is not None:
        same = next((n for n in newest_first if calls[n].at == part.at), None)
        return None if same is None or _another(calls[same], part) else same
    if part.id:
        return next((n for n in newest_first if calls[n].id == part.id), None)
    last = calls[-1]
    # A name alone may begin a call or be repeated with each fragment of the same one.
    begins = bool(part.name and last.name) and (part.name != last.name or _whole(last.arguments))
    return None if begins else len(calls) - 1


def _another(call: CallFragment, part: CallFragment) -> bool:
    return bool(part.name and part.id and call.id) and part.id != call.id


def _whole(arguments: str | None) -> bool:
    try:
        msgspec.json.decode(arguments or "")
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True
