"""How commands print: plain lines and tables, without what could move a terminal's cursor."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cbai_notebook.text import plain

PREVIEW_CHARS = 72
"""Characters of a message that fit on its line."""


def write(text: str) -> None:
    """Print a text."""
    sys.stdout.write(plain(text) + "\n")


def write_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a header, in columns."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write("  ".join(cells).rstrip())
