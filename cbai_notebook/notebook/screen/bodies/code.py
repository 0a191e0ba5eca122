"""Show an answer as code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cbai_notebook.notebook.screen.bodies.base import (
    Ending,
    LineSealer,
    Part,
    joined_html,
    joined_source,
)
from cbai_notebook.notebook.screen.surfaces import Bundle
from cbai_notebook.text import plain

LANGUAGE = "python"
"""The language of code whose fence names none: that of the notebook."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")

# Hidden while more text may come, so that no fence appears for a moment.
_OPENING_TAIL = re.compile(r"\A\s*(?:`{1,2}|~{1,2}|(?:`{3}|~{3})[^\n]*)\Z")
_CLOSING_TAIL = re.compile(r"(?:\A|(?<=\n))[ ]{0,3}[`~]+[ \t]*\n*\Z")


class CodeBody:
    """An answer as highlighted code; when it is one fenced block, the fence is removed.

    Args:
        max_outputs: The maximum number of outputs for its parts.
    """

    def __init__(self, max_outputs: int) -> None:
        self._lines = LineSealer(max_outputs)
        self._opening: str | None = None
        self._language = LANGUAGE
        self._sealed: list[str] = []

    def feed(self, text: str) -> None:
        """Append text to the answer; blank lines before all else are left out."""
        if self._opening is None and not self._lines.tail:
            text = text.lstrip("\n")
        self._lines.feed(text)
        if self._opening is None:
            self._look_for_opening()

    def take_sealed(self) -> Sequence[Part]:
        """Seal complete lines of code; return each once."""
        sealed = self._lines.take()
        if self._opening and (closing := _CLOSING_TAIL.search(sealed)):
            self._lines.tail = closing[0] + self._lines.tail
            sealed = sealed[: closing.start()]
        if not sealed:
            return []
        self._sealed.append(sealed)
        return [self._part(sealed)]

    @property
    def open_chars(self) -> int:
        """Number of characters of the open lines."""
        return len(self._lines.tail)

    def tail_html(self) -> str:
        """Return the open lines of code, without a line that may become a fence."""
        tail = self._lines.tail
        if self._opening is None:
            tail = _OPENING_TAIL.sub("", tail)
        elif self._opening:
            tail = _CLOSING_TAIL.sub("", tail)
        return code_html(tail, self._language) if tail.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last lines; also the first part again if the answer was not a single block."""
        source = self._source()
        code, self._language = unfenced(source)
        if not self._opening or code != source:
            sealed = sum(map(len, self._sealed))
            rest = code[sealed:]
            return Ending([self._part(rest)] if rest.strip() else [])
        if not self._sealed:
            return Ending([self._part(source)])
        rest = self._lines.tail
        return Ending(
            [self._part(rest)] if rest.strip() else [],
            {0: self._part(self._opening + self._sealed[0])},
        )

    def merged(self, complete: bool) -> tuple[Bundle, str]:
        """Return the answer as one output."""
        code, language = unfenced(self._source())
        return _bundle(code, language, code_html(code, language)), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return consecutive lines as one output in all its MIME types."""
        return _bundle(joined_source(parts), self._language, joined_html(parts))

    def _source(self) -> str:
        return "".join([self._opening or "", *self._sealed, self._lines.tail])

    def _part(self, source: str) -> Part:
        return Part(source, code_html(source, self._language))

    def _look_for_opening(self) -> None:
        before, newline, rest = self._lines.tail.partition("\n")
        if newline:
            fence = _FENCE.fullmatch(before)
            cut = len(self._lines.tail) - len(rest) if fence else 0
            self._opening = self._lines.tail[:cut]
            self._lines.tail = self._lines.tail[cut:]
            self._language = (fence and fence[2]) or LANGUAGE


def unfenced(source: str) -> tuple[str, str]:
    """Return the code of an answer and its language.

    Args:
        source: The answer. When it is one fenced block, closed or still open, the fence is removed
            (https://spec.commonmark.org/0.31.2/#fenced-code-blocks); else it is returned unchanged.
    """
    lines = _LINE.findall(source.lstrip("\n"))
    opening = _FENCE.fullmatch(lines[0].rstrip("\n")) if len(lines) > 1 else None
    if not opening:
        return source, LANGUAGE
    mark, language = opening[1], opening[2] or LANGUAGE
    for number, line in enumerate(lines[1:], start=1):
        closing = line.strip()
        if closing and set(closing) == {mark[0]} and len(closing) >= len(mark):
            if "".join(lines[number + 1 :]).strip():
                return source, LANGUAGE
            return "".join(lines[1:number]), language
    return "".join(lines[1:]), language


def code_html(code: str, language: str) -> str:
    """Return code as safe, highlighted HTML."""
    from cbai_notebook.notebook.markdown import render

    return render(_fenced(code, language))


def _fenced(code: str, language: str) -> str:
    longest = max(map(len, re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    name = re.sub(r"[^\w+#.-]", "", language)
    return f"{fence}{name}\n{code}{'' if code.endswith(chr(10)) else chr(10)}{fence}\n"


def _bundle(code: str, language: str, shown: str) -> Bundle:
    return {
        "text/html": shown,
        "text/markdown": _fenced(plain(code), language),
        "text/plain": plain(code),
    }
