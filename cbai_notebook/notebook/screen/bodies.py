"""The forms in which an answer can be shown: Markdown, plain text, code and JSON.

A body takes the answer's text as it comes, gives off pieces that can no longer change, and shows the
open tail behind them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cbai_notebook.notebook.markdown import plain
from cbai_notebook.notebook.screen import html
from cbai_notebook.notebook.screen.surface import Bundle

if TYPE_CHECKING:
    from cbai_notebook.notebook.markdown import Document

SEAL_CHARS = 1500
SEAL_SHARE = 15
"""Text is sealed once the open tail has ``max(SEAL_CHARS, total / SEAL_SHARE)`` characters."""

JSON_WINDOW = 4000
"""Characters of a JSON answer that are shown while it comes; all of it is at the end."""

CODE_LANGUAGE = "python"
"""The language of code whose fence names none, as in the notebook around it."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# Both are hidden while more may come, so that no fence flashes up.
_OPENING_TAIL = re.compile(r"\A\s*(?:`{1,2}|~{1,2}|(?:`{3}|~{3})[^\n]*)\Z")
_CLOSING_TAIL = re.compile(r"(?:\A|\n)[ ]{0,3}[`~]+[ \t]*\n*\Z")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")


@dataclass(frozen=True)
class Part:
    """A stretch of the answer: its source and what it looks like."""

    source: str
    html: str


@dataclass(frozen=True)
class Ending:
    """How an answer ends.

    Attributes:
        parts: The last parts, not given off before.
        changed: Parts given off before that look different now, by their number.
        note: A sentence for the reader about the form of the answer.
    """

    parts: Sequence[Part]
    changed: Mapping[int, Part] = field(default_factory=dict)
    note: str = ""


