"""Answers for tests, by small numbers."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from cbai_notebook.batching.outcome import StoredAnswer


def key(number: int) -> bytes:
    """Return the key of a request."""
    return hashlib.blake2b(str(number).encode(), digest_size=16).digest()


def answer(number: int, text: str | None = None, **values: Any) -> StoredAnswer:
    """Return the answer to a request."""
    fields: dict[str, Any] = {
        "model": "hy3",
        "finish_reason": "stop",
        "prompt_tokens": 20,
        "completion_tokens": 30,
        "total_tokens": 50,
        "duration_s": 0.8,
        "attempts": 1,
        "answered_at": 1_795_000_000_000_000 + number,
    }
    text = f"answer {number}" if text is None else text
    return StoredAnswer(key(number), text, **{**fields, **values})


def count(file: Path) -> int:
    """Return how many answers a file holds, as any other program reads them."""
    connection = sqlite3.connect(file)
    try:
        (found,) = connection.execute("SELECT count(*) FROM answers").fetchone()
        return int(found)
    finally:
        connection.close()
