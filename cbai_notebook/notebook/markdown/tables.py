"""Tables (GitHub Flavored Markdown, §4.10), with formulas that may hold pipes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbai_notebook.notebook.markdown.limits import FILLED_CELLS
from cbai_notebook.notebook.markdown.mathematics import formula_end

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock

_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_MARK = re.compile(r"[\\|$]")


def table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a table (a rule of markdown-it).

    A row with too few cells gets empty ones, a row with too many is cut. When the short rows of a
    wide table would need too many empty cells, the table ends.
    """
    if start_line + 2 > end_line:
        return False
    alignments = _alignments(state, start_line + 1)
    if not alignments or state.is_code_block(start_line):
        return False
    header = _text(state, start_line)
    if "|" not in header:
        return False
    titles = cells(header)
    if len(titles) != len(alignments):
        return False
    if silent:
        return True

    table_open = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1)
    _row(state, start_line, "th", titles, alignments)
    state.push("thead_close", "thead", -1)

    line = start_line + 2
    filled = -len(alignments)  # empty cells, minus the cells that are written
    body = False
    while line < end_line and not _ends(state, line, end_line):
        row = cells(_text(state, line))
        filled += len(alignments) - 2 * min(len(row), len(alignments))
        if filled > FILLED_CELLS:
            break
        if not body:
            state.push("tbody_open", "tbody", 1)
            body = True
        _row(state, line, "td", row, alignments)
        line += 1
    if body:
        state.push("tbody_close", "tbody", -1)
    state.push("table_close", "table", -1)
    table_open.map = [start_line, line]
    state.line = line
    return True


def cells(row: str) -> list[str]:
    r"""Split a row at its pipes, but not at ``\|`` and not inside a formula.

    Args:
        row: One line, without its surrounding white space.

    Returns:
        The cells, with ``\|`` outside formulas as ``|``.
    """
    found: list[str] = []
    cell = ""
    start = pos = 0
    while mark := _MARK.search(row, pos):
        at = mark.start()
        pos = at + 1
        if mark[0] == "|":
            found.append((cell + row[start:at]).strip())
            cell, start = "", pos
        elif row.startswith("\\|", at):
            cell += row[start:at] + "|"
            start = pos = at + 2
        else:
            end = formula_end(row, at, len(row))
            if end > 0 and _keeps_pipes(row[at:end]):
                pos = end
            elif mark[0] == "\\" or row.startswith("$$", at):
                pos = at + 2
    found.append((cell + row[start:]).strip())
    if found and not found[0]:
        del found[0]
    if found and not found[-1]:
        del found[-1]
    return found


def _keeps_pipes(formula: str) -> bool:
    """Return whether it is a formula, as ``$|x|$`` or ``$P(A|B)$``, not prices: ``|$5|$(6)|``."""
    return formula.count("|") % 2 == 0 or not (formula[1] == "|" or formula[-2] == "|")


def _alignments(state: StateBlock, line: int) -> list[str]:
    """Return the alignments of a delimiter row, some may be empty; none for another line."""
    if state.sCount[line] < state.blkIndent or state.is_code_block(line):
        return []
    text = _text(state, line)
    if text[:1] not in ("|", "-", ":") or not _DELIMITER_ROW.fullmatch(text):
        return []
    if len(text) == 1 or re.match(r"-[ \t]", text):
        return []
    sides = {(True, True): "center", (True, False): "left", (False, True): "right"}
    columns = (column.strip() for column in text.strip("|").split("|"))
    return [sides.get((c.startswith(":"), c.endswith(":")), "") for c in columns]


def _ends(state: StateBlock, line: int, end_line: int) -> bool:
    """Return whether a line ends the table: it is blank, or another block begins."""
    if state.isEmpty(line) or state.sCount[line] < state.blkIndent or state.is_code_block(line):
        return True
    parent, state.parentType = state.parentType, "table"
    # markdown-it has no list of the rules that may end a table; that of a quote comes closest.
    rules = state.md.block.ruler.getRules("blockquote")
    ends = any(rule(state, line, end_line, True) for rule in rules)
    state.parentType = parent
    return ends


def _row(state: StateBlock, line: int, tag: str, row: list[str], alignments: list[str]) -> None:
    """Write one row, with as many cells as there are columns.

    A column without an alignment gets that of Jupyter's own Markdown; the style sheet for HTML
    outputs, which applies to an answer, would align it right.
    """
    usual = "center" if tag == "th" else "left"
    state.push("tr_open", "tr", 1)
    for column, alignment in enumerate(alignments):
        cell = state.push(f"{tag}_open", tag, 1)
        cell.attrs = {"style": f"text-align:{alignment or usual}"}
        inline = state.push("inline", "", 0)
        inline.content = row[column] if column < len(row) else ""
        inline.map = [line, line + 1]
        inline.children = []
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip(" \t")
