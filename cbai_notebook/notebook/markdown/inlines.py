"""Inline rules beside CommonMark's: ``<br>``, a few harmless tags, emphasis next to Chinese."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

from cbai_notebook.notebook.markdown.limits import EMPHASIS_DEPTH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BREAK = re.compile(r"<br[ \t]*/?>[ \t]*\n?", re.IGNORECASE)
_PAIR = re.compile(r"<(sub|sup|kbd)>([^<>\n]{1,200})</\1>")
# Scripts written without spaces between words, their punctuation and full-width forms included.
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\U0001b000-\U0001b2ff\U00020000-\U0003ffff]"
)


class Inline(ParserInline):
    """The inline parser, with flanking as :class:`_Text` sees it."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        """Read one paragraph, heading or cell."""
        state = _Text(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _Text(StateInline):
    """One paragraph, whose emphasis may touch Chinese, Japanese and Korean punctuation.

    CommonMark lets a delimiter run beside punctuation open or close only at a space, and there are
    no spaces in Chinese: ``**“引号”**后面`` stays unbold. So a CJK character counts as a place where
    a run may open and close, and CJK punctuation counts as a letter. Without CJK characters the
    outcome is CommonMark's (§6.2), to the letter.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Read a run of delimiters: may it open, may it close, how long is it?"""
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
    """Read ``<br>``, and ``<sub>``, ``<sup>`` and ``<kbd>`` in whole pairs (a rule of markdown-it).

    They are what models write where Markdown has no words, above all in tables. Any other HTML
    stays text.
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


def flatten(children: Sequence[Token]) -> list[Token]:
    """Drop the emphasis that nests deeper than anyone can see; its text stays."""
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
