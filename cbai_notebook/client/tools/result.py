"""What a tool returned, as the text that the model reads."""

from __future__ import annotations

from typing import Any

import msgspec

ROWS = 1_000
"""Rows of a table that a model is given."""

CHARACTERS = 100_000
"""Characters of a result that a model is given; more than that would crowd out the conversation."""


def text_of(value: Any) -> str:
    """Return a tool's value as text.

    A string stays as it is. Everything else becomes JSON, once: a table (pandas, polars) its first
    rows as records, an array a list, a pydantic model its fields. What has no JSON form is written
    as ``str`` writes it.
    """
    text, note = (value, "") if isinstance(value, str) else _json(value)
    # Half a surrogate pair cannot be sent.
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) > CHARACTERS:
        note = f"\n(cut: the first {CHARACTERS:,} of {len(text):,} characters)" + note
        text = text[:CHARACTERS]
    return text + note


def _json(value: Any) -> tuple[str, str]:
    note = ""
    if hasattr(value, "columns") and hasattr(value, "head"):
        rows = len(value) if hasattr(value, "__len__") else 0
        if rows > ROWS:
            value, note = value.head(ROWS), f"\n(the first {ROWS:,} of {rows:,} rows)"
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode("utf-8"), note
    except (TypeError, ValueError, RecursionError, OverflowError):
        return str(value), note


def _plain(value: Any) -> Any:
    """Return what stands for a value of a library that need not be installed."""
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    if hasattr(value, "to_dicts"):  # polars
        return value.to_dicts()
    if hasattr(value, "columns") and hasattr(value, "to_dict"):  # pandas
        return value.to_dict(orient="records")
    if hasattr(value, "isoformat"):  # a pandas Timestamp
        return value.isoformat()
    if hasattr(value, "tolist"):  # NumPy; a pandas Series
        return value.tolist()
    return str(value)
