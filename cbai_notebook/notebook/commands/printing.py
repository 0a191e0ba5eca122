"""Output of commands: plain lines and tables, without terminal control characters.

In a notebook a table with Chinese is HTML: a browser's monospace font does not make a Chinese
character exactly two columns wide, so that columns of text do not line up.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Sequence

from cbai_notebook.i18n import CELL, said_now, say
from cbai_notebook.notebook.frontend import is_kernel
from cbai_notebook.notebook.screen import html
from cbai_notebook.session import ipython_shell
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
    """Show a table; each column is as wide as its widest cell, and amounts end at the same place.

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
    lines = aligned(table, right)
    shell = ipython_shell()
    has_wide_characters = any(columns(cell) != len(cell) for row in table for cell in row)
    if shell is not None and is_kernel(shell) and has_wide_characters:
        from IPython.display import display

        bundle = {"text/html": _html_table(table, right), "text/plain": "\n".join(lines)}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
    else:
        write("\n".join(lines))
    if long:
        write(f"\n{say('command.shortened_cells')}")
        write("\n".join(dict.fromkeys(long)))


def _html_table(table: Sequence[Sequence[str]], right: Container[int]) -> str:
    """Return a table whose first row has the headings as safe HTML."""

    def row_of(row: Sequence[str], tag: str) -> str:
        cells = (
            f'<{tag} style="text-align:{"right" if place in right else "left"};white-space:nowrap">'
            f"{html.escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )
        return f"<tr>{''.join(cells)}</tr>"

    head, *body = table
    rows = "".join(row_of(row, "td") for row in body)
    content = f"<thead>{row_of(head, 'th')}</thead><tbody>{rows}</tbody>"
    return html.element("table", content, name="table")
