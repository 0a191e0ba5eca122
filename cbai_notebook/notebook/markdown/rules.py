"""Rules for markdown-it in addition to CommonMark's.

Block rules: definitions, task lists, a limit to nesting. Inline rules: ``<br>`` and a few harmless
tags, emphasis next to Chinese. Formulas are in ``mathematics``, tables in ``tables``, links in
``links``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import reference as commonmark_reference
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

from cbai_notebook.notebook.markdown.limits import (
    DEFINITION_CHARACTERS,
    EMPHASIS_DEPTH,
    INLINE_CHARACTERS,
    NESTING,
)
from cbai_notebook.text import CJK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\](?=[ \t])")
_BREAK = re.compile(r"<br[ \t]*/?>[ \t]*\n?", re.IGNORECASE)
_PAIR = re.compile(r"<(sub|sup|kbd)>([^<>\n]{1,200})</\1>")
_CJK = re.compile(f"[{CJK}]")


def definition(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a link definition, but leave a footnote as text.

    ``[^1]: https://…`` would be a definition, and vanish from the page. A definition leaves no
    token, so the environment gets the line where one of the top level begins, in ``definitions``.
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
    """Show blocks that nest too deep as one paragraph (markdown-it would drop them)."""
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
    """Replace the ``[ ]`` and ``[x]`` at the start of list items by box characters."""
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
    """Return whether an inline text is too long to be parsed."""
    return len(content) > INLINE_CHARACTERS


class InlineParser(ParserInline):
    """The inline parser, with the rule for delimiter runs of :class:`_Paragraph`."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        """Parse one paragraph, heading or cell."""
        state = _Paragraph(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _Paragraph(StateInline):
    """One paragraph, whose emphasis may touch Chinese, Japanese and Korean punctuation.

    In CommonMark (§6.2) a delimiter run next to punctuation opens or closes only at a space.
    Chinese has no spaces, so ``**“引号”**后面`` would not be bold. Therefore a run may open and
    close next to a CJK character, and CJK punctuation counts as a letter. Without CJK characters
    the result is exactly CommonMark's.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Return whether a delimiter run may open, whether it may close, and its length."""
        text, marker = self.src, self.src[start]
        end = start
        while end < self.posMax and text[end] == marker:
            end += 1
        before = text[start - 1] if start else " "
        after = text[end] if end < self.posMax else " "
        before_cjk, after_cjk = bool(_CJK.match(before)), bool(_CJK.match(after))
        before_space, after_space = _is_space(before), _is_space(after)
        before_mark = not before_cjk and _is_punctuation(before)
        after_mark = not after_cjk and _is_punctuation(after)
        opens = not after_space and (not after_mark or before_space or before_mark or before_cjk)
        closes = not before_space and (not before_mark or after_space or after_mark or after_cjk)
        can_open = opens and (canSplitWord or not closes or _is_punctuation(before))
        can_close = closes and (canSplitWord or not opens or _is_punctuation(after))
        return Scanned(can_open, can_close, end - start)


def _is_space(character: str) -> bool:
    return character in "\t\n\x0c\r" or unicodedata.category(character) == "Zs"


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def html_tag(state: StateInline, silent: bool) -> bool:
    """Parse ``<br>``, and pairs of ``<sub>``, ``<sup>`` and ``<kbd>`` (a rule of markdown-it).

    Models write them where Markdown has no syntax, mostly in tables. Any other HTML stays text.
    """
    if state.src[state.pos] != "<":
        return False
    found = _BREAK.match(state.src, state.pos, state.posMax)
    if found:
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = found.end()
        return True
    found = _PAIR.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push(f"{found[1]}_open", found[1], 1)
        text = state.push("text", "", 0)
        text.content = found[2]
        state.push(f"{found[1]}_close", found[1], -1)
    state.pos = found.end()
    return True


def limit_emphasis(children: Sequence[Token]) -> list[Token]:
    """Drop emphasis that nests deeper than anyone can see; its text stays."""
    depth = 0
    kept = []
    for token in children:
        if token.tag == "s":
            token.tag = "del"  # as JupyterLab's renderer writes it
        if token.tag in ("em", "strong", "del"):
            depth += token.nesting
            if depth + (token.nesting < 0) > EMPHASIS_DEPTH:
                continue
        kept.append(token)
    return kept
