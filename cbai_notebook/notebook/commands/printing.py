"""Output of commands: plain lines and tables, without terminal control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.i18n import CELL, said_now, say
from cbai_notebook.text import columns, plain

PREVIEW_CHARS = 72
"""The most characters of a message on its line of a table."""


def write(text: str) -> None:
    """Print a text for a cell, without terminal control characters."""
    sys.stdout.write(plain(said_now(text, CELL)) + "\n")


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; each column is as wide as its widest cell.

    Args:
        header: For each column the name of its heading among the texts; ``""`` for none.
        rows: The cells of each row.
    """
    headings = [say(f"command.heading_{name}") if name else "" for name in header]
    table = [headings, *([plain(cell) for cell in row] for row in rows)]
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        )
        write("  ".join(cells).rstrip())
