"""The full-text index: words as SQLite's FTS5 knows them, and each Chinese character as one.

Chinese has no spaces between its words, so each of its characters is indexed by itself, and what is looked
for is found as a phrase of characters. Japanese and Korean are treated alike.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from cbai_notebook.text import HANGUL, IDEOGRAPHS, KANA

# What is on disk was indexed with exactly this set: a change needs a step of the schema that indexes anew.
_CHARACTER = re.compile(f"([{KANA}{IDEOGRAPHS}{HANGUL}])")
_TERM = re.compile(r'"([^"]*)"?|(\S+)')

SHORTEST_BEGINNING = 3
"""Letters of the shortest term that also finds the words which begin with it."""


def spaced(text: str) -> str:
    """Return a text in which every character that is a word of its own stands between spaces."""
    return _CHARACTER.sub(r" \1 ", unicodedata.normalize("NFC", text))


def expression(query: str) -> str:
    """Return the FTS5 expression for what a person typed; ``""`` when there is nothing to look for.

    Every term must be there. Quotes keep words together; a last word is also the beginning of one.
    """
    parts = []
    for quoted, bare in _TERM.findall(query):
        term = " ".join(re.findall(r"[^\W_]+", spaced(quoted or bare)))
        if term:
            begins = bare and len(term) >= SHORTEST_BEGINNING and not _CHARACTER.search(term[-1])
            parts.append(f'"{term}"' + ("*" if begins else ""))
    return " AND ".join(parts)


def add(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Index turns, given as number, prompt and answer."""
    rows = list(rows)
    connection.executemany(
        "INSERT INTO words (rowid, prompt, answer) VALUES (?, ?, ?)",
        [(number, spaced(prompt), spaced(answer)) for number, prompt, answer in rows],
    )
    connection.executemany(
        "UPDATE turns SET indexed = 1 WHERE id = ?", [(number,) for number, _, _ in rows]
    )


def remove(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Take turns out of the index; prompt and answer must be those that were added."""
    connection.executemany(
        "INSERT INTO words (words, rowid, prompt, answer) VALUES ('delete', ?, ?, ?)",
        [(number, spaced(prompt), spaced(answer)) for number, prompt, answer in rows],
    )


def purge_removed(connection: sqlite3.Connection) -> None:
    """Write the index anew without what was taken out of it, which FTS5 only marks as gone.

    FTS5 has an option that takes words out at once, but a file that was ever changed with it cannot be
    used by SQLite before 3.42 any more, and kernels with several of them share one file.
    https://www.sqlite.org/fts5.html#the_secure_delete_configuration_option
    """
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")


def record_matches(record: Mapping[str, Any], query: str) -> bool:
    """Return whether a message is one that is indexed, a prompt or an answer, and holds what was typed."""
    return record["role"] in ("user", "assistant") and matches(record["content"], query)


def matches(text: str, query: str) -> bool:
    """Return whether a text holds what a person typed, as the index would find it in one message."""
    folded = f" {_folded(text)} "
    for quoted, bare in _TERM.findall(query):
        term = _folded(quoted or bare)
        begins = bare and len(term) >= SHORTEST_BEGINNING and not _CHARACTER.search(term[-1:])
        if term and (f" {term}" if begins else f" {term} ") not in folded:
            return False
    return True


def _folded(text: str) -> str:
    bare = (char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return " ".join(
        re.findall(r"[^\W_]+", spaced(unicodedata.normalize("NFC", "".join(bare))).casefold())
    )
