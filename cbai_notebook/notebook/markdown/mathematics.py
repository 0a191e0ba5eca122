"""Find formulas in Markdown, and decide which of them may be typeset.

The delimiters are those of Jupyter: ``$…$``, ``$$…$$``, ``\\(…\\)``, ``\\[…\\]`` and
``\\begin{…}…\\end{…}``. Jupyter reads every pair of dollars as a formula; this module does not read
amounts of money as formulas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cbai_notebook.notebook.markdown.limits import FORMULA_CHARACTERS, FORMULA_LINES
from cbai_notebook.notebook.markdown.tex import ENVIRONMENTS, typesettable

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

_MARK = re.compile(r"\\.|[{}$]", re.DOTALL)
_INNER_DOLLARS = 8
_DISPLAY = re.compile(rf"(?:[^$\\]|\\.|\$(?!\$)){{1,{FORMULA_CHARACTERS}}}\$\$", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]")
_OPEN_DOLLAR = re.compile(r"\$(?!\s)[^$`]{0,200}?\\[A-Za-z][^$`]*\Z")
_PROSE = re.compile(r"\s[A-Za-z]{2,}\s")
# One of these is in a formula such as ``$ x + y $``, but not in the words between two prices.
_SPACED = re.compile(r"[_^=<>+*/|]|^\s*[A-Za-z]\s*$")
_ENVIRONMENT = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")
_CLOSING = re.compile(r"\$\$|\\\]|\\end\{[A-Za-z]+\*?\}")
_WORD = re.compile(r"[A-Za-z0-9]")


def formula_end(text: str, start: int, end: int) -> int:
    """Return the end of the formula that begins at an index of a paragraph.

    Args:
        text: The paragraph.
        start: Index of a ``$`` or a backslash.
        end: Index where the search ends.

    Returns:
        The index after the closing delimiter, or -1 when no formula begins at `start`.
    """
    if text.startswith("$$", start):
        display = _DISPLAY.match(text, start + 2, end)
        return display.end() if display and text[start + 2 : display.end() - 2].strip() else -1
    if text[start] == "$":
        return _dollar_end(text, start, end)
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
        if text.startswith(opening, start):
            found = text.find(closing, start + 2, min(end, start + FORMULA_CHARACTERS))
            return found + 2 if found > 0 and text[start + 2 : found].strip() else -1
    environment = _ENVIRONMENT.match(text, start, end)
    if environment and environment[1].rstrip("*") in ENVIRONMENTS:
        limit = min(end, start + FORMULA_CHARACTERS)
        return _Environment(environment[1]).close(text[start:limit], start)
    return -1


def _dollar_end(text: str, start: int, end: int) -> int:
    """Return the end of ``$…$``, or -1 when the dollars mean money or a shell variable.

    A backslash command, or a leading sub- or superscript, makes a formula unmistakable. Without
    one, the dollars must touch their content (pandoc's rule) or have spaces on both sides and an
    operator or a single letter inside. Outside, they must touch no letter and no digit: ``$5 and $10``,
    ``US$5-$10`` and ``$HOME/$USER`` are text.
    """
    close = _closing_dollar(text, start + 1, min(end, start + FORMULA_CHARACTERS))
    content = text[start + 1 : close]
    if close < 0 or not content.strip():
        return -1
    unmistakable = bool(_COMMAND.search(content)) or content[0] in "_^"
    leading, trailing = content[0].isspace(), content[-1].isspace()
    if leading != trailing:
        return -1
    if leading and not unmistakable and not _SPACED.search(content):
        return -1
    if not unmistakable:
        if "`" in content or _PROSE.search(content):
            return -1
        if start and _WORD.match(text[start - 1]):
            return -1
        if close + 1 < len(text) and _WORD.match(text[close + 1]):
            return -1
    return close + 1


def _closing_dollar(text: str, start: int, end: int) -> int:
    """Return the index of the closing dollar, or -1; skip those in braces, as ``\\text{$x$}``."""
    depth = inner = 0
    for mark in _MARK.finditer(text, start, end):
        if mark[0] == "{":
            depth += 1
        elif mark[0] == "}":
            depth -= 1
        elif mark[0] == "$":
            if depth <= 0:
                return mark.start()
            inner += 1
            if inner > _INNER_DOLLARS:
                break
    return -1


class _Environment:
    """Search for the end of an environment, line by line; the same environment may nest in it."""

    def __init__(self, name: str) -> None:
        self.delimiter = f"\\end{{{name}}}"
        self._marks = re.compile(rf"\\(begin|end)\{{{re.escape(name)}\}}")
        self._depth = 0

    def close(self, text: str, offset: int = 0) -> int:
        """Read more text; return the index after the closing ``\\end``, or -1."""
        for mark in self._marks.finditer(text):
            self._depth += 1 if mark[1] == "begin" else -1
            if self._depth == 0:
                return offset + mark.end()
        return -1


class _Closing:
    """Search for a fixed closing delimiter, line by line."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self._skip = len(
            delimiter
        )  # skip the opening delimiter: it is as long, and may be the same

    def close(self, text: str) -> int:
        """Read more text; return the index after the delimiter, or -1."""
        found = text.find(self.delimiter, self._skip)
        self._skip = 0
        return found + len(self.delimiter) if found >= 0 else -1