class Body(Protocol):
    """An answer in one form."""

    def feed(self, text: str) -> None:
        """Take more of the answer."""

    def take_sealed(self) -> Sequence[Part]:
        """Return the parts that can no longer change, each once; call between paints."""

    @property
    def open_chars(self) -> int:
        """Characters that :meth:`tail_html` stands for."""

    def tail_html(self) -> str:
        """Return what follows the sealed parts, or an empty string when there is nothing to see."""

    def finish(self, complete: bool) -> Ending:
        """Return the rest of the answer; call once.

        Args:
            complete: Whether the whole answer came, so that a wrong form is worth a word.
        """

    def whole(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output, and a sentence about its form or an empty string.

        Called once, instead of :meth:`finish`.
        """

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return parts that follow each other as one output in all its forms."""


class MarkdownBody:
    """An answer in Markdown."""

    def __init__(self) -> None:
        from cbai_notebook.notebook.markdown import Document

        self._document: Document = Document()

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._document.feed(text)

    def take_sealed(self) -> Sequence[Part]:
        """Return the blocks that can no longer change, each once."""
        return [Part(piece.source, piece.html) for piece in self._document.take_sealed()]

    @property
    def open_chars(self) -> int:
        """Characters of the open blocks."""
        return self._document.tail_characters

    def tail_html(self) -> str:
        """Return the open blocks."""
        return self._document.tail_html() if self._document.tail_source.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last blocks, and those that a later link definition changed."""
        final = self._document.finish()
        return Ending(
            [Part(piece.source, piece.html) for piece in final.pieces],
            {index: Part(piece.source, piece.html) for index, piece in final.changed.items()},
        )

    def whole(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output."""
        from cbai_notebook.notebook.markdown import wrap

        self._document.finish()
        pieces = self._document.pieces
        source = "".join(piece.source for piece in pieces)
        return _markdown_bundle(source, wrap("".join(piece.body for piece in pieces))), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return blocks that follow each other as one output in all its forms."""
        return _markdown_bundle(_sources(parts), _htmls(parts))


class Lines:
    """Text that is sealed in whole lines."""

    def __init__(self) -> None:
        self.tail = ""
        self._total = 0

    def feed(self, text: str) -> None:
        """Take more text."""
        self.tail += text
        self._total += len(text)

    def take(self) -> str:
        """Return the lines to seal now, or an empty string."""
        if len(self.tail) < max(SEAL_CHARS, self._total / SEAL_SHARE):
            return ""
        end = self.tail.rfind("\n") + 1
        sealed, self.tail = self.tail[:end], self.tail[end:]
        return sealed


class TextBody:
    """An answer as it was written: nothing is a mark-up, spaces and lines stay."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._sealed: list[str] = []

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._lines.feed(text)

    def take_sealed(self) -> Sequence[Part]:
        """Return the lines that are complete, each once."""
        sealed = self._lines.take()
        if not sealed:
            return []
        self._sealed.append(sealed)
        return [_text_part(sealed)]

    @property
    def open_chars(self) -> int:
        """Characters of the open lines."""
        return len(self._lines.tail)

    def tail_html(self) -> str:
        """Return the open lines."""
        return _text_html(self._lines.tail) if self._lines.tail.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last lines."""
        return Ending([_text_part(self._lines.tail)] if self._lines.tail else [])

    def whole(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output."""
        return self.bundle([_text_part("".join([*self._sealed, self._lines.tail]))]), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return lines that follow each other as one output in all its forms."""
        return {"text/html": _htmls(parts), "text/plain": plain(_sources(parts))}


class CodeBody:
    """An answer as highlighted code; when it is one fenced block, its fence is taken off."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._opening: str | None = None
        self._language = CODE_LANGUAGE
        self._sealed: list[str] = []

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._lines.feed(text)
        if self._opening is None:
            self._look_for_opening()

    def take_sealed(self) -> Sequence[Part]:
        """Return the lines of code that are complete, each once."""
        sealed = self._lines.take()
        if not sealed:
            return []
        self._sealed.append(sealed)
        return [self._part(sealed)]

    @property
    def open_chars(self) -> int:
        """Characters of the open lines."""
        return len(self._lines.tail)

    def tail_html(self) -> str:
        """Return the open lines of code, without what seems to become a fence."""
        tail = self._lines.tail
        if self._opening is None:
            tail = _OPENING_TAIL.sub("", tail)
        elif self._opening:
            tail = _CLOSING_TAIL.sub("", tail)
        return code_html(tail, self._language) if tail.strip() else ""

    def finish(self, complete: bool) -> Ending:
        """Return the last lines, and the first part again when the answer is no single block after all."""
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

    def whole(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output."""
        code, language = unfenced(self._source())
        return _code_bundle(code, language, code_html(code, language)), ""

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return lines that follow each other as one output in all its forms."""
        return _code_bundle(_sources(parts), self._language, _htmls(parts))

    def _source(self) -> str:
        return "".join([self._opening or "", *self._sealed, self._lines.tail])

    def _part(self, source: str) -> Part:
        return Part(source, code_html(source, self._language))

    def _look_for_opening(self) -> None:
        before, newline, rest = self._lines.tail.lstrip("\n").partition("\n")
        if newline:
            fence = _FENCE.fullmatch(before)
            cut = len(self._lines.tail) - len(rest) if fence else 0
            self._opening = self._lines.tail[:cut]
            self._lines.tail = self._lines.tail[cut:]
            self._language = (fence and fence[2]) or CODE_LANGUAGE


class JsonBody:
    """An answer in JSON: as code while it comes, indented when it is complete and valid.

    Nothing is sealed, since all of it changes at the end: only the most recent text is shown until then.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._recent = ""
        self._total = 0

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._parts.append(text)
        self._total += len(text)
        self._recent = (self._recent + text)[-JSON_WINDOW:]

    def take_sealed(self) -> Sequence[Part]:
        """Return nothing."""
        return []

    @property
    def open_chars(self) -> int:
        """Characters that are shown."""
        return len(self._recent)

    def tail_html(self) -> str:
        """Return the most recent text as code."""
        if not self._recent.strip():
            return ""
        cut = "…" if self._total > len(self._recent) else ""
        return code_html(cut + self._recent, "json")

    def finish(self, complete: bool) -> Ending:
        """Return all of the answer."""
        part, note = _json_part("".join(self._parts), complete)
        return Ending([part], note=note)

    def whole(self, complete: bool) -> tuple[Bundle, str]:
        """Return all of the answer as one output."""
        part, note = _json_part("".join(self._parts), complete)
        return self.bundle([part]), note

    def bundle(self, parts: Sequence[Part]) -> Bundle:
        """Return the answer as one output in all its forms."""
        return {"text/html": _htmls(parts), "text/plain": plain(_sources(parts))}


def unfenced(source: str) -> tuple[str, str]:
    """Return the code of an answer and its language.

    Args:
        source: The answer. When all of it is one fenced block, closed or still open, the fence is taken
            off (https://spec.commonmark.org/0.31.2/#fenced-code-blocks); otherwise it is returned as it is.
    """
    lines = _LINE.findall(source.lstrip("\n"))
    opening = _FENCE.fullmatch(lines[0].rstrip("\n")) if len(lines) > 1 else None
    if not opening:
        return source, CODE_LANGUAGE
    mark, language = opening[1], opening[2] or CODE_LANGUAGE
    for number, line in enumerate(lines[1:], start=1):
        closing = line.strip()
        if closing and set(closing) == {mark[0]} and len(closing) >= len(mark):
            if "".join(lines[number + 1 :]).strip():
                return source, CODE_LANGUAGE
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


def _text_html(text: str) -> str:
    # A parser drops the first newline of a `pre`, so one more is written than is meant.
    style = f"{html.WRAP};{html.MONO};margin:0;padding:0"
    return html.element("pre", "\n" + html.escape(text), name="text", style=style)


def _text_part(source: str) -> Part:
    return Part(source, _text_html(source))


def _json_part(source: str, complete: bool) -> tuple[Part, str]:
    text = unfenced(source)[0].strip()
    try:
        pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        where = (
            f" (line {error.lineno}, column {error.colno})"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        note = f"The answer is not valid JSON{where}, so it is shown as text."
        return _text_part(source), note if complete and text else ""
    return Part(pretty, code_html(pretty, "json")), ""


def _markdown_bundle(source: str, shown: str) -> Bundle:
    readable = plain(source)
    return {"text/html": shown, "text/markdown": readable, "text/plain": readable}


def _code_bundle(code: str, language: str, shown: str) -> Bundle:
    return {
        "text/html": shown,
        "text/markdown": _fenced(plain(code), language),
        "text/plain": plain(code),
    }


def _sources(parts: Sequence[Part]) -> str:
    return "".join(part.source for part in parts)


def _htmls(parts: Sequence[Part]) -> str:
    return "".join(part.html for part in parts)


_BODIES: dict[str, Callable[[], Body]] = {
    "markdown": MarkdownBody,
    "text": TextBody,
    "code": CodeBody,
    "json": JsonBody,
}

FORMATS = tuple(_BODIES)


def body_of(form: str) -> Callable[[], Body]:
    """Return what makes an empty body of one of :data:`FORMATS`."""
    return _BODIES[form]
