"""Output of commands: plain lines and tables, without terminal control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.text import plain

PREVIEW_CHARS = 72
"""The most characters of a message on its line of a table."""


def write(text: str) -> None:
    """Print a text without terminal control characters."""
    sys.stdout.write(plain(text) + "\n")


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a header and rows; each column is as wide as its widest cell."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write("  ".join(cells).rstrip())