def inline_formula(state: StateInline, silent: bool) -> bool:
    """Parse a formula inside a paragraph (a rule of markdown-it)."""
    start = state.pos
    if state.src[start] not in "$\\":
        return False
    end = formula_end(state.src, start, state.posMax)
    if end < 0:
        if not silent and state.env.get("unfinished") and _still_open(state.src, start):
            # While the formula still arrives, its source is shown as it is, not parsed as Markdown.
            state.pending += state.src[start : state.posMax]
            state.pos = state.posMax
            return True
        if state.src[start] != "$":
            return False
        # A run of dollars that opens no formula is text; its second dollar must not open one.
        end = start + 1
        while end < state.posMax and state.src[end] == "$":
            end += 1
        if not silent:
            state.pending += state.src[start:end]
    elif not silent:
        token = state.push("formula", "", 0)
        token.content = state.src[start:end]
        token.meta = {"start": start}
    state.pos = end
    return True


def _still_open(text: str, start: int) -> bool:
    """Return whether a formula may begin at `start` that is not closed yet."""
    if len(text) - start > FORMULA_CHARACTERS:
        return False
    if text.startswith(("\\(", "\\[", "$$"), start):
        return True
    return text[start] == "$" and bool(_OPEN_DOLLAR.match(text, start))


class _Block(NamedTuple):
    """The lines of a block formula, which may still be open."""

    last_line: int
    closed: bool


def block_formula(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a formula that begins a line and ends a line (a rule of markdown-it).

    It may interrupt a paragraph. It may hold blank lines when its delimiters are alone on their
    lines. When the text ends before the formula does, the environment gets its first line as
    ``open_line``, because later text may still close it; with ``unfinished`` in the environment the
    source of the formula is shown.
    """
    start = state.bMarks[start_line] + state.tShift[start_line]
    if start >= state.eMarks[start_line] or state.src[start] not in "$\\":
        return False
    if state.is_code_block(start_line):
        return False
    block = _find_block(state, start_line, end_line)
    if block is None:
        return False
    if not block.closed:
        state.env["open_line"] = min(start_line, state.env.get("open_line", start_line))
        if not state.env.get("unfinished"):
            return False
    content = state.getLines(start_line, block.last_line + 1, state.blkIndent, False).strip()
    if block.closed and not content[2:-2].strip():
        return False
    if silent:
        return True
    token = state.push("block_formula" if block.closed else "open_formula", "", 0)
    token.content = content
    token.map = [start_line, block.last_line + 1]
    state.line = block.last_line + 1
    return True


def _find_block(state: StateBlock, start_line: int, end_line: int) -> _Block | None:
    """Return the formula that begins at a line, up to its closing line or the end of the text."""
    first = _line(state, start_line)
    closing, is_alone = _opening(first)
    if closing is None:
        return None
    start = state.bMarks[start_line]
    # Lines inside quotes begin with marks that are not part of the formula, so look twice as far.
    limit = start + 2 * FORMULA_CHARACTERS
    more_lines = len(state.bMarks) - 1 - start_line >= FORMULA_LINES
    if more_lines:
        limit = min(limit, state.eMarks[start_line + FORMULA_LINES - 1])
    if state.src.find(closing.delimiter, start + 2, limit) < 0 and (
        more_lines or limit < len(state.src) or state.env.get("open_line", start_line) < start_line
    ):
        return None
    blank = False
    size = 0
    line = start_line
    while line < end_line and line - start_line < FORMULA_LINES:
        text = _line(state, line)
        if text and line > start_line and state.sCount[line] < state.blkIndent:
            return None
        if not text and not is_alone:
            return None
        blank = blank or not text
        size += len(text)
        if size > FORMULA_CHARACTERS:
            return None
        end = closing.close(text)
        if end >= 0:
            # With text after the closing delimiter, it is an inline formula in a paragraph.
            is_block = not text[end:].strip() and (
                not blank or bool(_CLOSING.fullmatch(text[:end]))
            )
            return _Block(line, True) if is_block else None
        line += 1
    at_end = line >= len(state.bMarks) - 1
    return _Block(line - 1, False) if at_end and line - start_line < FORMULA_LINES else None


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _opening(text: str) -> tuple[_Closing | _Environment | None, bool]:
    """Return what closes the delimiter that begins a line, and whether it is alone on the line."""
    if text.startswith("$$"):
        return _Closing("$$"), text == "$$"
    if text.startswith("\\["):
        return _Closing("\\]"), text == "\\["
    environment = _ENVIRONMENT.match(text)
    if environment and environment[1].rstrip("*") in ENVIRONMENTS:
        return _Environment(environment[1]), True
    return None, False


def tex_of(formula: str) -> str:
    """Return the TeX of a formula: without its delimiters, but with its environment."""
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if formula.startswith(opening):
            return formula.removeprefix(opening).removesuffix(closing).strip()
    return formula


def is_display(formula: str) -> bool:
    """Return whether a formula, delimiters included, is meant to stand on lines of its own."""
    return formula.startswith(("$$", "\\[", "\\begin"))


def may_typeset(formula: str) -> bool:
    """Return whether a formula, delimiters included, may be given to the typesetter."""
    return len(formula) <= 2 * FORMULA_CHARACTERS and typesettable(formula)
