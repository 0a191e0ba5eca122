"""Output of commands: plain lines and tables, without terminal control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.i18n import CELL, said_now, say
from cbai_notebook.text import aligned, plain, shortened_inside

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
            its middle. Empty for no limits.
    """
    headings = [say(f"command.heading_{name}") if name else "" for name in header]
    table = [headings, *([plain(cell) for cell in row] for row in rows)]
    if widest:
        table = [list(map(shortened_inside, row, widest)) for row in table]
    right = {place for place, name in enumerate(header) if name in _AMOUNTS}
    for line in aligned(table, right):
        write(line)
