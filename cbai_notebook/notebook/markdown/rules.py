"""Block rules beside CommonMark's: definitions, tasks, and an end to nesting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.rules_block import reference as commonmark_reference

from cbai_notebook.notebook.markdown.limits import DEFINITION_CHARACTERS, INLINE_CHARACTERS, NESTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\](?=[ \t])")


def definition(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Read a link definition, but leave what looks like a footnote alone.

    ``[^1]: https://…`` would be a definition that vanishes from the page. Where a definition of the
    top level begins is noted in the environment as ``definitions``, for it leaves no token behind.
    """
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.src.startswith("[^", start):
        return False
    known = state.env.setdefault("references", {})
    new: dict[str, dict[str, str]] = {}
    state.env["references"] = new
    found = commonmark_reference(state, start_line, end_line, silent)
    state.env["references"] = known
    for label, reference in new.items():
        if len(reference["href"]) + len(reference["title"]) <= DEFINITION_CHARACTERS:
            known.setdefault(label, reference)
    if found and state.level == 0:
        state.env.setdefault("definitions", []).append(start_line)
    return found


def too_deep(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Show what nests too deep as one paragraph (markdown-it would leave it out)."""
    if silent or state.level < NESTING - 2:
        return False
    line = start_line
    while line < end_line and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent):
        line += 1
    paragraph = state.push("paragraph_open", "p", 1)
    paragraph.map = [start_line, line]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start_line, line, state.blkIndent, False).strip()
    inline.map = [start_line, line]
    inline.children = []
    state.push("paragraph_close", "p", -1)
    state.line = max(line, start_line + 1)
    return True


def mark_tasks(tokens: Sequence[Token]) -> None:
    """Turn the ``[ ]`` and ``[x]`` that begin a list's items into boxes, as plain characters."""
    for index in range(2, len(tokens)):
        token = tokens[index]
        if (
            token.type == "inline"
            and tokens[index - 1].type == "paragraph_open"
            and tokens[index - 2].type == "list_item_open"
            and (task := _TASK.match(token.content))
        ):
            box = "\u2610" if task[1] == " " else "\u2611"
            token.content = box + token.content[task.end() :]


def is_long(content: str) -> bool:
    """Tell whether an inline text is too long to look for anything in it."""
    return len(content) > INLINE_CHARACTERS
