"""Full-text search with SQLite's FTS5. Each Chinese character is indexed as one word.

Chinese has no spaces between words, so a Chinese query is searched as a phrase of single
characters. Japanese and Korean are handled in the same way.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from cbai_notebook.text import HANGUL, IDEOGRAPHS, KANA, normalized

# Files on disk were indexed with exactly this set: a change needs a step that rebuilds the index.
_CHARACTERS = re.compile(f"[{KANA}{IDEOGRAPHS}{HANGUL}]+")
_TERM = re.compile(r'"([^"]*)"?|(\S+)')

SHORTEST_BEGINNING = 3
"""Letters of the shortest search term that also matches longer words which begin with it."""


def spaced(text: str) -> str:
    """Return the text with spaces around each Chinese, Japanese or Korean character."""
    return _CHARACTERS.sub(lambda run: f" {'  '.join(run[0])} ", normalized("NFC", text))


def expression(query: str) -> str:
    """Return the FTS5 expression for a typed query; ``""`` when it contains no word.

    All terms must match. Quotes make a phrase. Outside quotes, a term of at least
    `SHORTEST_BEGINNING` letters also matches longer words that begin with it.
    """
    parts = []
    for quoted, bare in _TERM.findall(query):
        term = " ".join(re.findall(r"[^\W_]+", spaced(quoted or bare)))
        if term:
            begins = bare and len(term) >= SHORTEST_BEGINNING and not _CHARACTERS.search(term[-1])
            parts.append(f'"{term}"' + ("*" if begins else ""))
    return " AND ".join(parts)


def add(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Add turns to the index, given as rows of id, prompt and answer."""
    rows = list(rows)
    connection.executemany(
        "INSERT INTO words (rowid, prompt, answer) VALUES (?, ?, ?)",
        [(id, spaced(prompt), spaced(answer)) for id, prompt, answer in rows],
    )
    connection.executemany(
        "UPDATE turns SET indexed = 1 WHERE id = ?", [(id,) for id, _, _ in rows]
    )


def remove(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Remove turns from the index; FTS5 needs the same prompt and answer that were added."""
    connection.executemany(
        "INSERT INTO words (words, rowid, prompt, answer) VALUES ('delete', ?, ?, ?)",
        [(id, spaced(prompt), spaced(answer)) for id, prompt, answer in rows],
    )


def purge_removed(connection: sqlite3.Connection) -> None:
    """Rewrite the index without removed words, which FTS5 otherwise only marks as deleted.

    FTS5 has an option that removes words at once, but a file that was ever changed with it cannot
    be read by SQLite before 3.42, and kernels with different SQLite versions share one file.
    https://www.sqlite.org/fts5.html#the_secure_delete_configuration_option
    """
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")


def record_matches(record: Mapping[str, Any], query: str) -> bool:
    """Return whether a message is a prompt or an answer (only these are indexed) that matches."""
    return record["role"] in ("user", "assistant") and matches(record["content"], query)


def matches(text: str, query: str) -> bool:
    """Return whether a text matches a typed query, by the same rules as the index."""
    folded = f" {_folded(text)} "
    for quoted, bare in _TERM.findall(query):
        term = _folded(quoted or bare)
        begins = bare and len(term) >= SHORTEST_BEGINNING and not _CHARACTERS.search(term[-1:])
        if term and (f" {term}" if begins else f" {term} ") not in folded:
            return False
    return True


def _folded(text: str) -> str:
    bare = (char for char in normalized("NFD", text) if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", spaced(normalized("NFC", "".join(bare))).casefold()))
