"""Output of commands: plain lines and tables, without terminal control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.i18n import CELL, said_now, say
from cbai_notebook.text import aligned, columns, plain, shortened_inside

PREVIEW_CHARS = 72
"""The most characters of a message on its line of a table."""


_AMOUNTS = {
    *("cached", "cases", "failed", "requests", "rows", "seconds"),
    *("tokens", "tokens_in", "tokens_out", "turns"),
}
"""The headings of columns with amounts."""


def write(text: str) -> None:
    """Print a text for a cell, without terminal control characters."""
    sys.stdout.write(plain(said_now(text, CELL)) + "\n")


def write_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], widest: Sequence[int] = ()
) -> None:
    """Print a table; each column is as wide as its widest cell, and amounts end at the same place.

    Args:
        header: For each column the name of its heading among the texts; ``""`` for none.
        rows: The cells of each row.
        widest: For each column the most columns of a terminal that it takes; a longer cell loses
            its middle, and stands whole below the table. Empty for no limits.
    """
    headings = [say(f"command.heading_{name}") if name else "" for name in header]
    table = [headings, *([plain(cell) for cell in row] for row in rows)]
    long: list[str] = []
    if widest:
        # On a line of its own, so that a path can be copied; a file is often named in several rows.
        long = [
            cell
            for row in table
            for cell, most in zip(row, widest, strict=True)
            if columns(cell) > most
        ]
        table = [list(map(shortened_inside, row, widest)) for row in table]
    right = {place for place, name in enumerate(header) if name in _AMOUNTS}
    for line in aligned(table, right):
        write(line)
    if long:
        write(f"\n{say('command.shortened_cells')}")
        write("\n".join(dict.fromkeys(long)))
