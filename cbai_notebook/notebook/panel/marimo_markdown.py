"""Markdown for marimo's chat: harmless, with the formulas as marimo's page reads them.

That page reads ``$$…$$`` alone as a formula, and gives it to KaTeX. So formulas that may be typeset are
taken out, the rest is made harmless without any ``$$``, and the formulas are put back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cbai_notebook.conversation.formats.markdown import code_block, harmless
from cbai_notebook.notebook.markdown.mathematics import may_typeset, tex_of
from cbai_notebook.notebook.markdown.parser import parse_blocks, parse_inline
from cbai_notebook.text import plain

if TYPE_CHECKING:
    from markdown_it.token import Token

# What stands for a formula while the rest is made harmless: a number between private characters.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")

# A dollar ends the formula, a tick may begin code before it, `%` begins a comment up to the line's end,
# and the last defines a link.
_DOUBTFUL = re.compile(r"[$`]|(?<!\\)%|\\\\%|\]:")
_TAG_OR_PICTURE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")
_MARKER = re.compile(r"[^>\s]")  # as of a list, whose lines are indented
_NO_MARKER = re.compile(r"[A-Za-z\\{]")


def marimo_markdown(source: str) -> str:
    """Return Markdown as :func:`harmless` does, with its formulas between ``$$``.

    A formula stays text if it may not be typeset, if it runs over several lines of a paragraph, or if
    a dollar or a tick touches it.

    Args:
        source: Whole top-level blocks.
    """
    text = plain(source)
    if _OPEN in text or not ("$" in text or "\\" in text):
        return harmless(text)
    formulas: list[str] = []
    held = _with_formulas_held(text, formulas)
    made = harmless(held)
    if not formulas or code_block(held.rstrip("\n")) in made:
        return harmless(text)
    return _HELD.sub(lambda found: formulas[int(found[1])], made)


def _with_formulas_held(text: str, formulas: list[str]) -> str:
    """Return a text with marks in place of its formulas, which are added to `formulas`."""
    lines: list[str | None] = [*text.split("\n")]
    environment: dict[str, Any] = {}

    def hold(formula: str) -> str:
        formulas.append(formula)
        return f"{_OPEN}{len(formulas) - 1}{_CLOSE}"

    inline: dict[int, set[tuple[int, int, str]]] = {}
    for token in parse_blocks(text, environment):
        if token.map is None:
            continue
        first, last = token.map
        if token.type == "block_formula":
            opening, found, _ = (lines[first] or "").partition(token.content.split("\n")[0])
            tex = _for_katex(token.content)
            if not tex or not found:
                continue
            indent = _MARKER.sub(" ", opening)
            start = "" if _NO_MARKER.match(tex) else "{}"  # so that it begins no list
            mark = hold(f"$$\n{indent}{start}{tex}\n{indent}$$")
            # Empty lines part the paragraphs around it where the formula parts them.
            before = "" if _MARKER.search(opening) else f"{indent}\n"
            lines[first] = f"{before}{opening}{mark}\n{indent}"
            lines[first + 1 : last] = [None] * (last - first - 1)
        elif token.type == "inline":
            for number, start_column, end_column, tex in _inline(token, lines, environment):
                inline.setdefault(number, set()).add((start_column, end_column, tex))
    for number, spans in inline.items():
        line = lines[number] or ""
        for start_column, end_column, tex in sorted(spans, reverse=True):
            line = line[:start_column] + hold(f"$${tex}$$") + line[end_column:]
        lines[number] = line
    return "\n".join(line for line in lines if line is not None)


def _inline(
    token: Token, lines: list[str | None], environment: dict[str, Any]
) -> list[tuple[int, int, int, str]]:
    """Return line, first column, end column and TeX of the formulas in a paragraph, heading or cell."""
    found: list[tuple[int, int, int, str]] = []
    assert token.map is not None
    for formula in parse_inline(token, environment):
        if formula.type != "formula" or "\n" in formula.content:
            continue
        start = formula.meta["start"]
        before = token.content[:start]
        number = token.map[0] + before.count("\n")
        line = (lines[number] or "").rstrip() if number < len(lines) else ""
        part = token.content.split("\n")[before.count("\n")].rstrip()
        if not (line.endswith(part) or line.count(part) == 1):  # equal cells of a table
            continue
        first = line.rindex(part) + start - (before.rfind("\n") + 1)
        end = first + len(formula.content)
        touched = line[max(0, first - 1) : first] + line[end : end + 1]
        tex = _for_katex(formula.content)
        if tex and line[first:end] == formula.content and not set(touched) & set("$`\\"):
            found.append((number, first, end, tex))
    return found


def _for_katex(formula: str) -> str | None:
    """Return the TeX of a formula on one line, or None if it has to stay text."""
    tex = " ".join(tex_of(formula).split())
    if not tex or _DOUBTFUL.search(tex) or not may_typeset(formula):
        return None
    return _TAG_OR_PICTURE.sub(r"\g<0> ", tex)
