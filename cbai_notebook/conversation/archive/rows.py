"""A turn as a row of the table, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from cbai_notebook.conversation.frames import utf8
from cbai_notebook.conversation.turn import STREAMING, Turn

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

Mask = Callable[[str], str]

# Columns that hold a field of the turn as it is.
PLAIN = (
    "provider",
    "model",
    "status",
    "finish_reason",
    "duration_s",
    "first_token_s",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cell_id",
    "cell_turn",
    "left_out",
    "origin",
    "request",
    "record_id",
)
# Columns that hold what a person, a tool or a server wrote: no secret may get into them.
WRITTEN = ("prompt", "system", "error", "error_details")
JSON = ("params", "images", "steps")
COLUMNS = (*PLAIN, *WRITTEN, *JSON, "created_at", "stale", "text", "reasoning")


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, UTC; one without a zone is taken as local."""
    return (moment.astimezone(timezone.utc) - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the moment in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def values_of(turn: Turn, mask: Mask) -> list[Any]:
    """Return a turn's values in the order of :data:`COLUMNS`, secrets masked."""
    values = [getattr(turn, name) for name in PLAIN]
    for name in WRITTEN:
        value = getattr(turn, name)
        values.append(mask(utf8(value)) if value else value)
    values += [_dump(getattr(turn, name), mask) for name in JSON]
    values += [microseconds(turn.created_at), int(turn.stale)]
    # What an open answer holds so far is written by the checkpoints.
    open_ = turn.status == STREAMING
    came = ("", "") if open_ else (mask(utf8(turn.text)), mask(utf8(turn.reasoning)))
    return [*values, *came]


def turn_of(row: sqlite3.Row) -> Turn:
    """Return the turn of a row with :data:`COLUMNS`, ``id`` and ``tail``."""
    turn = Turn(
        prompt=row["prompt"],
        created_at=moment(row["created_at"]),
        system=row["system"],
        stale=bool(row["stale"]),
        id=row["id"],
        error=row["error"],
        error_details=row["error_details"] or "",
        params=json.loads(row["params"]) if row["params"] else {},
        images=tuple(json.loads(row["images"])) if row["images"] else (),
        steps=tuple(json.loads(row["steps"])) if row["steps"] else (),
        **{name: row[name] for name in PLAIN},
    )
    turn.add(row["text"] + row["tail"], row["reasoning"])
    return turn


def _dump(value: Any, mask: Mask) -> str | None:
    # A secret has no character that JSON would write in another way, but for quotes and backslashes,
    # and those forms are known to the mask as well.
    return mask(utf8(json.dumps(value, ensure_ascii=False, default=str))) if value else None
