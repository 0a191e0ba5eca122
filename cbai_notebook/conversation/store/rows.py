"""Conversion of a turn to a row of the table, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from types import NoneType
from typing import Any

from cbai_notebook.conversation.secrets import Masker
from cbai_notebook.conversation.store.database import MalformedError
from cbai_notebook.conversation.times import in_zone
from cbai_notebook.conversation.turn import STREAMING, Turn
from cbai_notebook.i18n import Words, say
from cbai_notebook.text import without_surrogates

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = (end.replace(tzinfo=timezone.utc) for end in (datetime.min, datetime.max))

LARGEST = 2**63 - 1
"""The largest number that SQLite can hold."""

TAILS = ("tail", "reasoning_tail")
"""Columns with the last word of an answer that streams: it may be the beginning of a secret."""

# Columns that hold an attribute of the turn unchanged.
PLAIN = (
    "status",
    "duration_s",
    "first_token_s",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cell_turn",
    "left_out",
    "origin",
    "request",
    "record_id",
    "cached_tokens",
)
# Columns with text of a person, a tool or a server: secrets in it are masked.
WRITTEN = (
    "prompt",
    "system",
    "error",
    "error_details",
    "provider",
    "model",
    "asked_model",
    "finish_reason",
    "cell_id",
    "continued_by",
)
JSON = ("params", "images", "steps", "sources", "reply")
FLAGS = ("stale", "drawn")
_TEXTS = (*WRITTEN, "status", "request", "record_id")
_NUMBERS = tuple(name for name in PLAIN if name not in _TEXTS)
# A column cannot be renamed in released files; the attribute of the turn can.
ATTRIBUTES = {"left_out": "dropped_turns"}
COLUMNS = (*PLAIN, *WRITTEN, *JSON, *FLAGS, "created_at", "said", "text", "reasoning")


def microseconds(moment: datetime) -> int:
    """Return a time as microseconds since 1970 in UTC; a time without a zone is local time."""
    in_utc = moment if moment.tzinfo is timezone.utc else in_zone(moment, timezone.utc)
    return (in_utc - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time in UTC of a number of microseconds since 1970, or the nearest one there is."""
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return _FIRST if microseconds < 0 else _LAST


def day_of(column: str) -> str:
    """Return the SQL of the day, on this machine, of a column with microseconds since 1970.

    SQLite has no day before the year 0 and after the year 9999: it is empty there.
    """
    seconds = f"{column} / 1000000, 'unixepoch'"
    return f"coalesce(date({seconds}, 'localtime'), date({seconds}), '')"


def sum_of(column: str) -> str:
    """Return the SQL of the sum of a column of counts, at most :data:`LARGEST`; 0 of no rows.

    SQLite's own ``sum`` fails above that, and a server may tell any number of tokens.
    """
    return f"CAST(min(total({column}), {LARGEST}) AS INTEGER)"


def values_of(turn: Turn, mask: Masker) -> list[Any]:
    """Return the values of a turn in the order of :data:`COLUMNS`, with secrets masked."""
    values = [storable(getattr(turn, ATTRIBUTES.get(name, name))) for name in PLAIN]
    # The text of an answer that still streams is written by the checkpoints.
    answer = ("", "") if turn.status == STREAMING else (turn.text, turn.reasoning)
    texts = [*(getattr(turn, name) for name in WRITTEN), *answer]
    masked = iter(mask.masked([without_surrogates(text) for text in texts if text]))
    texts = [next(masked) if text else text for text in texts]
    values += texts[: len(WRITTEN)]
    values += [_dump(getattr(turn, name), mask) for name in JSON]
    values += [int(getattr(turn, name)) for name in FLAGS]
    values += [microseconds(turn.created_at), said(mask, error=turn.error, text=turn.line)]
    return [*values, *texts[len(WRITTEN) :]]


def said(mask: Masker | None = None, **texts: str | None) -> str | None:
    """Return the column that holds the keys and values of texts of ours; None if there are none.

    Args:
        mask: The masker for secrets in the values.
        texts: Texts by the columns that hold them.
    """
    stored = {name: text.as_json() for name, text in texts.items() if isinstance(text, Words)}
    return json.dumps(_masked(stored, mask or str), ensure_ascii=False) if stored else None


def turn_of(row: sqlite3.Row) -> Turn:
    """Return the turn of a row with :data:`COLUMNS` and :data:`TAILS`.

    Raises:
        MalformedError: The row is malformed: this package never writes such values.
    """
    fields = {ATTRIBUTES.get(name, name): row[name] for name in (*PLAIN, *WRITTEN)}
    fields |= {name: bool(row[name]) for name in FLAGS}
    try:
        turn = Turn(
            created_at=moment(row["created_at"]),
            id=row["id"],
            params=_loaded(row["params"], dict) or {},
            images=tuple(_loaded(row["images"], list, str) or ()),
            steps=tuple(_loaded(row["steps"], list, dict) or ()),
            sources=_loaded(row["sources"], dict) or {},
            reply=_loaded(row["reply"], dict) or {},
            **{**fields, "error_details": row["error_details"] or ""},
        )
        text = row["text"] + row["tail"]
        if row["said"]:
            stored = _loaded(row["said"], dict)
            turn.error = turn.error and (Words.from_json(stored.get("error")) or turn.error)
            text = text and (Words.from_json(stored.get("text")) or text)
        turn.add(text, row["reasoning"] + row["reasoning_tail"])
        if not all(isinstance(row[name], (str, NoneType)) for name in _TEXTS):
            raise TypeError
        if not all(isinstance(row[name], (int, float, NoneType)) for name in _NUMBERS):
            raise TypeError
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedError(say("history.malformed_turn", id=row["id"])) from error
    return turn


def text(value: Any) -> str:
    """Return a value of a column of text.

    Raises:
        MalformedError: It is no text: SQLite lets any column hold any type.
    """
    if not isinstance(value, str):
        raise MalformedError(say("history.malformed_text"))
    return value


def number(value: Any) -> int:
    """Return a value of a column of whole numbers.

    Raises:
        MalformedError: It is no whole number: SQLite lets any column hold any type.
    """
    if not isinstance(value, int):
        raise MalformedError(say("history.malformed_number"))
    return value


def _loaded(
    stored: str | None, kind: type[list[Any] | dict[str, Any]], items: type = object
) -> Any:
    """Return a stored JSON value; None if there is none."""
    if not stored:
        return None
    value = json.loads(stored)
    if not isinstance(value, kind) or not all(isinstance(item, items) for item in value):
        raise TypeError
    return value


def storable(value: Any) -> Any:
    """Return the value, or None for an integer too large for SQLite; servers report any number."""
    return None if isinstance(value, int) and abs(value) > LARGEST else value


def _dump(value: Any, mask: Masker) -> str | None:
    return json.dumps(_masked(value, mask), ensure_ascii=False) if value else None


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a JSON value with secrets masked in each string, so that it stays valid JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {
            mask(without_surrogates(str(name))): _masked(item, mask) for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_masked(item, mask) for item in value]
    text = without_surrogates(str(value))
    masked = mask(text)
    return value if isinstance(value, (int, float)) and masked == text else masked
