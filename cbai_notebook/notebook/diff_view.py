"""The difference of two answers: in colours in a cell, in colours or marks in a terminal."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from cbai_notebook.conversation.diff import Difference, Piece, compare
from cbai_notebook.i18n import say
from cbai_notebook.notebook.frontend import is_kernel
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.session import ipython_shell
from cbai_notebook.text import plain

# A transparent tint under text in the page's own colour is readable on light and dark pages. The
# lines tell both kinds apart without colours.
_STYLES = {
    "removed": "background-color:rgba(214,69,69,0.22);text-decoration:line-through",
    "added": "background-color:rgba(46,160,67,0.25);text-decoration:underline",
}
_TAGS = {"removed": "del", "added": "ins"}
_ANSI = {"kept": "{}", "removed": "\x1b[31;9m{}\x1b[0m", "added": "\x1b[32;4m{}\x1b[0m"}


def show(old: str, new: str, old_title: str = "", new_title: str = "") -> None:
    """Show the difference of two answers: in the cell, or on standard output outside a notebook.

    Args:
        old: The first answer, as Markdown source.
        new: The second answer, as Markdown source.
        old_title: What the first answer is, such as its model.
        new_title: What the second answer is.
    """
    difference = compare(old, new)
    shell = ipython_shell()
    if shell is not None and is_kernel(shell):
        from IPython.display import display

        display(bundle(difference, old_title, new_title), raw=True)  # type: ignore[no-untyped-call]
    else:
        text = terminal_text(difference, sys.stdout)
        sys.stdout.write(f"{_heading(old_title, new_title)}{text}\n")


def bundle(difference: Difference, old: str = "", new: str = "") -> Bundle:
    """Return a difference as an output of a cell.

    Args:
        difference: The difference of two answers.
        old: The title of the first answer, such as its model.
        new: The title of the second answer.
    """
    text = _heading(old, new) + terminal_text(difference)
    return {"text/html": _html(difference, old, new), "text/plain": text}


def _heading(old: str, new: str) -> str:
    return f"- {plain(old)}\n+ {plain(new)}\n\n" if old or new else ""


def terminal_text(difference: Difference, stream: TextIO | None = None) -> str:
    """Return a difference for a terminal.

    Args:
        difference: The difference of two answers.
        stream: The stream to which the text will be written. A terminal gets colours, unless
            ``NO_COLOR`` is set (https://no-color.org); anything else gets ``[-removed-]`` and
            ``{+added+}``.
    """
    visible = _visible(difference)
    if not visible:
        return say("cell.same_answers")
    if stream is None or not stream.isatty() or os.environ.get("NO_COLOR"):
        return str(visible)
    return "".join(map(_coloured, visible.pieces))


def _visible(difference: Difference) -> Difference:
    """Return the difference without terminal control sequences, which the pieces may have split."""
    old, new = plain(difference.old), plain(difference.new)
    return difference if (old, new) == (difference.old, difference.new) else compare(old, new)


def _coloured(piece: Piece) -> str:
    # Line by line, because a pager resets the colour at each line.
    return "\n".join(line and _ANSI[piece.kind].format(line) for line in piece.text.split("\n"))


def _html(difference: Difference, old: str, new: str) -> str:
    visible = _visible(difference)
    head = ""
    if old or new:
        names = [_piece_html(Piece("removed", old)), _piece_html(Piece("added", new))]
        lines = "<br>".join(filter(None, names))
        head = f'<div style="{html.QUIET};margin-bottom:0.5em"><small>{lines}</small></div>'
    body = "".join(map(_piece_html, visible.pieces)) if visible else say("cell.same_answers")
    return html.element(
        "div",
        f'{head}<div style="{html.WRAP}">{body}</div>',
        name="difference",
    )


def _piece_html(piece: Piece) -> str:
    text = html.lines(piece.text)
    if piece.kind == "kept" or not text:
        return text
    tag = _TAGS[piece.kind]
    return f'<{tag} style="{_STYLES[piece.kind]}">{text}</{tag}>'
