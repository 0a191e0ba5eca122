"""Turn the value that a tool returned into the text that the model reads."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

_BYTES = (bytes, bytearray, memoryview)

ROWS = 1_000
"""The most rows of a table in a result."""

CHARACTERS = 100_000
"""The most characters of a result; a longer one would fill the model's context."""


@dataclass(frozen=True)
class ToolOutput:
    """What a tool returned: a text, and images for models that see and for the user.

    Args:
        text: The text.
        images: The images as ``data:`` URLs.
    """

    text: str
    images: tuple[str, ...] = ()


def result_text(value: Any, mask: Callable[[str], str] = str) -> str:
    """Return a tool's value as text.

    A string stays as it is, and so do bytes that are UTF-8. Every other value becomes JSON: a table
    (pandas, polars) becomes records of its first rows, an array a list, a pydantic model an object
    of its fields, other bytes Base64. A value without a JSON form becomes ``str(value)``.

    Args:
        value: What the tool returned.
        mask: Removes secrets from the whole text, before it is cut: a cut would leave half of one.
    """
    if isinstance(value, _BYTES):
        value = _readable(value)
    text, note = (value, "") if isinstance(value, str) else _json(value)
    text = mask(text)
    # UTF-8 cannot encode a lone surrogate; it becomes "?".
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
        text = msgspec.json.encode(value, enc_hook=plain_value).decode("utf-8")
        with contextlib.suppress(TypeError, ValueError, RecursionError, OverflowError):
            plain = msgspec.to_builtins(
                value, builtin_types=_BYTES, str_keys=True, enc_hook=plain_value
            )
            if (readable := _readable(plain)) != plain:
                text = msgspec.json.encode(readable).decode("utf-8")
        return text, note
    except (TypeError, ValueError, RecursionError, OverflowError):
        return str(value), note


def _readable(value: Any) -> Any:
    """Return a plain value with a text in place of bytes that are one: in Base64 no secret is seen."""
    if isinstance(value, _BYTES):
        with contextlib.suppress(UnicodeDecodeError):
            return bytes(value).decode()
    elif type(value) is dict:
        return {name: _readable(inner) for name, inner in value.items()}
    elif type(value) in (list, tuple):
        return [_readable(inner) for inner in value]
    return value


def plain_value(value: Any) -> Any:
    """Convert a value of a library that may not be installed to plain Python values."""
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
